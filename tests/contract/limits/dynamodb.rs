//! Limits in a table: what the table may hold, what the service may do, and how many calls are made.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
    types::AttributeValue,
};
use axum::http::StatusCode;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoLimits, Patience, TableNames, connect, schema};
use doorward_engine::limits::{Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent};
use doorward_tests::{
    dynamodb::{Parrot, Silent},
    limits::{CALM, NEAR_MIDNIGHT, cost, one_of_each},
    line::Line,
};
use tokio::time::Instant;

const NOW: Moment = Moment::from_micros(NEAR_MIDNIGHT);

fn bucket() -> Bucket {
    Bucket::of("calls", [("key", "key_1")])
}

fn rules() -> Vec<(&'static str, Rule)> {
    one_of_each(10, Duration::from_secs(2))
}

/// Counts what is sent, each attempt of its own.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<AtomicUsize>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

struct House {
    dynamo: EmbeddedDynamo,
    table: String,
}

impl House {
    async fn open() -> Self {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
        Self {
            dynamo: dynamo.await.unwrap(),
            table: names.counters,
        }
    }

    fn limits(&self) -> DynamoLimits {
        DynamoLimits::new(self.dynamo.client(), &self.table, CALM)
    }

    fn counted(&self) -> (DynamoLimits, Arc<AtomicUsize>) {
        let counter = Counter::default();
        let config = self.dynamo.client().config().to_builder();
        let client = Client::from_conf(config.interceptor(counter.clone()).build());
        (DynamoLimits::new(&client, &self.table, CALM), counter.0)
    }

    fn key() -> HashMap<String, AttributeValue> {
        let text = AttributeValue::S;
        let pk = schema::rate_pk(bucket().as_str());
        HashMap::from([
            ("pk".to_owned(), text(pk)),
            ("sk".to_owned(), text(schema::rate_sk("us-east-1"))),
        ])
    }

    async fn item(&self) -> Option<HashMap<String, AttributeValue>> {
        let get = self.dynamo.client().get_item().table_name(&self.table);
        get.set_key(Some(Self::key())).send().await.unwrap().item
    }

    async fn put(&self, item: HashMap<String, AttributeValue>) {
        let put = self.dynamo.client().put_item().table_name(&self.table);
        put.set_item(Some(item)).send().await.unwrap();
    }
}

async fn ask(limits: &DynamoLimits, rule: &Rule, at: u64) -> Result<Spent, LimitStoreError> {
    let at = Moment::from_micros(at);
    limits.spend(&bucket(), rule, cost(1), at).await
}

#[tokio::test]
async fn a_bucket_in_use_takes_one_call() {
    let house = House::open().await;
    for (name, rule) in rules() {
        let (limits, calls) = house.counted();
        // Other algorithms came before, far in the past: this one finds their bucket.
        let start = NEAR_MIDNIGHT + 100 * 86_400_000_000 * place_of(name);
        ask(&limits, &rule, start).await.unwrap();
        let first = calls.swap(0, Ordering::SeqCst);
        assert!(first <= 3, "{name}: {first}");
        for number in 1..5 {
            assert!(
                ask(&limits, &rule, start + number)
                    .await
                    .unwrap()
                    .is_admitted()
            );
        }
        assert_eq!(calls.swap(0, Ordering::SeqCst), 4, "{name}");
        // And over the ends of windows, with a call in each.
        let step = rule.window_around(NOW).1.since(rule.window_around(NOW).0);
        for number in 1..5 {
            let spent = ask(&limits, &rule, start + number * step.micros()).await;
            assert!(spent.unwrap().is_admitted(), "{name}");
        }
        assert_eq!(calls.load(Ordering::SeqCst), 4, "{name}");
    }
}

fn place_of(name: &str) -> u64 {
    let place = rules().iter().position(|(known, _)| *known == name);
    place.unwrap() as u64
}

#[tokio::test]
async fn a_newcomer_to_a_bucket_in_use_takes_two_calls() {
    let house = House::open().await;
    for (name, rule) in rules() {
        let start = NEAR_MIDNIGHT + 100 * 86_400_000_000 * place_of(name);
        ask(&house.limits(), &rule, start).await.unwrap();
        let (limits, sent) = house.counted();
        assert!(ask(&limits, &rule, start).await.unwrap().is_admitted());
        assert_eq!(sent.swap(0, Ordering::SeqCst), 2, "{name}");
        // A refusal, once the bucket is known, takes one.
        for _ in 0..20 {
            let _ = ask(&limits, &rule, start).await;
        }
        assert_eq!(sent.load(Ordering::SeqCst), 20, "{name}");
    }
}

#[tokio::test]
async fn an_item_that_is_past_its_time_and_not_swept_counts_like_any_other() {
    for (name, rule) in rules() {
        let house = House::open().await;
        let limits = house.limits();
        for _ in 0..rule.limit() - 1 {
            let _ = ask(&limits, &rule, NEAR_MIDNIGHT).await.unwrap();
        }
        let mut item = house.item().await.unwrap();
        let kept = item["expires_at"].as_n().unwrap().parse::<u64>().unwrap();
        let ends = (NEAR_MIDNIGHT + rule.memory().micros()) / 1_000_000;
        assert!(kept >= ends + 86_400, "{name}: {kept}");
        item.insert(
            "expires_at".to_owned(),
            AttributeValue::N("1700000000".to_owned()),
        );
        house.put(item).await;
        let last = ask(&house.limits(), &rule, NEAR_MIDNIGHT).await.unwrap();
        assert_eq!((last.is_admitted(), last.remaining), (true, 0), "{name}");
        for newcomer in [limits, house.limits()] {
            let above = ask(&newcomer, &rule, NEAR_MIDNIGHT).await.unwrap();
            assert!(!above.is_admitted(), "{name}");
        }
        let item = house.item().await.unwrap();
        let renewed = item["expires_at"].as_n().unwrap().parse::<u64>().unwrap();
        assert!(renewed >= ends + 86_400, "{name}: {renewed}");
    }
}

#[tokio::test]
async fn an_item_that_is_swept_between_two_calls_is_begun_anew() {
    let house = House::open().await;
    for (name, rule) in rules() {
        let limits = house.limits();
        let first = ask(&limits, &rule, NEAR_MIDNIGHT).await.unwrap();
        let delete = house.dynamo.client().delete_item().table_name(&house.table);
        delete.set_key(Some(House::key())).send().await.unwrap();
        assert_eq!(
            ask(&limits, &rule, NEAR_MIDNIGHT).await.unwrap(),
            first,
            "{name}"
        );
        let delete = house.dynamo.client().delete_item().table_name(&house.table);
        delete.set_key(Some(House::key())).send().await.unwrap();
    }
}

#[tokio::test]
async fn an_item_that_is_not_of_ours_is_refused() {
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    for (name, rule) in rules() {
        let house = House::open().await;
        ask(&house.limits(), &rule, NEAR_MIDNIGHT).await.unwrap();
        let good = house.item().await.unwrap();
        let mut bad = Vec::new();
        for (attribute, value) in [
            ("format", number("2")),
            ("format", AttributeValue::S("1".to_owned())),
            ("mark", AttributeValue::S("GARBAGE".to_owned())),
            ("mark", number("1e30")),
            ("current", AttributeValue::Null(true)),
            ("previous", number("1.5")),
        ] {
            let mut item = good.clone();
            item.insert(attribute.to_owned(), value);
            bad.push(item);
        }
        for attribute in ["format", "mark"] {
            let mut item = good.clone();
            item.remove(attribute);
            bad.push(item);
        }
        for item in bad {
            house.put(item.clone()).await;
            for limits in [house.limits(), house.limits()] {
                let answer = ask(&limits, &rule, NEAR_MIDNIGHT).await;
                // What another algorithm keeps and this one does not use may be anything.
                let is_used = rule.interval() == doorward_engine::limits::Span::ZERO
                    || item.get("current") == good.get("current")
                        && item.get("previous") == good.get("previous");
                if is_used {
                    let Err(LimitStoreError::Corrupt(message)) = answer else {
                        panic!("{name} {item:?}: {answer:?}");
                    };
                    assert!(!message.contains("GARBAGE"), "{message}");
                }
            }
        }
    }
}

/// Spending and giving back are both unavailable, within the patience of those who wait at the gate.
async fn is_unavailable(url: &str, cause: &str, is_of_one_item: bool) {
    let client = connect(doorward::dynamodb::connection(url)).await;
    let limits = DynamoLimits::new(&client, "counters", Patience::LIMITS);
    // Beyond the patience itself, what a busy machine may take to notice.
    let budget = Patience::LIMITS.total() + Duration::from_millis(800);
    for (_, rule) in rules() {
        let begun = Instant::now();
        let spent = ask(&limits, &rule, NEAR_MIDNIGHT).await;
        assert!(begun.elapsed() <= budget, "{:?}", begun.elapsed());
        let message = match spent {
            Err(LimitStoreError::Unavailable(message)) if !is_of_one_item => message,
            Err(LimitStoreError::Busy(message)) if is_of_one_item => message,
            other => panic!("{other:?}"),
        };
        assert!(message.contains(cause), "{message}");
        assert!(!message.contains('\n'), "{message}");
        let lease = doorward_engine::limits::state::spend(&rule, None, cost(2), NOW);
        let begun = Instant::now();
        let given = limits.give_back(&bucket(), &rule, cost(1), &lease).await;
        assert!(begun.elapsed() <= budget, "{:?}", begun.elapsed());
        let is_paced = rule.interval() > doorward_engine::limits::Span::ZERO;
        assert_eq!(given.is_ok(), is_paced, "{given:?}");
    }
}

#[tokio::test]
async fn a_store_of_limits_that_never_answers_is_unavailable_in_time() {
    let silent = Silent::start().await.unwrap();
    is_unavailable(&silent.url, "no answer in time", false).await;
}

#[tokio::test]
async fn a_store_of_limits_that_is_away_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    is_unavailable(&url, "on table `counters`", false).await;
}

#[tokio::test]
async fn a_bucket_that_is_asked_too_often_says_nothing_of_the_others() {
    for (code, is_of_one_item) in [
        ("ProvisionedThroughputExceededException", true),
        ("ThrottlingException", true),
        ("TransactionConflictException", true),
        ("RequestLimitExceeded", false),
        ("ResourceNotFoundException", false),
        ("AccessDeniedException", false),
    ] {
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"slow down"}}"#
        );
        let body: &'static str = body.leak();
        let parrot = Parrot::start(StatusCode::BAD_REQUEST, body).await.unwrap();
        is_unavailable(&parrot.url, code, is_of_one_item).await;
    }
}

#[tokio::test]
async fn a_connection_that_was_made_ready_is_the_one_that_counts() {
    let house = House::open().await;
    let server = house.dynamo.endpoint_url().replace("http://", "");
    let line = Line::to(server.parse().unwrap()).await.unwrap();
    let connection = doorward::dynamodb::connection(&format!("http://{}", line.address()));
    let limits = DynamoLimits::new(&connect(connection).await, &house.table, CALM);
    limits.prepare().await.unwrap();
    assert_eq!(line.opened(), 1);
    let scan = house.dynamo.client().scan().table_name(&house.table);
    assert_eq!(scan.send().await.unwrap().count(), 0, "nothing is written");
    let (_, rule) = rules()[0];
    ask(&limits, &rule, NEAR_MIDNIGHT).await.unwrap();
    assert_eq!(line.opened(), 1);

    let missing = DynamoLimits::new(house.dynamo.client(), "missing", CALM);
    let prepared = missing.prepare().await;
    assert!(
        matches!(prepared, Err(LimitStoreError::Unavailable(_))),
        "{prepared:?}"
    );
}

#[tokio::test]
async fn a_return_is_never_sent_twice() {
    let body =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"again?"}"#;
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let parrot = Parrot::start(status, body).await.unwrap();
    let client = connect(doorward::dynamodb::connection(&parrot.url)).await;
    let limits = DynamoLimits::new(&client, "counters", Patience::LIMITS);
    let (_, rule) = rules()[0];
    let lease = doorward_engine::limits::state::spend(&rule, None, cost(2), NOW);
    let given = limits.give_back(&bucket(), &rule, cost(1), &lease).await;
    assert!(
        matches!(given, Err(LimitStoreError::Unavailable(_))),
        "{given:?}"
    );
    assert_eq!(parrot.heard(), 1);
    let spent = ask(&limits, &rule, NEAR_MIDNIGHT).await;
    assert!(
        matches!(spent, Err(LimitStoreError::Unavailable(_))),
        "{spent:?}"
    );
    assert_eq!(parrot.heard(), 3);
}

#[tokio::test]
async fn nonsense_in_place_of_a_bucket_is_refused_in_bounded_calls() {
    for (status, body) in [
        (StatusCode::OK, "<html>captive portal</html>"),
        (StatusCode::OK, "{}"),
        (StatusCode::OK, r#"{"Attributes":{}}"#),
        (
            StatusCode::OK,
            r#"{"Attributes":{"format":{"N":"1"},"mark":{"N":"7"},"current":{"N":"7"},"previous":{"N":"7"}}}"#,
        ),
        (
            StatusCode::BAD_REQUEST,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#,
        ),
        (
            StatusCode::BAD_REQUEST,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no","Item":{}}"#,
        ),
    ] {
        let parrot = Parrot::start(status, body).await.unwrap();
        let client = connect(doorward::dynamodb::connection(&parrot.url)).await;
        let limits = DynamoLimits::new(&client, "counters", Patience::LIMITS);
        for (number, (name, rule)) in rules().into_iter().enumerate() {
            let spent = ask(&limits, &rule, NEAR_MIDNIGHT).await;
            assert!(spent.is_err(), "{name} {body}: {spent:?}");
            assert!(parrot.heard() <= 6 * (number + 1), "{}", parrot.heard());
        }
    }
}

#[tokio::test]
async fn limits_go_over_the_connections_of_the_client() {
    let house = House::open().await;
    let server = house.dynamo.endpoint_url().replace("http://", "");
    let line = Line::to(server.parse().unwrap()).await.unwrap();
    let connection = doorward::dynamodb::connection(&format!("http://{}", line.address()));
    let client = connect(connection).await;
    let tables = client.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names().len(), 2);
    let limits = DynamoLimits::new(&client, &house.table, CALM);
    for (_, rule) in rules() {
        ask(&limits, &rule, NEAR_MIDNIGHT).await.unwrap();
    }
    assert_eq!(line.opened(), 1);
}

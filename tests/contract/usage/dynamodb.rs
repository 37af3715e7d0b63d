//! Usage in a table: what the table may hold, how many writes are made, and a table that is away.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, Region, RuntimeComponents,
        interceptors::BeforeTransmitInterceptorContextRef,
    },
    error::BoxError,
    types::AttributeValue,
};
use axum::http::StatusCode;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoUsage, Patience, TableNames, connect, schema};
use doorward_keys::{Hour, Hours, Requests, StoreError, UsageReader, UsageSink};
use doorward_tests::dynamodb::{Parrot, Silent};
use tokio::time::Instant;

use super::places::{CALM, LONG, NOW, entry, key, used};

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

    /// The usage as a function in `region` sees it, and how many calls it made.
    fn usage(&self, region: &'static str) -> (DynamoUsage, Arc<AtomicUsize>) {
        let counter = Counter::default();
        let config = self.dynamo.client().config().to_builder();
        let config = config.region(Region::new(region));
        let client = Client::from_conf(config.interceptor(counter.clone()).build());
        (DynamoUsage::new(&client, &self.table, CALM), counter.0)
    }

    async fn put(&self, item: HashMap<String, AttributeValue>) {
        let put = self.dynamo.client().put_item().table_name(&self.table);
        put.set_item(Some(item)).send().await.unwrap();
    }

    async fn item(&self, sk: &str) -> HashMap<String, AttributeValue> {
        let get = self.dynamo.client().get_item().table_name(&self.table);
        let get = get.key("pk", text(&schema::usage_pk(key(1).as_str())));
        let got = get.key("sk", text(sk)).send().await.unwrap();
        got.item.unwrap()
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn item(sk: &str, numbers: &[(&str, i64)]) -> HashMap<String, AttributeValue> {
    let pk = text(&schema::usage_pk(key(1).as_str()));
    let keys = [("pk".to_owned(), pk), ("sk".to_owned(), text(sk))];
    let numbers = numbers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), number(*value)));
    keys.into_iter().chain(numbers).collect()
}

fn hours() -> Hours {
    Hours::new(Hour::of(NOW), Hour::of(NOW).plus(24)).unwrap()
}

#[tokio::test]
async fn an_addition_takes_one_write_and_two_behind_a_later_use() {
    let house = House::open().await;
    let (usage, calls) = house.usage("eu-west-1");
    for (flush, after, expected) in [
        ("a", 0, 1),  // the first of its hour
        ("b", 0, 1),  // as late
        ("c", 60, 1), // later
        ("d", 59, 2), // earlier
        ("d", 59, 1), // again
    ] {
        let one = [entry(flush, 1, used(1, NOW.plus(after), Some("192.0.2.1")))];
        calls.store(0, Ordering::SeqCst);
        assert_eq!(usage.add(&one, LONG).await, [Ok(())]);
        assert_eq!(calls.load(Ordering::SeqCst), expected, "{flush}");
    }
    let read = usage.usage(&key(1), hours()).await.unwrap();
    assert_eq!(read[0].decisions.allowed, 4);
}

#[tokio::test]
async fn an_item_is_as_the_schema_says() {
    let house = House::open().await;
    let (usage, _) = house.usage("eu-west-1");
    let one = [entry("a-1", 1, used(2, NOW, Some("::ffff:192.0.2.1")))];
    assert_eq!(usage.add(&one, LONG).await, [Ok(())]);
    let sk = "hour#2026-11-27T05#eu-west-1";
    assert_eq!(sk, schema::decisions_sk(Hour::of(NOW), "eu-west-1"));
    let mut expected = item(
        sk,
        &[
            ("format", 1),
            ("allowed", 2),
            ("unauthenticated", 0),
            ("forbidden", 0),
            ("throttled", 0),
            ("unavailable", 0),
            ("last_used_at", NOW.unix()),
            ("expires_at", 1_795_759_200 + 400 * 86_400),
        ],
    );
    expected.insert("flush".to_owned(), text("a-1"));
    expected.insert("last_address".to_owned(), text("::ffff:192.0.2.1"));
    assert_eq!(house.item(sk).await, expected);
    let unplaced = [entry("a-2", 1, used(1, NOW, None))];
    assert_eq!(usage.add(&unplaced, LONG).await, [Ok(())]);
    assert_eq!(house.item(sk).await.get("last_address"), None);
}

#[tokio::test]
async fn regions_and_the_access_log_are_read_together() {
    let house = House::open().await;
    for (region, after) in [("eu-west-1", 5), ("us-east-1", 3)] {
        let (usage, _) = house.usage(region);
        let entries = [
            entry("a", 1, used(2, NOW.plus(after), Some("192.0.2.1"))),
            entry("a", 1, used(1, NOW.plus(after - 7200), None)),
        ];
        assert_eq!(usage.add(&entries, LONG).await, [Ok(()), Ok(())]);
        let sk = schema::requests_sk(Hour::of(NOW), region);
        let counted = [("format", 1), ("requests", 10), ("expires_at", 1)];
        house.put(item(&sk, &counted)).await;
        // An hour in which the cache answered everything.
        let sk = schema::requests_sk(Hour::of(NOW).plus(1), region);
        let more = [("requests_throttled", 2), ("requests_failed", 1)];
        house.put(item(&sk, &[&counted[..], &more].concat())).await;
    }
    let (usage, _) = house.usage("ap-south-1");
    let read = usage.usage(&key(1), hours()).await.unwrap();
    let seen: Vec<_> = read
        .iter()
        .map(|one| (one.decisions.allowed, one.requests))
        .collect();
    let requests = |total, throttled, failed| Requests {
        total,
        throttled,
        failed,
    };
    assert_eq!(seen, [(4, requests(20, 0, 0)), (0, requests(20, 4, 2))]);
    let last = usage.last_use(&key(1)).await.unwrap().unwrap();
    assert_eq!(last.at, NOW.plus(5));
}

#[tokio::test]
async fn hours_without_decisions_do_not_hide_the_latest_use() {
    let house = House::open().await;
    let (usage, calls) = house.usage("eu-west-1");
    let one = [entry("a", 1, used(2, NOW, None))];
    assert_eq!(usage.add(&one, LONG).await, [Ok(())]);
    for later in 1..40 {
        let sk = schema::requests_sk(Hour::of(NOW).plus(later), "eu-west-1");
        house
            .put(item(&sk, &[("format", 1), ("requests", 1)]))
            .await;
    }
    calls.store(0, Ordering::SeqCst);
    let last = usage.last_use(&key(1)).await.unwrap().unwrap();
    assert_eq!(last.at, NOW);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_item_that_is_not_of_ours_is_refused_and_left_as_it_is() {
    let house = House::open().await;
    let (usage, calls) = house.usage("eu-west-1");
    let one = [entry("a", 1, used(1, NOW, Some("192.0.2.1")))];
    assert_eq!(usage.add(&one, LONG).await, [Ok(())]);
    let sk = schema::decisions_sk(Hour::of(NOW), "eu-west-1");
    let good = house.item(&sk).await;
    for (name, value) in [
        ("format", Some(number(2))),
        ("format", Some(text("1"))),
        ("format", None),
    ] {
        let mut bad = good.clone();
        bad.remove(name);
        bad.extend(value.clone().map(|value| (name.to_owned(), value)));
        house.put(bad.clone()).await;
        calls.store(0, Ordering::SeqCst);
        for flush in ["a", "b"] {
            let more = [entry(flush, 1, used(1, NOW.plus(1), None))];
            let added = usage.add(&more, LONG).await;
            assert!(
                matches!(added[..], [Err(StoreError::Corrupt(_))]),
                "{name} {value:?}: {added:?}"
            );
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert_eq!(house.item(&sk).await, bad);
    }
    for (name, value) in [
        ("format", Some(number(2))),
        ("allowed", None),
        ("forbidden", Some(number(-1))),
        ("throttled", Some(text("1"))),
        ("last_used_at", Some(text("GARBAGE"))),
        ("last_address", Some(text("GARBAGE"))),
        ("last_address", Some(number(1))),
    ] {
        let mut bad = good.clone();
        bad.remove(name);
        bad.extend(value.map(|value| (name.to_owned(), value)));
        house.put(bad).await;
        let read = usage.usage(&key(1), hours()).await;
        let Err(StoreError::Corrupt(message)) = read else {
            panic!("{name}: {read:?}");
        };
        assert!(message.contains(name) && !message.contains("GARBAGE"));
        assert!(usage.last_use(&key(1)).await.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_store_of_usage_that_never_answers_is_left_in_time() {
    let silent = Silent::start().await.unwrap();
    let client = connect(doorward::dynamodb::connection(&silent.url)).await;
    let usage = DynamoUsage::new(&client, "counters", Patience::AUTHORIZER);
    let entries: Vec<_> = (0..100)
        .map(|number| entry("a", number, used(1, NOW, None)))
        .collect();
    let began = Instant::now();
    let added = usage.add(&entries, Duration::from_millis(300)).await;
    // Beyond the time itself, what a busy machine may take to notice.
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(added.len(), 100);
    for one in added {
        let Err(StoreError::Unavailable(message)) = one else {
            panic!("{one:?}");
        };
        assert!(message.contains("no answer in time"), "{message}");
    }
}

#[tokio::test]
async fn a_store_of_usage_that_fails_says_so_for_each_entry() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException","message":"not you"}"#;
    let parrot = Parrot::start(StatusCode::BAD_REQUEST, body).await.unwrap();
    let client = connect(doorward::dynamodb::connection(&parrot.url)).await;
    let usage = DynamoUsage::new(&client, "counters", Patience::AUTHORIZER);
    let entries = [1, 2, 3].map(|number| entry("a", number, used(1, NOW, None)));
    let added = usage.add(&entries, LONG).await;
    assert_eq!(added.len(), 3);
    for one in added {
        assert!(
            matches!(&one, Err(StoreError::Unavailable(text)) if text.contains("AccessDenied")),
            "{one:?}"
        );
    }
    assert_eq!(parrot.heard(), 3);
}

#[tokio::test]
async fn an_attempt_whose_answer_is_lost_is_not_counted_twice() {
    let house = House::open().await;
    let (usage, _) = house.usage("eu-west-1");
    let one = [entry("a", 1, used(1, NOW, None))];
    // Given up in the middle, again and again, until it is through.
    let mut within = Duration::ZERO;
    loop {
        let added = usage.add(&one, within).await;
        if added == [Ok(())] {
            break;
        }
        within += Duration::from_micros(100);
    }
    assert_eq!(usage.add(&one, LONG).await, [Ok(())]);
    let read = usage.usage(&key(1), hours()).await.unwrap();
    assert_eq!(read[0].decisions.allowed, 1);
}

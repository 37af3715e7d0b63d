//! The end: told of it the function loses nothing, killed it loses no more than is stated.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_backends::dynamodb::schema;
use doorward_keys::KeyStatus;
use doorward_tests::line::Mode;
use tokio::time::Instant;

use crate::sandbox::House;

/// Beyond a stated time, what a busy machine may take to start and end programs.
const SLACK: Duration = Duration::from_secs(1);
const NEVER_BY_ITSELF: &str = "[usage]\nflush_calls = 100000\nflush_seconds = 3600";
const LEASED: &str = "[limits.calls]\nalgorithm = \"fixed_window\"\nlimit = 1000\nwindow_seconds = 86400\nby = [\"key\"]\nlease = 100\n\
    [[routes]]\nroute = \"GET /leased\"\ncredentials = [\"api_key\"]\nlimits = [\"calls\"]";

/// How many calls the limit of a key has counted.
async fn spent(house: &House, id: &str) -> i64 {
    let table = house.dynamo().client().scan().table_name(house.counters());
    let items = table.send().await.unwrap().items.unwrap();
    let of_limit = items.into_iter().find(|item| {
        let AttributeValue::S(pk) = &item["pk"] else {
            panic!("{item:?}");
        };
        pk.starts_with("rate#") && pk.contains(id)
    });
    let item = of_limit.unwrap();
    assert_eq!(item["sk"], AttributeValue::S(schema::rate_sk("us-east-1")));
    item["current"].as_n().unwrap().parse().unwrap()
}

#[tokio::test]
async fn told_of_its_end_it_loses_no_count_and_returns_its_leases() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let (other, of_other) = house.key(2, KeyStatus::Active).await;
    let more = format!("{NEVER_BY_ITSELF}\n{LEASED}");
    let mut sandbox = house.sandbox(&more, &[]).await;
    for _ in 0..50 {
        let leased = crate::sandbox::event("/leased", &key, 7);
        assert!(sandbox.lambda().invoke(leased).await.unwrap().is_ok());
        sandbox.allowed(&of_other).await;
    }
    sandbox.until_idle().await;
    assert_eq!(house.counted(&id).await.total(), 0);
    assert_eq!(spent(&house, id.as_str()).await, 100);
    assert_eq!(sandbox.terminate().await, Some(0));
    // It was done within what it allows itself, which is less than the half second that Lambda leaves it.
    assert_eq!(sandbox.lines_of("end_cut_short").len(), 0);
    assert_eq!(house.counted(&id).await.allowed, 50);
    assert_eq!(house.counted(&other).await.allowed, 50);
    assert_eq!(spent(&house, id.as_str()).await, 50);
    let [flushed] = &sandbox.lines_of("usage_flushed")[..] else {
        panic!("{:?}", sandbox.lines());
    };
    assert_eq!(
        (flushed["calls"].as_u64(), flushed["UsageWrites"].as_u64()),
        (Some(100), Some(2))
    );
}

#[tokio::test]
async fn it_registers_for_its_end_before_its_first_event() {
    let house = House::open().await;
    let (_, key) = house.key(1, KeyStatus::Active).await;
    let sandbox = house.sandbox("", &[]).await;
    sandbox.allowed(&key).await;
    let registered = sandbox.lambda().registered();
    let expected = (
        "doorward-authorizer".to_owned(),
        "{\"events\":[]}".to_owned(),
    );
    assert_eq!(registered, [expected]);
    assert_eq!(sandbox.lambda().ready(), 1);
    assert_eq!(sandbox.lines_of("end_unheard").len(), 0);
}

#[tokio::test]
async fn where_no_extensions_are_known_it_serves_says_so_and_ends_well() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let mut sandbox = house.sandbox_under(NEVER_BY_ITSELF, &[], false).await;
    sandbox.allowed(&key).await;
    assert_eq!(sandbox.lines_of("end_unheard")[0]["level"], "WARN");
    assert_eq!(sandbox.terminate().await, Some(0));
    assert_eq!(house.counted(&id).await.allowed, 1);
}

#[tokio::test]
async fn killed_it_loses_at_most_the_stated_batch() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let batches = "[usage]\nflush_calls = 40\nflush_seconds = 3600";
    let mut sandbox = house.sandbox(batches, &[]).await;
    for _ in 0..239 {
        sandbox.allowed(&key).await;
    }
    sandbox.until_idle().await;
    sandbox.kill();
    assert_eq!(house.counted(&id).await.allowed, 200);
}

#[tokio::test]
async fn killed_in_exact_mode_it_loses_nothing_that_was_allowed() {
    let house = House::open().await;
    let (id, key) = house.key(1, KeyStatus::Active).await;
    let mut sandbox = house.sandbox("[usage]\nmode = \"exact\"", &[]).await;
    for _ in 0..20 {
        sandbox.allowed(&key).await;
    }
    sandbox.kill();
    assert_eq!(house.counted(&id).await.allowed, 20);
}

#[tokio::test]
async fn with_the_table_away_it_ends_in_time_and_says_what_is_lost() {
    for mode in [Mode::Cut, Mode::Dumb] {
        let house = House::open().await;
        let (_, key) = house.key(1, KeyStatus::Active).await;
        let mut sandbox = house.sandbox(NEVER_BY_ITSELF, &[]).await;
        sandbox.allowed(&key).await;
        house.line(mode);
        let began = Instant::now();
        assert_eq!(sandbox.terminate().await, Some(0));
        assert!(
            began.elapsed() < Duration::from_millis(450) + SLACK,
            "{:?}",
            began.elapsed()
        );
        let lines = sandbox.lines();
        let said = |event: &str| lines.iter().any(|line| line["event"] == event);
        assert!(
            said("usage_not_flushed") || said("end_cut_short"),
            "{lines:?}"
        );
    }
}

use std::{
    cell::Cell,
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use doorward_keys::{Block, BlockId, StoreError, Target, Timestamp};

use super::*;
use crate::identity::TokenFacts;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";

fn at(seconds: i64) -> Moment {
    Timestamp::from_unix(NOW + seconds).into()
}

fn subject() -> Subject {
    Subject {
        issuer_name: "people".into(),
        issuer: ISSUER.into(),
        subject: "ann".to_owned(),
        is_client: false,
        client_id: Some("app".to_owned()),
        tenant: None,
        scopes: crate::identity::Words::default(),
        roles: crate::identity::Words::default(),
        valid_until: Timestamp::from_unix(NOW + 3600),
        expires_at: Timestamp::from_unix(NOW + 3600),
        confirmation: None,
        context: [].into(),
        token: TokenFacts {
            id: Some("t-1".to_owned()),
            origin_id: Some("login-1".to_owned()),
            sub: Some("0042".to_owned()),
            issued_at: Some(Timestamp::from_unix(NOW)),
        },
        introspected: None,
    }
}

fn block(target: Target) -> Block {
    Block {
        id: BlockId::new(Timestamp::from_unix(NOW), 1),
        issuer: ISSUER.into(),
        target,
        issued_before: None,
        expires_at: Timestamp::from_unix(NOW + 100),
        created_at: Timestamp::from_unix(NOW),
        actor: "op".to_owned(),
        reason: None,
    }
}

fn ends(block: Block, subject: &Subject, now: i64) -> bool {
    let list = Snapshot::of(1, vec![block], Timestamp::from_unix(NOW)).unwrap();
    list.find(subject, Timestamp::from_unix(NOW + now))
        .is_some()
}

#[test]
fn a_token_is_ended_by_each_of_its_facts_and_by_no_other_text() {
    let text = |text: &str| text.to_owned();
    for (target, ended) in [
        (Target::Jti(text("t-1")), true),
        (Target::Jti(text("T-1")), false),
        (Target::Jti(text("login-1")), false),
        (Target::OriginJti(text("login-1")), true),
        (Target::OriginJti(text("t-1")), false),
        (Target::Subject(text("ann")), true),
        // `sub`, where the configuration reads the subject from another claim.
        (Target::Subject(text("0042")), true),
        (Target::Subject(text("app")), false),
        (Target::Client(text("app")), true),
        (Target::Client(text("ann")), false),
        (Target::Issuer, true),
    ] {
        assert_eq!(
            ends(block(target.clone()), &subject(), 0),
            ended,
            "{target:?}"
        );
    }
}

#[test]
fn a_token_of_another_issuer_is_left_alone() {
    let other = Subject {
        issuer: "https://issuer.example/".into(),
        ..subject()
    };
    assert!(!ends(block(Target::Issuer), &other, 0));
    assert!(!ends(block(Target::Jti("t-1".to_owned())), &other, 0));
}

#[test]
fn a_token_without_the_fact_is_left_alone_by_a_block_of_it() {
    let bare = Subject {
        client_id: None,
        token: TokenFacts::default(),
        ..subject()
    };
    for target in [
        Target::Jti(String::new()),
        Target::OriginJti(String::new()),
        Target::Client(String::new()),
    ] {
        assert!(!ends(block(target), &bare, 0));
    }
}

#[test]
fn tokens_that_were_issued_later_are_left_alone_and_those_without_a_time_are_not() {
    for (issued_at, bound, ended) in [
        (Some(NOW), Some(NOW + 1), true),
        (Some(NOW), Some(NOW), false),
        (Some(NOW + 1), Some(NOW), false),
        (None, Some(NOW), true),
        (None, None, true),
        (Some(NOW), None, true),
    ] {
        let mut subject = subject();
        subject.token.issued_at = issued_at.map(Timestamp::from_unix);
        let block = Block {
            issued_before: bound.map(Timestamp::from_unix),
            ..block(Target::Subject("ann".to_owned()))
        };
        assert_eq!(ends(block, &subject, 0), ended, "{issued_at:?} {bound:?}");
    }
}

#[test]
fn a_block_ends_at_its_time_whether_it_was_swept_or_not() {
    assert!(ends(block(Target::Issuer), &subject(), 99));
    assert!(!ends(block(Target::Issuer), &subject(), 100));
}

#[test]
fn of_several_blocks_on_one_text_one_that_holds_is_enough() {
    let target = || Target::Subject("ann".to_owned());
    let later = Block {
        issued_before: Some(Timestamp::from_unix(NOW)),
        ..block(target())
    };
    let list = vec![later, block(target())];
    let list = Snapshot::of(1, list, Timestamp::from_unix(NOW)).unwrap();
    assert!(list.find(&subject(), Timestamp::from_unix(NOW)).is_some());
}

#[test]
fn a_list_of_too_many_blocks_is_refused_and_those_that_ended_do_not_count() {
    let many = |count: usize| vec![block(Target::Issuer); count];
    let now = Timestamp::from_unix(NOW);
    assert!(Snapshot::of(1, many(snapshot::MAX_BLOCKS), now).is_ok());
    let why = Snapshot::of(1, many(snapshot::MAX_BLOCKS + 1), now).unwrap_err();
    assert!(why.contains("50000"), "{why}");
    let later = Timestamp::from_unix(NOW + 100);
    assert!(Snapshot::of(1, many(snapshot::MAX_BLOCKS + 1), later).is_ok());
}

/// A table whose answers the test decides, and which counts what it is asked.
#[derive(Default)]
struct Table {
    version: AtomicU64,
    blocks: Mutex<Vec<Block>>,
    is_down: AtomicBool,
    is_stuck: AtomicBool,
    asked: AtomicUsize,
    queried: AtomicUsize,
}

impl Table {
    fn add(&self, block: Block) {
        self.blocks.lock().unwrap().push(block);
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> (usize, usize) {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (count(&self.asked), count(&self.queried))
    }
}

#[async_trait]
impl BlockReader for Table {
    async fn version(&self) -> Result<u64, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_stuck.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("connection refused".to_owned()));
        }
        Ok(self.version.load(Ordering::Relaxed))
    }

    async fn all(&self) -> Result<Vec<Block>, StoreError> {
        self.queried.fetch_add(1, Ordering::Relaxed);
        Ok(self.blocks.lock().unwrap().clone())
    }
}

fn pause(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(time))
}

fn house(on_outage: OnBlockListOutage) -> (Arc<Table>, BlockList) {
    let table = Arc::new(Table::default());
    let config = BlockListConfig {
        refresh_seconds: 5,
        max_stale_seconds: 60,
        on_outage,
    };
    let list = BlockList::new(config, Arc::clone(&table) as _, pause);
    (table, list)
}

async fn outcome(list: &BlockList, seconds: i64) -> Option<Reason> {
    let checked = list.check(&subject(), at(seconds), None).await;
    checked.err().map(|denial| denial.reason())
}

const BLOCKED: Option<Reason> = Some(Reason::TokenBlocked);
const UNAVAILABLE: Option<Reason> = Some(Reason::BlockListUnavailable);

#[tokio::test]
async fn the_list_is_read_by_the_first_request_and_then_not_by_every_one() {
    let (table, list) = house(OnBlockListOutage::Deny);
    for seconds in [0, 1, 2, 4] {
        assert_eq!(outcome(&list, seconds).await, None);
    }
    assert_eq!(table.counts(), (1, 1));
    table.add(block(Target::Issuer));
    assert_eq!(outcome(&list, 4).await, None, "not looked at yet");
    assert_eq!(outcome(&list, 5).await, BLOCKED);
    assert_eq!(table.counts(), (2, 2));
    // One small read says that nothing has changed.
    assert_eq!(outcome(&list, 11).await, BLOCKED);
    assert_eq!(table.counts(), (3, 2));
    table.blocks.lock().unwrap().clear();
    table.version.fetch_add(1, Ordering::Relaxed);
    assert_eq!(outcome(&list, 16).await, None);
}

#[tokio::test]
async fn a_sandbox_that_is_refreshed_after_answers_has_no_request_wait() {
    let (table, list) = house(OnBlockListOutage::Deny);
    assert_eq!(list.refresh(at(0)).await, Some(Ok(())));
    for seconds in 0..60 {
        let before = table.counts();
        assert_eq!(outcome(&list, seconds).await, None);
        assert_eq!(table.counts(), before);
        list.refresh(at(seconds)).await;
    }
    // Half of the refresh time is two and a half seconds.
    assert_eq!(table.counts(), (20, 1));
}

#[tokio::test]
async fn a_frozen_sandbox_looks_before_its_first_answer() {
    let (table, list) = house(OnBlockListOutage::Deny);
    assert_eq!(outcome(&list, 0).await, None);
    table.add(block(Target::Issuer));
    assert_eq!(outcome(&list, 90).await, BLOCKED);
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_the_list_old() {
    let (table, list) = house(OnBlockListOutage::Deny);
    assert_eq!(outcome(&list, 0).await, None);
    table.add(block(Target::Issuer));
    assert_eq!(outcome(&list, -1).await, None, "side by side");
    assert_eq!(outcome(&list, -2).await, BLOCKED);
}

#[tokio::test]
async fn an_outage_is_bridged_for_a_while_and_then_refuses_everybody() {
    let (table, list) = house(OnBlockListOutage::Deny);
    table.add(block(Target::Jti("another".to_owned())));
    assert_eq!(outcome(&list, 0).await, None);
    table.is_down.store(true, Ordering::Relaxed);
    for seconds in [5, 30, 60] {
        assert_eq!(outcome(&list, seconds).await, None, "{seconds}");
    }
    assert_eq!(outcome(&list, 61).await, UNAVAILABLE);
    let denial = list.check(&subject(), at(62), None).await.unwrap_err();
    assert!(denial.detail().contains("connection refused"));
    table.is_down.store(false, Ordering::Relaxed);
    assert_eq!(outcome(&list, 67).await, None);
}

#[tokio::test]
async fn a_store_that_fails_is_left_alone_for_the_refresh_time() {
    let (table, list) = house(OnBlockListOutage::Deny);
    assert_eq!(outcome(&list, 0).await, None);
    table.is_down.store(true, Ordering::Relaxed);
    for seconds in 5..10 {
        assert_eq!(outcome(&list, seconds).await, None);
        assert_eq!(list.refresh(at(seconds)).await, None);
    }
    assert_eq!(table.counts().0, 2);
    assert!(matches!(list.refresh(at(10)).await, Some(Err(_))));
}

#[tokio::test]
async fn without_any_list_nobody_passes_and_the_next_request_asks_again() {
    let (table, list) = house(OnBlockListOutage::Deny);
    table.is_down.store(true, Ordering::Relaxed);
    assert!(matches!(list.refresh(at(0)).await, Some(Err(_))));
    assert_eq!(outcome(&list, 0).await, UNAVAILABLE);
    table.is_down.store(false, Ordering::Relaxed);
    assert_eq!(outcome(&list, 0).await, None);
}

#[tokio::test]
async fn where_the_configuration_says_so_only_what_is_known_to_be_dead_is_refused() {
    let (table, list) = house(OnBlockListOutage::Allow);
    table.is_down.store(true, Ordering::Relaxed);
    assert_eq!(outcome(&list, 0).await, None, "nothing is known");
    table.is_down.store(false, Ordering::Relaxed);
    table.add(Block {
        expires_at: Timestamp::from_unix(NOW + 9000),
        ..block(Target::Subject("ann".to_owned()))
    });
    assert_eq!(outcome(&list, 1).await, BLOCKED);
    table.is_down.store(true, Ordering::Relaxed);
    assert_eq!(outcome(&list, 8000).await, BLOCKED, "however old");
}

thread_local! {
    static PATIENCE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Is over at once, and notes how long it should have been.
fn noted(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    PATIENCE.set(time);
    Box::pin(std::future::ready(()))
}

#[tokio::test]
async fn a_store_that_does_not_answer_costs_a_request_no_more_than_its_budget() {
    let (table, mut list) = house(OnBlockListOutage::Deny);
    list.pause = noted;
    assert_eq!(outcome(&list, 0).await, None);
    table.is_stuck.store(true, Ordering::Relaxed);
    assert_eq!(outcome(&list, 5).await, None);
    assert_eq!(PATIENCE.get(), BUDGET);
    let left = Duration::from_millis(20);
    let checked = list.check(&subject(), at(70), Some(left)).await;
    assert_eq!(checked.unwrap_err().reason(), Reason::BlockListUnavailable);
    assert_eq!(PATIENCE.get(), left);
}

#[tokio::test]
async fn many_requests_at_once_ask_once() {
    let (table, list) = house(OnBlockListOutage::Deny);
    let list = Arc::new(list);
    let requests = (0..20).map(|_| {
        let list = Arc::clone(&list);
        tokio::spawn(async move { outcome(&list, 0).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), None);
    }
    assert_eq!(table.counts(), (1, 1));
}

#[tokio::test]
async fn who_may_not_ask_the_store_is_told_from_a_list_that_is_fresh_only() {
    let (table, list) = house(OnBlockListOutage::Allow);
    let recalled = |seconds| list.recall(&subject(), at(seconds)).map_err(|d| d.reason());
    assert_eq!(recalled(0), Err(Reason::BlockListUnavailable));
    assert_eq!(outcome(&list, 0).await, None);
    assert_eq!(recalled(4), Ok(()));
    assert_eq!(recalled(5), Err(Reason::BlockListUnavailable));
    table.add(block(Target::Issuer));
    assert_eq!(outcome(&list, 5).await, BLOCKED);
    assert_eq!(recalled(6), Err(Reason::TokenBlocked));
}

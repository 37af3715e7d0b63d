//! Jobs on keys in memory, with the time in the hand of the test.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_backends::memory::MemoryKeys;
use doorward_keys::{
    BusError, Event, KeyId, KeyLedger, Pepper, RotationBook, RotationState, Secret,
    format::KeyFormat,
};
use serde_json::{Value, json};

use super::*;
use crate::{Caller, Command, FlushPolicy, KeyPolicy, Reply};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const DAY: i64 = 86_400;

/// A bus that takes what `takes` says and keeps it.
struct Bus {
    heard: Mutex<Vec<Event>>,
    takes: fn(&Event) -> Result<(), BusError>,
}

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>> {
        let outcomes = events.iter().map(|event| {
            (self.takes)(event).map(|()| self.heard.lock().unwrap().push(event.clone()))
        });
        outcomes.collect()
    }
}

/// Secrets that can be made to fail, before or after they did what they were asked.
#[derive(Default)]
struct Vault {
    versions: Mutex<BTreeMap<String, String>>,
    current: Mutex<Option<String>>,
    calls: AtomicUsize,
    fails_at: Mutex<Option<(usize, bool)>>,
}

impl Vault {
    fn step(&self, act: impl FnOnce()) -> Result<(), String> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let fails = *self.fails_at.lock().unwrap();
        let failure = fails.filter(|(at, _)| *at == call);
        if failure.is_none_or(|(_, after)| after) {
            act();
        }
        failure.map_or(Ok(()), |_| Err("crashed".to_owned()))
    }
}

#[async_trait]
impl SuccessorSecrets for Vault {
    async fn put_pending(
        &self,
        name: &str,
        version: &str,
        printed: &Secret<String>,
    ) -> Result<(), String> {
        if name == "missing" {
            return Err("there is no such secret".to_owned());
        }
        assert!((32..=64).contains(&version.len()));
        let version = version.to_owned();
        let printed = printed.expose().clone();
        self.step(|| {
            self.versions.lock().unwrap().insert(version, printed);
        })
    }

    async fn make_current(&self, _: &str, version: &str) -> Result<(), String> {
        self.step(|| *self.current.lock().unwrap() = Some(version.to_owned()))
    }
}

struct Stages(Mutex<Vec<String>>, bool);

#[async_trait]
impl StageCache for Stages {
    async fn flush(&self, stage: &str) -> Result<(), String> {
        self.0.lock().unwrap().push(stage.to_owned());
        if self.1 { Ok(()) } else { Err("no".to_owned()) }
    }
}

struct House {
    admin: KeyAdmin,
    store: Arc<MemoryKeys>,
    bus: Arc<Bus>,
    jobs: Jobs,
}

fn house(takes: fn(&Event) -> Result<(), BusError>) -> House {
    let store = Arc::new(MemoryKeys::new());
    let policy = KeyPolicy {
        format: KeyFormat {
            prefix: "ck".to_owned(),
            environments: vec!["live".to_owned()],
            pepper: Pepper::new(vec![7; 32]),
            previous_pepper: None,
        },
        default_lifetime_days: 90,
        max_lifetime_days: 365,
        retention_days: 30,
        cache_seconds: 60,
        gateway_ttl_seconds: 300,
    };
    let flush = FlushPolicy {
        stages: vec!["rest:a/v1".to_owned(), "http:b/v1".to_owned()],
        settle_seconds: 20,
        every_seconds: 60,
        late_seconds: 60,
    };
    let notices = crate::admin::Notices {
        before_expiry: vec![30, 7, 1],
        unused_after: Some(20),
    };
    let admin = KeyAdmin::new(policy, store.clone())
        .with_flush(store.clone(), flush)
        .with_rotations(store.clone())
        .with_usage(Arc::new(doorward_backends::memory::MemoryUsage::new()))
        .with_notices(notices);
    let bus = Arc::new(Bus {
        heard: Mutex::default(),
        takes,
    });
    let time: (fn() -> Duration, Duration) = (|| Duration::ZERO, Duration::from_secs(10));
    let jobs = Jobs::new(admin.clone(), store.clone(), bus.clone(), time, |_| {});
    House {
        admin,
        store,
        bus,
        jobs,
    }
}

impl House {
    async fn ask(&self, command: Value, now: Timestamp) -> Reply {
        let command: Command = serde_json::from_value(command).unwrap();
        let caller = Caller::operator("op");
        let reply = self.admin.run(command, &caller, now, &SystemEntropy);
        reply.await.unwrap()
    }

    async fn create(&self, days: u32) -> String {
        let command = json!({"operation": "create", "tenant": "acme", "name": "ci",
            "environment": "live", "expiresInDays": days});
        match self.ask(command, NOW).await {
            Reply::Created { key, .. } => key.id,
            other => panic!("{other:?}"),
        }
    }

    fn heard(&self, kind: EventKind) -> usize {
        let heard = self.bus.heard.lock().unwrap();
        let of_kind = |event: &&Event| event.kind() == kind.as_str();
        heard.iter().filter(of_kind).count()
    }

    async fn record(&self, id: &str) -> KeyRecord {
        let id = KeyId::parse(id).unwrap();
        self.store.fetch(&id).await.unwrap().unwrap()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a bus may refuse, this one does not"
)]
const fn all(_: &Event) -> Result<(), BusError> {
    Ok(())
}

#[tokio::test]
async fn every_change_is_delivered_once_and_then_forgotten() {
    let house = house(all);
    let id = house.create(90).await;
    house
        .ask(json!({"operation": "revoke", "id": id}), NOW)
        .await;
    let report = house.jobs.run(Job::Minute, NOW).await;
    assert_eq!((report.delivered, report.stuck), (2, 0));
    assert!(report.complete);
    assert_eq!(house.jobs.run(Job::Minute, NOW).await.delivered, 0);
    assert_eq!(house.heard(EventKind::KeyRevoked), 1);
}

#[tokio::test]
async fn an_event_that_is_refused_waits_and_stands_in_nobodys_way() {
    let house = house(|event| match event.kind() {
        "KeyCreated" => Err(BusError::Refused("no".to_owned())),
        _ => Ok(()),
    });
    for _ in 0..25 {
        house.create(90).await;
    }
    let id = house.create(90).await;
    house
        .ask(json!({"operation": "revoke", "id": id}), NOW)
        .await;
    let report = house.jobs.run(Job::Minute, NOW).await;
    assert_eq!((report.delivered, report.stuck), (1, 26));
}

#[tokio::test]
async fn nothing_is_forgotten_where_the_bus_is_away() {
    let house = house(|_| Err(BusError::Unavailable("away".to_owned())));
    house.create(90).await;
    for _ in 0..2 {
        let report = house.jobs.run(Job::Minute, NOW).await;
        assert_eq!(report.delivered, 0);
        assert!(!report.complete);
    }
}

#[tokio::test]
async fn a_flush_comes_when_a_change_has_settled_and_is_promised() {
    let mut house = house(all);
    let stages = Arc::new(Stages(Mutex::default(), true));
    house.jobs = house.jobs.with_stages(Some(stages.clone()));
    let id = house.create(90).await;
    let other = house.create(90).await;
    let revoked = |id: &str| json!({"operation": "revoke", "id": id});
    let Reply::Changed {
        flush,
        effective_by,
        ..
    } = house.ask(revoked(&id), NOW).await
    else {
        panic!();
    };
    assert_eq!(
        (&*flush, effective_by),
        ("scheduled", NOW.plus(60 + 20 + 120).unix())
    );
    house.ask(revoked(&other), NOW.plus(30)).await;
    for (after, flushes) in [(60, 0), (79, 0), (80, 2), (100, 2), (140, 4), (200, 4)] {
        house.jobs.run(Job::Minute, NOW.plus(after)).await;
        assert_eq!(stages.0.lock().unwrap().len(), flushes, "{after}");
    }
}

#[tokio::test]
async fn a_flush_that_failed_is_tried_again() {
    let mut house = house(all);
    let failing = Arc::new(Stages(Mutex::default(), false));
    house.jobs = house.jobs.with_stages(Some(failing.clone()));
    let id = house.create(90).await;
    house
        .ask(json!({"operation": "disable", "id": id}), NOW)
        .await;
    for run in 1..=3 {
        assert_eq!(house.jobs.run(Job::Minute, NOW.plus(500)).await.flushed, 0);
        assert_eq!(failing.0.lock().unwrap().len(), run * 2);
    }
    let enabled = house
        .ask(json!({"operation": "enable", "id": id}), NOW)
        .await;
    assert!(matches!(enabled, Reply::Changed { flush, .. } if flush == "none"));
}

#[tokio::test]
async fn keys_that_expire_soon_or_have_expired_are_told_of_once_each() {
    let house = house(all);
    house.create(31).await;
    let rotated = house.create(31).await;
    house
        .ask(
            json!({"operation": "rotate", "id": rotated, "overlapSeconds": 2_592_000}),
            NOW,
        )
        .await;
    for day in 0..=34 {
        for _ in 0..2 {
            house.jobs.run(Job::Day, NOW.plus(day * DAY)).await;
            house.jobs.run(Job::Minute, NOW.plus(day * DAY + 600)).await;
        }
    }
    assert_eq!(house.heard(EventKind::KeyExpiringSoon), 3);
    assert_eq!(house.heard(EventKind::KeyExpired), 2);
}

#[tokio::test]
async fn a_missed_day_is_made_up_for() {
    let house = house(all);
    house.create(10).await;
    house.jobs.run(Job::Day, NOW).await;
    house.jobs.run(Job::Day, NOW.plus(5 * DAY)).await;
    assert_eq!(house.heard(EventKind::KeyExpiringSoon), 1);
}

#[tokio::test]
async fn a_key_without_a_use_is_told_of_once_in_a_period() {
    let house = house(all);
    house.create(90).await;
    for day in 0..=45 {
        house.jobs.run(Job::Day, NOW.plus(day * DAY)).await;
    }
    assert_eq!(house.heard(EventKind::KeyUnused), 2);
}

fn schedule(id: &str, mut command: Value) -> Value {
    command["operation"] = json!("schedule");
    command["id"] = json!(id);
    if command.get("inDays").is_none() {
        command["inDays"] = json!(10);
    }
    command
}

#[tokio::test]
async fn a_due_rotation_without_a_secret_is_told_of_once_and_left_to_people() {
    let house = house(all);
    let id = house.create(90).await;
    house
        .ask(schedule(&id, json!({"everyDays": 30})), NOW)
        .await;
    assert!(house.record(&id).await.rotates_at.is_some());
    house.jobs.run(Job::Minute, NOW.plus(10 * DAY - 1)).await;
    assert_eq!(house.heard(EventKind::KeyRotationDue), 0);
    for _ in 0..3 {
        house.jobs.run(Job::Minute, NOW.plus(10 * DAY)).await;
    }
    assert_eq!(house.heard(EventKind::KeyRotationDue), 1);
    assert_eq!(house.heard(EventKind::KeyRotated), 0);
    // Whoever rotates it then hands the turn on.
    let at = NOW.plus(11 * DAY);
    let reply = house
        .ask(json!({"operation": "rotate", "id": id}), at)
        .await;
    let Reply::Rotated { key, .. } = reply else {
        panic!();
    };
    assert_eq!(key.rotates_at, Some(at.plus(30 * DAY).unix()));
}

#[tokio::test]
async fn what_was_taken_back_is_not_rotated() {
    let house = house(all);
    let id = house.create(90).await;
    house.ask(schedule(&id, json!({})), NOW).await;
    let back = json!({"operation": "unschedule", "id": id});
    assert!(matches!(
        house.ask(back.clone(), NOW).await,
        Reply::Scheduled { changed: true, .. }
    ));
    assert!(matches!(
        house.ask(back, NOW).await,
        Reply::Scheduled { changed: false, .. }
    ));
    house.jobs.run(Job::Minute, NOW.plus(10 * DAY)).await;
    assert_eq!(house.heard(EventKind::KeyRotationDue), 0);
}

#[tokio::test]
async fn a_scheduled_rotation_survives_a_crash_at_every_step() {
    // Without a crash, before and after the secret is put, and before and after it becomes current.
    for crash in [
        None,
        Some((0, false)),
        Some((0, true)),
        Some((1, false)),
        Some((1, true)),
    ] {
        let mut house = house(all);
        let vault = Arc::new(Vault::default());
        house.jobs = house.jobs.with_secrets(Some(vault.clone()));
        let id = house.create(90).await;
        let asked = json!({"everyDays": 30, "secret": "secretsmanager:partner"});
        house.ask(schedule(&id, asked), NOW).await;
        *vault.fails_at.lock().unwrap() = crash;
        for minute in 0..4 {
            house
                .jobs
                .run(Job::Minute, NOW.plus(10 * DAY + minute * 60))
                .await;
        }
        assert_eq!(house.heard(EventKind::KeyRotated), 1, "{crash:?}");
        let old = house.record(&id).await;
        let successor = old.rotated_to.clone().unwrap();
        // What is current opens the successor, and nothing is left to do.
        let current = vault.current.lock().unwrap().clone().unwrap();
        let printed = vault.versions.lock().unwrap()[&current].clone();
        let digest = house.admin.policy().format.parse(&printed).unwrap();
        let new = house.record(successor.as_str()).await;
        assert_eq!(new.digest, digest, "{crash:?}");
        assert_eq!(house.store.scheduled(&old.id).await.unwrap(), None);
        let next = house.store.scheduled(&successor).await.unwrap().unwrap();
        assert_eq!(next.state, RotationState::Waiting);
        assert_eq!(new.rotates_at, Some(next.at));
    }
}

#[tokio::test]
async fn rotations_that_fail_stand_in_no_other_ones_way() {
    let mut house = house(all);
    house.jobs = house.jobs.with_secrets(Some(Arc::new(Vault::default())));
    for _ in 0..120 {
        let id = house.create(90).await;
        let fails = json!({"secret": "secretsmanager:missing"});
        house.ask(schedule(&id, fails), NOW).await;
    }
    let id = house.create(90).await;
    let last = json!({"secret": "secretsmanager:partner"});
    house.ask(schedule(&id, last), NOW.plus(60)).await;
    let report = house.jobs.run(Job::Minute, NOW.plus(10 * DAY + 60)).await;
    assert_eq!(report.rotated, 1);
    assert!(house.record(&id).await.rotated_to.is_some());
}

#[tokio::test]
async fn what_cannot_be_rotated_is_told_of_or_dropped() {
    for (operation, told) in [("disable", 1), ("revoke", 0)] {
        let mut house = house(all);
        let vault = Arc::new(Vault::default());
        house.jobs = house.jobs.with_secrets(Some(vault.clone()));
        let id = house.create(90).await;
        house
            .ask(
                schedule(&id, json!({"secret": "secretsmanager:partner"})),
                NOW,
            )
            .await;
        house
            .ask(json!({"operation": operation, "id": id}), NOW)
            .await;
        for _ in 0..2 {
            house.jobs.run(Job::Minute, NOW.plus(10 * DAY)).await;
        }
        assert_eq!(house.heard(EventKind::KeyRotationDue), told, "{operation}");
        assert_eq!(vault.versions.lock().unwrap().len(), 0);
    }
}

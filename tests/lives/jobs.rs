//! The runs of jobs, and what they hand keys and events to: a secret whose store may fail, and a bus that may.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use doorward_key_admin::{Caller, Command, Job, SystemEntropy};
use doorward_keys::{BusError, Event, EventBus, KeyEvent, Secret, SuccessorSecrets};
use serde_json::json;

use crate::{chance::mixed, world::World};

/// The name of the secret into which successors go.
pub(crate) const SECRET: &str = "secretsmanager:partner";

/// Runs the minute's job over and over, so long as others act.
pub(crate) async fn run(world: &World, times: u64) {
    for _ in 0..times {
        world.jobs.run(Job::Minute, world.now()).await;
        tokio::task::yield_now().await;
    }
}

/// Schedules a rotation of whatever still takes one, and runs the job until it has come, and what failed was tried again.
pub(crate) async fn settle(world: &World) {
    let ids = world.heard.lock().unwrap().ids.clone();
    let caller = Caller::operator("op");
    for id in ids {
        let at = world.now().plus(30).unix();
        let command = json!({"operation": "schedule", "id": id, "at": at, "overlapSeconds": 60, "secret": SECRET});
        let command: Command = serde_json::from_value(command).unwrap();
        // Most are rotated, ended or gone.
        let _ = world
            .admin
            .run(command, &caller, world.now(), &SystemEntropy)
            .await;
    }
    for _ in 0..12 {
        world.jobs.run(Job::Minute, world.now().plus(60)).await;
    }
}

/// Fails now and then, before or after it did what it was asked.
struct Whims {
    seed: u64,
    asked: AtomicU64,
    in_thousand: u64,
}

impl Whims {
    fn act(&self, act: impl FnOnce()) -> Result<(), String> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let place = mixed(self.seed << 24 | number) % 1000;
        if place >= self.in_thousand {
            act();
            return Ok(());
        }
        if place.is_multiple_of(2) {
            act();
        }
        Err("no answer".to_owned())
    }
}

/// A store of secrets.
pub(crate) struct Vault {
    whims: Whims,
    /// The printed keys, by the names of their versions.
    pub(crate) versions: Mutex<BTreeMap<String, String>>,
    /// The names of the versions that were made current.
    pub(crate) current: Mutex<Vec<String>>,
}

impl Vault {
    pub(crate) fn new(seed: u64, in_thousand: u64) -> Self {
        Self {
            whims: Whims {
                seed,
                asked: AtomicU64::new(0),
                in_thousand,
            },
            versions: Mutex::default(),
            current: Mutex::default(),
        }
    }
}

#[async_trait]
impl SuccessorSecrets for Vault {
    async fn put_pending(
        &self,
        _: &str,
        version: &str,
        printed: &Secret<String>,
    ) -> Result<(), String> {
        self.whims.act(|| {
            let put = (version.to_owned(), printed.expose().clone());
            self.versions.lock().unwrap().extend([put]);
        })
    }

    async fn make_current(&self, _: &str, version: &str) -> Result<(), String> {
        assert!(self.versions.lock().unwrap().contains_key(version));
        self.whims
            .act(|| self.current.lock().unwrap().push(version.to_owned()))
    }
}

/// A bus.
pub(crate) struct Bus {
    whims: Whims,
    pub(crate) heard: Mutex<Vec<KeyEvent>>,
}

impl Bus {
    pub(crate) fn new(seed: u64, in_thousand: u64) -> Self {
        Self {
            whims: Whims {
                seed: seed + 1,
                asked: AtomicU64::new(0),
                in_thousand,
            },
            heard: Mutex::default(),
        }
    }
}

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>> {
        let publish = |event: &Event| {
            let Event::Key(event) = event else {
                panic!("{event:?}");
            };
            let heard = || self.heard.lock().unwrap().push(event.clone());
            self.whims.act(heard).map_err(BusError::Unavailable)
        };
        events.iter().map(publish).collect()
    }
}

//! A table, a way to it on which calls get lost, and what the actors were answered.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoKeys, Patience, TableNames, connect};
use doorward_key_admin::{KeyAdmin, KeyPolicy};
use doorward_keys::{Timestamp, format::KeyFormat};
use doorward_tests::between::{Between, Call, Fate};

use crate::chance::mixed;

pub(crate) const TENANT: &str = "acme";

/// Shared by all actors.
#[derive(Clone)]
pub(crate) struct World(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) admin: KeyAdmin,
    /// The table itself, past the place where calls get lost.
    pub(crate) table: DynamoKeys,
    pub(crate) heard: Mutex<Heard>,
    clock: AtomicI64,
    _dynamo: EmbeddedDynamo,
    _between: Between,
    pub(crate) seed: u64,
}

/// What was answered.
#[derive(Default)]
pub(crate) struct Heard {
    /// Ids of keys that somebody knows.
    pub(crate) ids: Vec<String>,
    /// Ids and secrets that were shown.
    pub(crate) secrets: Vec<(String, String)>,
    /// Keys whose end was confirmed.
    pub(crate) revoked: BTreeSet<String>,
    /// Keys whose removal was confirmed.
    pub(crate) deleted: BTreeSet<String>,
    /// Confirmed changes: key and the version that it led to.
    pub(crate) changes: Vec<(String, u64)>,
    /// How often no answer came.
    pub(crate) silences: usize,
}

impl std::ops::Deref for World {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl World {
    pub(crate) async fn new(seed: u64, lost: u64, unanswered: u64) -> Self {
        let tables = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &tables)
            .await
            .unwrap();
        let calls = AtomicU64::new(0);
        let judge = move |_: &Call| {
            let number = calls.fetch_add(1, Ordering::Relaxed);
            match mixed(seed << 32 | number) % 1000 {
                place if place < lost => Fate::Lost,
                place if place < lost + unanswered => Fate::Unanswered,
                _ => Fate::Passed,
            }
        };
        let between = Between::start(&dynamo.endpoint_url(), judge).await.unwrap();
        let mut connection = doorward::dynamodb::connection(&between.url);
        connection.patience = Patience {
            attempts: 1,
            ..Patience::ADMIN
        };
        let keys = DynamoKeys::new(connect(connection).await, &tables.keys);
        let policy = KeyPolicy {
            format: KeyFormat {
                prefix: "ck".to_owned(),
                environments: vec!["live".to_owned()],
                pepper: None,
                previous_pepper: None,
            },
            default_lifetime_days: 90,
            max_lifetime_days: 365,
            retention_days: 0,
            cache_seconds: 60,
            gateway_ttl_seconds: 60,
        };
        Self(Arc::new(Shared {
            admin: KeyAdmin::new(policy, Arc::new(keys)),
            table: DynamoKeys::new(dynamo.client().clone(), &tables.keys),
            heard: Mutex::default(),
            clock: AtomicI64::new(1_800_000_000),
            _dynamo: dynamo,
            _between: between,
            seed,
        }))
    }

    /// The time, which goes on by a second for every other look.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.fetch_add(1, Ordering::Relaxed) / 2)
    }
}

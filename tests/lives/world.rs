//! A table, a way to it on which calls get lost, and what the actors were answered.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::{DynamoKeys, DynamoRehashes, Patience, TableNames, connect};
use doorward_engine::{
    config::{Config, ConfigEnv},
    layers::api_key::ApiKeysConfig,
};
use doorward_key_admin::{Jobs, KeyAdmin};
use doorward_keys::{Pepper, Secret, Timestamp, foreign::ForeignForms, format::KeyFormat};
use doorward_tests::between::{Between, Call, Fate};

use crate::{
    chance::mixed,
    jobs::{Bus, Vault},
};

const CONFIG: &str = "
[api_keys]
prefix = 'ck'
environments = ['live']
pepper = 'env:PEPPER'
retention_days = 0

[[api_keys.imported]]
name = 'old'
min_length = 32
alphabet = 'alphanumeric'
hash = 'sha256'

[[routes]]
route = 'GET /'
credentials = ['api_key']
";

pub(crate) const TENANT: &str = "acme";

/// Shared by all actors.
#[derive(Clone)]
pub(crate) struct World(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) admin: KeyAdmin,
    pub(crate) jobs: Jobs,
    pub(crate) rehashes: DynamoRehashes,
    pub(crate) vault: Arc<Vault>,
    pub(crate) bus: Arc<Bus>,
    config: ApiKeysConfig,
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
        let client = connect(connection).await;
        let keys = Arc::new(DynamoKeys::new(client.clone(), &tables.keys));
        let patience = Patience {
            attempts: 1,
            ..Patience::ADMIN
        };
        let rehashes = DynamoRehashes::new(&client, &tables.counters, patience);
        let config = config();
        let admin = KeyAdmin::from_config(&config, keys.clone())
            .with_rotations(keys.clone())
            .with_gateway_ttl(60);
        let whims = lost + unanswered;
        let vault = Arc::new(Vault::new(seed, whims));
        let bus = Arc::new(Bus::new(seed, whims));
        let time: (fn() -> Duration, Duration) = (|| Duration::ZERO, Duration::from_secs(10));
        let jobs = Jobs::new(admin.clone(), keys, bus.clone(), time, |_| {})
            .with_secrets(Some(vault.clone()))
            .with_rehashes(Some(Arc::new(rehashes.clone())));
        Self(Arc::new(Shared {
            admin,
            jobs,
            rehashes,
            vault,
            bus,
            config,
            table: DynamoKeys::new(dynamo.client().clone(), &tables.keys),
            heard: Mutex::default(),
            clock: AtomicI64::new(1_800_000_000),
            _dynamo: dynamo,
            _between: between,
            seed,
        }))
    }

    pub(crate) fn format(&self) -> KeyFormat {
        self.config.format.clone()
    }

    pub(crate) fn forms(&self) -> &ForeignForms {
        &self.config.imported
    }

    pub(crate) fn pepper(&self) -> Option<&Pepper> {
        self.config.format.pepper.as_ref()
    }

    /// The time, which goes on by a second for every other look.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.fetch_add(1, Ordering::Relaxed) / 2)
    }
}

fn config() -> ApiKeysConfig {
    let env = ConfigEnv {
        read_file: &|_| Err(String::new()),
        secret: &|_| Ok(Secret::new("0123456789abcdef0123456789abcdef".to_owned())),
    };
    let checked = Config::read(CONFIG, "doorward.toml", &env);
    let config = checked.map_err(|faults| faults.to_string()).unwrap().config;
    config.api_keys.unwrap()
}

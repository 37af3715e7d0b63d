//! Builds the function from its environment: the configuration, the table, key administration on both.
//!
//! A remote configuration is read again when it is due, before a command is done: a pepper that was changed must not be used
//! for one more key than needed. A bad new version is refused and the old one stays; a bad first one ends the process.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use doorward_backends::{
    dynamodb::{
        Connection, DynamoBlocks, DynamoKeys, DynamoRehashes, DynamoUsage, Patience, connect,
    },
    http::HttpKeySets,
    sources::{
        AwsAccess, ConfigSource, Loader, Reload, Reloading, Schedule, Secrets, SourceError, Version,
    },
};
use doorward_engine::config::{Config, ConfigEnv, ConfigFaults};
use doorward_keys::{BlockLedger, EventBus, KeyLedger, RequestSink, StageCache, SuccessorSecrets};

use crate::{
    admin::{FlushPolicy, KeyAdmin},
    blocks::{BlockAdmin, BlockPolicy},
    jobs::{Jobs, LogBus},
    leaks::PublicKeys,
    log,
    settings::{Settings, SettingsError},
};

/// The longest time that a command waits for a configuration that is read again.
const RELOAD_BUDGET: Duration = Duration::from_secs(5);

/// Why the function cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The environment is not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The configuration cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The configuration has faults.
    #[error("{0}")]
    Config(ConfigFaults),
    /// Events cannot be delivered.
    #[error("an event bus is named, but no region and no credentials of AWS are set here")]
    NoAccess,
    /// The configuration accepts no API keys, so there are none to administer.
    #[error("the configuration has no `api_keys`; key administration needs them")]
    NoKeys,
}

/// Key administration, and what keeps it as the configuration says.
pub struct Service {
    loader: Loader,
    environment: BTreeMap<String, String>,
    stores: Stores,
    gateway_ttl_seconds: u32,
    bus: Arc<dyn EventBus>,
    apis: Arc<[String]>,
    first: KeyAdmin,
    reloading: Reloading<KeyAdmin>,
    public_keys: Arc<PublicKeys>,
    log: fn(&str),
}

/// The tables.
struct Stores {
    keys: Arc<DynamoKeys>,
    blocks: Arc<dyn BlockLedger>,
    usage: Option<Arc<DynamoUsage>>,
    rehashes: Option<Arc<DynamoRehashes>>,
    flush: Option<FlushPolicy>,
}

/// How the template runs jobs: the longest command ends within 15 seconds, the minute's job runs once a minute and not on the
/// second, and a run and API Gateway take their time.
const SETTLE_SECONDS: u32 = 20;
const EVERY_SECONDS: u32 = 60;
const LATE_SECONDS: u32 = 60;

/// How long one run of a job works, of the 15 seconds that the template gives the function.
const JOB_BUDGET: Duration = Duration::from_secs(10);

impl Service {
    /// Builds everything as `environment` says, at `now` on a monotonic clock. `clock` stamps signatures, and `log` takes one
    /// line for each new version of the configuration.
    pub async fn start(
        environment: BTreeMap<String, String>,
        now: Duration,
        clock: fn() -> SystemTime,
        log: fn(&str),
    ) -> Result<Self, WiringError> {
        let settings = Settings::read(&environment)?;
        let source = ConfigSource::parse(&settings.config)?;
        let schedule = Schedule {
            every: settings.refresh.filter(|_| source.is_remote()),
            retry: None,
        };
        let variable = |name: &str| environment.get(name).cloned();
        let access = AwsAccess::from_environment(variable, clock);
        let loader = Loader::new(source, settings.root, access);
        let (text, secrets) = read(&loader, &environment).await?;
        let connection = Connection::from_environment(variable, Patience::ADMIN);
        let client = connect(connection).await;
        let counters = settings.counters_table.as_ref();
        let rehashes =
            counters.map(|table| Arc::new(DynamoRehashes::new(&client, table, Patience::ADMIN)));
        let usage =
            counters.map(|table| Arc::new(DynamoUsage::new(&client, table, Patience::ADMIN)));
        let stages = settings.flush_stages;
        let stores = Stores {
            blocks: Arc::new(DynamoBlocks::new(client.clone(), &settings.keys_table)),
            keys: Arc::new(DynamoKeys::new(client, settings.keys_table)),
            usage,
            rehashes,
            flush: (!stages.is_empty()).then_some(FlushPolicy {
                stages,
                settle_seconds: SETTLE_SECONDS,
                every_seconds: EVERY_SECONDS,
                late_seconds: LATE_SECONDS,
            }),
        };
        let bus = bus(settings.event_bus, &loader, log)?;
        let gateway_ttl_seconds = settings.gateway_ttl_seconds;
        let first = build(&text, &secrets, &loader, &stores)?.with_gateway_ttl(gateway_ttl_seconds);
        let version = Version::of(&text, &secrets);
        Ok(Self {
            loader,
            environment,
            stores,
            gateway_ttl_seconds,
            bus,
            apis: settings.admin_apis.into(),
            reloading: Reloading::new(schedule, Ok((version, first.clone())), now),
            first,
            public_keys: Arc::new(PublicKeys::new(Arc::new(HttpKeySets::new()))),
            log,
        })
    }

    /// What verifies reports of leaked keys.
    pub fn public_keys(&self) -> Arc<PublicKeys> {
        Arc::clone(&self.public_keys)
    }

    /// What happens by itself under `admin`. A run is timed by `stopwatch`, a monotonic clock.
    pub fn jobs(&self, admin: KeyAdmin, stopwatch: fn() -> Duration) -> Jobs {
        let stages = self.loader.stages();
        let stages = stages.map(|stages| Arc::new(stages) as Arc<dyn StageCache>);
        let secrets = self.loader.secret_versions();
        let secrets = secrets.map(|secrets| Arc::new(secrets) as Arc<dyn SuccessorSecrets>);
        let keys = Arc::clone(&self.stores.keys);
        let time = (stopwatch, JOB_BUDGET);
        Jobs::new(admin, keys, Arc::clone(&self.bus), time, self.log)
            .with_stages(stages)
            .with_secrets(secrets)
            .with_rehashes(self.stores.rehashes.clone().map(|book| book as _))
    }

    /// Where the requests of log batches are counted; `None` where no table of counters is named.
    pub fn requests(&self) -> Option<Arc<dyn RequestSink>> {
        let usage = self.stores.usage.as_ref()?;
        Some(Arc::clone(usage) as _)
    }

    /// The APIs whose events are answered; none stands for every API.
    pub fn apis(&self) -> Arc<[String]> {
        Arc::clone(&self.apis)
    }

    /// Key administration as the configuration says at `now` on a monotonic clock.
    pub async fn admin(&self, now: Duration) -> KeyAdmin {
        if let Some(turn) = self.reloading.due(now) {
            let read = read(&self.loader, &self.environment);
            let outcome = match tokio::time::timeout(RELOAD_BUDGET, read).await {
                Err(_) => turn.finish(Err("no answer in time".to_owned()), no_value),
                Ok(Err(error)) => turn.finish(Err(error.to_string()), no_value),
                Ok(Ok((text, secrets))) => turn.finish(Ok(Version::of(&text, &secrets)), || {
                    build(&text, &secrets, &self.loader, &self.stores)
                        .map(|admin| admin.with_gateway_ttl(self.gateway_ttl_seconds))
                        .map_err(|error| error.to_string())
                }),
            };
            match outcome {
                Reload::Unchanged => {}
                Reload::Replaced => {
                    let source = self.loader.source().to_string();
                    (self.log)(&log::life("info", "config_replaced", &source));
                }
                Reload::Refused(why) => (self.log)(&log::life("error", "config_refused", &why)),
            }
        }
        // A first version is always in force: without one the function does not start.
        self.reloading
            .current()
            .map_or_else(|_| self.first.clone(), |admin| KeyAdmin::clone(&admin))
    }
}

/// Where events go.
fn bus(
    name: Option<String>,
    loader: &Loader,
    log: fn(&str),
) -> Result<Arc<dyn EventBus>, WiringError> {
    match name {
        None => Ok(Arc::new(LogBus::new(log))),
        Some(name) => match loader.event_bus(name) {
            Some(bus) => Ok(Arc::new(bus)),
            None => Err(WiringError::NoAccess),
        },
    }
}

/// What is made of a version that could not be read.
const fn no_value() -> Result<KeyAdmin, String> {
    Err(String::new())
}

/// The text of the configuration and the secrets it refers to.
async fn read(
    loader: &Loader,
    environment: &BTreeMap<String, String>,
) -> Result<(String, Secrets), SourceError> {
    let text = loader.load().await?;
    let variable = |name: &str| environment.get(name).cloned();
    let secrets = loader.secrets(&text, &variable).await;
    Ok((text, secrets))
}

fn build(
    text: &str,
    secrets: &Secrets,
    loader: &Loader,
    stores: &Stores,
) -> Result<KeyAdmin, WiringError> {
    let env = ConfigEnv {
        read_file: &|path| loader.read_file(path),
        secret: &|reference| secrets.secret(reference),
    };
    let checked = Config::read(text, &loader.source().to_string(), &env);
    let config = checked.map_err(WiringError::Config)?.config;
    let keys = config.api_keys.as_ref().ok_or(WiringError::NoKeys)?;
    let blocks =
        BlockPolicy::of(&config).map(|policy| BlockAdmin::new(policy, Arc::clone(&stores.blocks)));
    let key_set = config.identity_token.as_ref().map(|token| token.key_set());
    let ledger = Arc::clone(&stores.keys) as Arc<dyn KeyLedger>;
    let mut admin = KeyAdmin::from_config(keys, ledger)
        .with_settling(SETTLE_SECONDS)
        .with_outbox(Arc::clone(&stores.keys) as _)
        .with_leaks(config.leaks.clone())
        .with_usage_config(&config.usage)
        .with_callers(config.key_admin.clone())
        .with_routes(config.routes)
        .with_key_set(key_set)
        .with_blocks(blocks)
        .with_rotations(Arc::clone(&stores.keys) as _);
    if let Some(policy) = &stores.flush {
        let book = Arc::clone(&stores.keys);
        admin = admin.with_flush(book, policy.clone());
    }
    Ok(match &stores.usage {
        Some(usage) => admin.with_usage(Arc::clone(usage) as _),
        None => admin,
    })
}

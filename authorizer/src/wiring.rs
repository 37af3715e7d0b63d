//! Builds what the function needs, once, within a time budget: the only builder of back ends in this deployable.
//!
//! 1. Configuration and table client are had at the same time, then the key sets of all issuers and a connection to the store
//!    of limits at once, as far as the budget goes. What is late is had by the first request that needs it.
//! 2. A fault anywhere here refuses every request and is named in the log; the function starts all the same, because a
//!    function that does not start says nothing.
//! 3. A remote configuration is read again after an answer has left, when that is due: nobody waits for it. A bad new
//!    version is refused and the old one stays.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_credential_types::provider::SharedCredentialsProvider;
use doorward_backends::{
    dynamodb::{Connection, DynamoKeys, DynamoLimits, Patience, connect},
    http::HttpKeySets,
    memory::{MemoryKeys, MemoryLimits},
    sources::{
        AwsAccess, ConfigSource, Endpoints, Loader, Reload, Reloading, Schedule, Secrets, Version,
    },
};
use doorward_engine::{
    Config, Engine, Request, Sources, Verdict,
    config::{AnswersConfig, ConfigEnv, Fault},
    layers::rate_limit::LimitsStore,
    limits::LimitStore,
};
use doorward_keys::KeyLookup;

use crate::{
    clock,
    handler::{Authorizer, Decide, summary},
    limits_in_redis, log,
    settings::{Environment, Settings},
};

/// How soon a remote configuration is read again while there is none that could be used.
const RETRY: Duration = Duration::from_secs(5);

#[async_trait]
impl Decide for Engine {
    async fn decide(&self, request: &Request, within: Option<Duration>) -> Verdict {
        match within {
            None => Self::decide(self, request).await,
            Some(within) => {
                self.decide_before(request, tokio::time::sleep(within))
                    .await
            }
        }
    }

    fn answers(&self) -> &AnswersConfig {
        &self.config().answers
    }
}

/// The function and what keeps it fresh.
pub struct Service {
    authorizer: Authorizer,
    live: Option<Arc<Live>>,
}

/// A configuration in force and where it comes from.
struct Live {
    loader: Loader,
    environment: Environment,
    parts: Parts,
    reloading: Reloading<Engine>,
    sink: log::Sink,
}

/// What every engine of this process shares.
#[derive(Clone)]
struct Parts {
    /// The table of keys; `None` where no table is named.
    keys: Option<Arc<dyn KeyLookup>>,
    /// The table of counters, for limits; `None` where no table is named.
    counters: Option<Arc<dyn LimitStore>>,
    /// For limits that each sandbox keeps by itself. They outlive a configuration.
    memory: Arc<MemoryLimits>,
    key_sets: Arc<HttpKeySets>,
}

impl Service {
    /// Builds everything from `environment`.
    pub async fn start(environment: Environment, sink: log::Sink) -> Self {
        let begun = clock::stopwatch();
        let settings = match Settings::read(&environment) {
            Ok(settings) => settings,
            Err(faults) => return Self::shut(&faults, sink),
        };
        let source = match ConfigSource::parse(&settings.config) {
            Ok(source) => source,
            Err(error) => return Self::shut(&[fault("DOORWARD_CONFIG", error.to_string())], sink),
        };
        let every = settings.refresh.filter(|_| source.is_remote());
        let schedule = Schedule {
            every,
            retry: source.is_remote().then_some(RETRY),
        };
        let loader = Loader::new(source, settings.root.clone(), aws_access(&environment));
        let (read, (keys, counters)) =
            tokio::join!(read(&loader, &environment), tables(&settings, &environment));
        let parts = Parts {
            keys,
            counters,
            memory: Arc::new(MemoryLimits::new()),
            key_sets: Arc::new(HttpKeySets::new()),
        };
        let first = match read {
            Ok((text, secrets)) => build(&text, &secrets, &loader, &parts, &sink)
                .map(|engine| (Version::of(&text, &secrets), engine)),
            Err(why) => {
                log::config_invalid(&sink, &[fault("DOORWARD_CONFIG", why.clone())]);
                Err(why)
            }
        };
        let reloading = Reloading::new(schedule, first, clock::stopwatch());
        let live = Arc::new(Live {
            loader,
            environment,
            parts,
            reloading,
            sink: Arc::clone(&sink),
        });
        let spent = clock::stopwatch().saturating_sub(begun);
        live.prefetch(settings.init_budget.saturating_sub(spent))
            .await;
        let in_force = Arc::clone(&live);
        let authorizer = Authorizer::serving(
            Box::new(move || {
                in_force
                    .reloading
                    .current()
                    .map(|engine| engine as Arc<dyn Decide>)
            }),
            sink,
            clock::stopwatch,
        );
        Self {
            authorizer,
            live: Some(live),
        }
    }

    /// The function itself.
    pub const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Reads a remote configuration again when that is due, in at most `time_left`. For the time after an answer.
    pub async fn refresh(&self, time_left: Duration) {
        if let Some(live) = &self.live {
            // Given up in the middle, the old version stays in force and the next turn comes as scheduled.
            let _ = tokio::time::timeout(time_left, live.refresh()).await;
        }
    }

    /// Gives back what is leased of limits. For the end of the process.
    pub async fn return_leases(&self) {
        if let Some(live) = &self.live
            && let Ok(engine) = live.reloading.current()
        {
            engine.return_leases(clock::moment()).await;
        }
    }

    fn shut(faults: &[Fault], sink: log::Sink) -> Self {
        Self {
            authorizer: Authorizer::shut(faults, sink, clock::stopwatch),
            live: None,
        }
    }
}

impl Live {
    async fn refresh(&self) {
        let Some(turn) = self.reloading.due(clock::stopwatch()) else {
            return;
        };
        let before = self.reloading.current();
        let reload = match read(&self.loader, &self.environment).await {
            Err(why) => turn.finish(Err(why), || Err(String::new())),
            Ok((text, secrets)) => turn.finish(Ok(Version::of(&text, &secrets)), || {
                build(&text, &secrets, &self.loader, &self.parts, &self.sink)
            }),
        };
        match reload {
            Reload::Unchanged => {}
            Reload::Replaced => {
                log::life(
                    &self.sink,
                    "INFO",
                    "config_replaced",
                    &self.loader.source().to_string(),
                );
                if let Ok(before) = before {
                    before.return_leases(clock::moment()).await;
                }
                self.prefetch(RETRY).await;
            }
            Reload::Refused(why) => log::config_refused(&self.sink, &why, clock::wall()),
        }
    }

    async fn prefetch(&self, budget: Duration) {
        let Ok(engine) = self.reloading.current() else {
            return;
        };
        let key_sets = tokio::time::timeout(budget, engine.prefetch(clock::wall()));
        let limits = tokio::time::timeout(budget, engine.prepare_limits());
        let (key_sets, limits) = tokio::join!(key_sets, limits);
        let late = "the first request will connect".to_owned();
        let limits = limits.map_or(Err(late), |found| found.map_err(|error| error.to_string()));
        if let Err(why) = limits {
            log::life(&self.sink, "WARN", "limit_store_unavailable", &why);
        }
        match key_sets {
            Ok(outcomes) => {
                for (issuer, outcome) in outcomes {
                    if let Err(error) = outcome {
                        log::life(
                            &self.sink,
                            "WARN",
                            "key_set_unavailable",
                            &format!("`{issuer}`: {error}"),
                        );
                    }
                }
            }
            Err(_) => log::life(
                &self.sink,
                "WARN",
                "key_set_late",
                "the first requests will fetch what is missing",
            ),
        }
    }
}

/// The text of the configuration and the secrets it refers to.
async fn read(loader: &Loader, environment: &Environment) -> Result<(String, Secrets), String> {
    let text = loader.load().await.map_err(|error| error.to_string())?;
    let variable = |name: &str| environment.value(name).map(str::to_owned);
    let secrets = loader.secrets(&text, &variable).await;
    Ok((text, secrets))
}

/// The engine of a configuration; faults and warnings go to the log, and the error sums them up.
fn build(
    text: &str,
    secrets: &Secrets,
    loader: &Loader,
    parts: &Parts,
    sink: &log::Sink,
) -> Result<Engine, String> {
    let env = ConfigEnv {
        read_file: &|path| loader.read_file(path),
        secret: &|reference| secrets.secret(reference),
    };
    let name = loader.source().to_string();
    let checked = Config::read(text, &name, &env).map_err(|faults| {
        log::config_invalid(sink, &faults.faults);
        summary(&faults.faults)
    })?;
    for warning in &checked.warnings {
        log::life(sink, "WARN", "config_warning", &warning.line(&name));
    }
    let keys: Arc<dyn KeyLookup> = match &parts.keys {
        Some(keys) => Arc::clone(keys),
        None if checked.config.api_keys.is_some() => {
            let faults = [fault(
                "DOORWARD_KEYS_TABLE",
                "must name the table of API keys, because the configuration has `api_keys`"
                    .to_owned(),
            )];
            log::config_invalid(sink, &faults);
            return Err(summary(&faults));
        }
        // Without `api_keys` no key is ever looked up.
        None => Arc::new(MemoryKeys::new()),
    };
    let limits = limits(&checked.config, parts).map_err(|fault| {
        let faults = [fault];
        log::config_invalid(sink, &faults);
        summary(&faults)
    })?;
    let key_sets = Arc::clone(&parts.key_sets);
    Ok(Engine::new(
        checked.config,
        Sources {
            keys,
            key_sets,
            limits,
            pause: clock::pause,
            stopwatch: clock::stopwatch,
        },
    ))
}

/// Where the limits of `config` are counted.
fn limits(config: &Config, parts: &Parts) -> Result<Arc<dyn LimitStore>, Fault> {
    // Without limits none is ever counted.
    if !config.needs_limit_store() {
        return Ok(Arc::clone(&parts.memory) as _);
    }
    match &config.limits.store {
        LimitsStore::Memory => Ok(Arc::clone(&parts.memory) as _),
        LimitsStore::Redis(store) => limits_in_redis::open(store),
        LimitsStore::DynamoDb => parts.counters.clone().ok_or_else(|| {
            fault(
                "DOORWARD_COUNTERS_TABLE",
                "must name the table of counters, because the configuration has limits".to_owned(),
            )
        }),
    }
}

/// The tables of keys and of counters, over one connection.
async fn tables(
    settings: &Settings,
    environment: &Environment,
) -> (Option<Arc<dyn KeyLookup>>, Option<Arc<dyn LimitStore>>) {
    let (keys, counters) = (&settings.keys_table, &settings.counters_table);
    if keys.is_none() && counters.is_none() {
        return (None, None);
    }
    let client = connect(connection(environment)).await;
    let counters = counters.as_ref();
    let counters =
        counters.map(|table| Arc::new(DynamoLimits::new(&client, table, Patience::LIMITS)) as _);
    let keys = keys.as_ref();
    let keys = keys.map(|table| Arc::new(DynamoKeys::new(client, table)) as _);
    (keys, counters)
}

fn aws_access(environment: &Environment) -> Option<AwsAccess> {
    let Connection {
        region,
        credentials,
        ..
    } = connection(environment);
    let variable = |name: &str| environment.value(name).map(str::to_owned);
    let credentials = SharedCredentialsProvider::new(credentials?);
    Some(AwsAccess::new(
        credentials,
        region?,
        Endpoints::from_variables(variable),
        clock::system,
    ))
}

fn connection(environment: &Environment) -> Connection {
    Connection::from_environment(
        |name| environment.value(name).map(str::to_owned),
        Patience::AUTHORIZER,
    )
}

pub(crate) fn fault(path: &str, message: String) -> Fault {
    Fault {
        path: path.to_owned(),
        place: None,
        message,
        code: "environment",
    }
}

//! Builds what the function needs, once, within a time budget: the only builder of back ends in this deployable.
//!
//! 1. Configuration and table client are had at the same time, then the key sets of all issuers, the lists of revoked
//!    certificates, the list of blocked tokens and a connection to the store of limits at once, as far as the budget goes. What is late is had by the
//!    first request that needs it.
//! 2. A fault anywhere here refuses every request and is named in the log; the function starts all the same, because a
//!    function that does not start says nothing.
//! 3. A remote configuration is read again after an answer has left, when that is due: nobody waits for it. A bad new
//!    version is refused and the old one stays. Lists of revoked certificates are read again at the same time, and the list of blocked
//!    tokens is looked at, whatever else takes its time then.
//! 4. So is usage written, when that is due, moves of keys are asked for, and at the end of the process whatever is held, together with the return of
//!    leases.

mod choices;
mod rehashing;
mod stale;
mod tables;

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use doorward_backends::{
    http::{HttpEndpoints, HttpKeySets},
    memory::{MemoryKeys, MemoryLimits},
    sources::{ConfigSource, KmsSigner, Loader, Reload, Reloading, Schedule, Secrets, Version},
};
use doorward_engine::{
    Config, Engine, Request, Sources, Verdict,
    authority::BreakerStore,
    config::{AnswersConfig, ConfigEnv, Fault},
    layers::proof::ReplayStore,
    limits::LimitStore,
    usage::{UsageBuffer, UsageConfig, UsageMode},
};
use doorward_keys::{BlockReader, KeyLookup, RehashSink};

use self::{
    choices::{authorities, blocks, equipped, limits, replays},
    stale::StaleKeySets,
    tables::{aws_access, tables},
};
use crate::{
    clock,
    handler::{Authorizer, Decide, summary},
    log, names,
    settings::{Environment, Settings},
};

/// How soon a remote configuration is read again while there is none that could be used.
const RETRY: Duration = Duration::from_secs(5);

/// How long usage may be written after an answer, at most: the sandbox takes no event meanwhile.
const FLUSH: Duration = Duration::from_secs(1);

/// With less time than this nothing is begun: it would fail for want of time, and the table would be left alone for that.
const LEAST: Duration = Duration::from_millis(50);

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

    fn usage(&self) -> UsageConfig {
        self.config().usage
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
    stale: StaleKeySets,
    sink: log::Sink,
}

/// What every engine of this process shares.
#[derive(Clone)]
struct Parts {
    /// The table of keys; `None` where no table is named.
    keys: Option<Arc<dyn KeyLookup>>,
    /// The same table, for blocks of tokens.
    blocks: Option<Arc<dyn BlockReader>>,
    /// The table of counters, for limits; `None` where no table is named.
    counters: Option<Arc<dyn LimitStore>>,
    /// The same table, for proofs that were seen.
    replays: Option<Arc<dyn ReplayStore>>,
    /// The same table, for breakers.
    breakers: Option<Arc<dyn BreakerStore>>,
    /// The same table, for moves of keys that are asked for.
    rehashes: Option<Arc<dyn RehashSink>>,
    /// What is counted of the use of keys, before the same table. It outlives a configuration.
    usage: Option<Arc<UsageBuffer>>,
    /// For limits that each sandbox keeps by itself. They outlive a configuration.
    memory: Arc<MemoryLimits>,
    key_sets: Arc<HttpKeySets>,
    endpoints: Arc<HttpEndpoints>,
    /// Signs identity tokens whose key is kept by KMS; `None` where AWS cannot be called.
    kms: Option<Arc<KmsSigner>>,
    /// How long the gateway keeps an answer, where that is said.
    gateway_ttl: Option<Duration>,
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
        let is_remote = source.is_remote();
        let loader = Loader::new(source, settings.root.clone(), aws_access(&environment));
        let budget = settings.init_budget;
        let reading = tokio::time::timeout(budget, read(&loader, &environment));
        let (read, tables) = tokio::join!(reading, tables(&settings, &environment));
        let schedule = Schedule {
            every: settings.refresh.filter(|_| is_remote),
            // What came too late may come in time the next time.
            retry: (is_remote || read.is_err()).then_some(RETRY),
        };
        let late = |_| {
            Err(format!(
                "did not come within {} ms, with its secrets",
                budget.as_millis()
            ))
        };
        let read = read.unwrap_or_else(late);
        let usage = tables.usage.map(|sink| {
            let buffer = UsageBuffer::new(sink, names::fresh, clock::stopwatch);
            Arc::new(buffer)
        });
        let parts = Parts {
            keys: tables.keys,
            blocks: tables.blocks,
            counters: tables.counters,
            replays: tables.replays,
            breakers: tables.breakers,
            rehashes: tables.rehashes,
            usage: usage.clone(),
            memory: Arc::new(MemoryLimits::new()),
            key_sets: Arc::new(HttpKeySets::new()),
            endpoints: Arc::new(HttpEndpoints::new()),
            kms: loader.signer().map(Arc::new),
            gateway_ttl: settings.gateway_ttl,
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
            stale: StaleKeySets::default(),
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
            authorizer: match usage {
                Some(usage) => authorizer.counting(usage),
                None => authorizer,
            },
            live: Some(live),
        }
    }

    /// The function itself.
    pub const fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Writes usage, reads a remote configuration again, each when it is due, and brings fetches of key sets to their end that
    /// no request waited for, in at most `time_left`. For the time after an answer.
    pub async fn refresh(&self, time_left: Duration) {
        if let Some(live) = &self.live {
            // Given up in the middle, the old version stays in force and the next turn comes as scheduled.
            let refreshing = tokio::time::timeout(time_left, async {
                tokio::join!(live.refresh(), live.refresh_blocks());
                if let Ok(engine) = live.reloading.current() {
                    engine.finish_fetches().await;
                    live.stale.tell(&engine, &live.sink);
                }
            });
            let within = time_left.min(FLUSH);
            let _ = tokio::join!(live.flush(within), live.ask_rehashes(within), refreshing);
        }
    }

    /// Writes all usage and gives back what is leased of limits. For the end of the process: what is not done `within` the
    /// time is said, and goes on for the `overtime`.
    pub async fn finish(&self, within: Duration, overtime: Duration) {
        if let Some(live) = &self.live {
            let all = within.saturating_add(overtime);
            let all = async { tokio::join!(live.flush_all(all), self.return_leases()) };
            let mut all = pin!(all);
            if tokio::time::timeout(within, &mut all).await.is_err() {
                let detail = "not all of the usage is written yet, or not all leases are returned";
                log::life(&live.sink, "ERROR", "end_late", detail);
                // Whoever wants it to end earlier does not ask.
                let _ = tokio::time::timeout(overtime, all).await;
            }
        }
    }

    /// Notes that nobody tells this process of its end.
    pub(crate) fn is_unheard(&self, why: &str) {
        if let Some(live) = &self.live {
            let detail =
                format!("not registered as an extension, so that the end may come unheard: {why}");
            log::life(&live.sink, "WARN", "end_unheard", &detail);
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
    async fn flush(&self, within: Duration) {
        if let Some(usage) = &self.parts.usage
            && within >= LEAST
        {
            let flushed = usage.flush(&self.usage(), clock::moment(), within).await;
            if let Some(flushed) = flushed {
                log::usage_flushed(&self.sink, &flushed, clock::wall());
            }
        }
    }

    async fn flush_all(&self, within: Duration) {
        if let Some(usage) = &self.parts.usage {
            let flushed = usage.finish(&self.usage(), clock::moment(), within).await;
            if let Some(flushed) = flushed {
                log::usage_flushed(&self.sink, &flushed, clock::wall());
            }
        }
    }

    fn usage(&self) -> UsageConfig {
        let current = self.reloading.current();
        current.map_or_else(|_| UsageConfig::default(), |engine| engine.config().usage)
    }

    async fn refresh(&self) {
        self.refresh_crls().await;
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

    /// Reads the lists of revoked certificates again that are due.
    async fn refresh_crls(&self) {
        let Ok(engine) = self.reloading.current() else {
            return;
        };
        for (authority, outcome) in engine.refresh_crls(clock::wall()).await {
            if let Err(why) = outcome {
                let detail = format!("`{authority}`: {why}");
                log::life(&self.sink, "WARN", "crl_unavailable", &detail);
            }
        }
    }

    /// Looks at the list of blocked tokens again, where that is due.
    async fn refresh_blocks(&self) {
        let Ok(engine) = self.reloading.current() else {
            return;
        };
        if let Some(Err(why)) = engine.refresh_blocks(clock::moment()).await {
            log::life(&self.sink, "WARN", "block_list_unavailable", &why);
        }
    }

    async fn prefetch(&self, budget: Duration) {
        let Ok(engine) = self.reloading.current() else {
            return;
        };
        let blocks = tokio::time::timeout(budget, self.refresh_blocks());
        let lists = tokio::time::timeout(budget, self.refresh_crls());
        let key_sets = tokio::time::timeout(budget, engine.prefetch(clock::wall()));
        let limits = tokio::time::timeout(budget, engine.prepare_limits());
        let (key_sets, limits, ..) = tokio::join!(key_sets, limits, lists, blocks);
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
                "the first requests will fetch what is missing: key sets, lists of revoked certificates",
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
    let of_ttl = parts
        .gateway_ttl
        .and_then(|ttl| checked.config.shorter_than(ttl));
    if let Some(warning) = of_ttl {
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
    let usage = checked.config.usage;
    let counts = usage.mode != UsageMode::Off && checked.config.api_keys.is_some();
    if usage.is_asked && counts && parts.usage.is_none() {
        let faults = [fault(
            "DOORWARD_COUNTERS_TABLE",
            "must name the table of counters, because the configuration has `usage`".to_owned(),
        )];
        log::config_invalid(sink, &faults);
        return Err(summary(&faults));
    }
    let limits = limits(&checked.config, parts).map_err(|fault| {
        let faults = [fault];
        log::config_invalid(sink, &faults);
        summary(&faults)
    })?;
    let blocks = blocks(&checked.config, parts).map_err(|fault| {
        let faults = [fault];
        log::config_invalid(sink, &faults);
        summary(&faults)
    })?;
    let replays = replays(&checked.config, parts).map_err(|fault| {
        let faults = [fault];
        log::config_invalid(sink, &faults);
        summary(&faults)
    })?;
    let authorities = authorities(&checked.config, parts, sink).map_err(|fault| {
        let faults = [fault];
        log::config_invalid(sink, &faults);
        summary(&faults)
    })?;
    let key_sets = Arc::clone(&parts.key_sets);
    let engine = Engine::new(
        checked.config,
        Sources {
            keys,
            blocks,
            key_sets,
            crls: loader.crls(),
            replays,
            authorities,
            limits,
            pause: clock::pause,
            stopwatch: clock::stopwatch,
        },
    );
    Ok(equipped(engine, parts))
}

pub(crate) fn fault(path: &str, message: String) -> Fault {
    Fault {
        path: path.to_owned(),
        place: None,
        message,
        code: "environment",
    }
}

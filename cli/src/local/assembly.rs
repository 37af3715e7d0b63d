//! Puts the local gateway together: listeners, issuer, tables, authorizer, gateway.

mod settings;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use doorward_authorizer::{Authorizer, log::Sink};
use doorward_backends::{
    dynamodb::{DynamoBlocks, DynamoKeys, DynamoRehashes, DynamoUsage, Patience, TableNames},
    http::{HttpEndpoints, HttpKeySets},
    memory::{MemoryBreakers, MemoryLimits, MemoryReplays},
    sources::{ConfigSource, KmsSigner},
};
use doorward_engine::{
    Config, Engine, Sources, authority::Authorities, config::Checked,
    layers::certificate::CrlSource,
};
use doorward_key_admin::{BlockAdmin, BlockPolicy, KeyAdmin};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::{
    access_log,
    admin::{self, AdminApi, AdminCredentials},
    decoys,
    gateway::{
        Backend, Clocks, DeniedStatus, Gateway, IdentitySource, Observer, Payload, Routes,
        UsagePlans,
    },
    in_process::InProcess,
    issuer::{self, DemoKeys},
    jobs, listener,
    mtls::{Domain, Mtls, TlsListener},
    seed::{self, DemoKey, Rights},
    source::{DEMO_AUDIENCE, Source},
    usage::LocalUsage,
};
use crate::{
    clock, configuration,
    dynamodb::{EmbeddedDynamo, Storage},
    exit::Failure,
    state::{Running, StateFolder},
};

/// How long requests under way are waited for at the end.
const LAST_WAIT: Duration = Duration::from_secs(3);

const CLOCKS: Clocks = Clocks {
    wall: clock::wall,
    stopwatch: clock::stopwatch,
};

/// The API and its authorizer, as somebody would set them up in the console.
#[derive(Clone, Debug)]
pub struct Api {
    /// What the authorizer is sent. For [`Payload::Http2`] the configuration says whether it answers simply.
    pub payload: Payload,
    /// The stage.
    pub stage: String,
    /// The identity sources.
    pub identity_sources: Vec<IdentitySource>,
    /// How long answers are kept.
    pub ttl: Duration,
    /// The usage plans, beside those that the configuration implies.
    pub plans: UsagePlans,
    /// The status of what a policy does not allow; without, what `template.yaml` makes of the configuration.
    pub denied: Option<DeniedStatus>,
}

/// What is to be started.
pub struct Plan {
    /// The configuration.
    pub source: Source,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port of the gateway; 0 for a free one.
    pub port: u16,
    /// The port of the demo issuer; 0 for a free one.
    pub issuer_port: u16,
    /// The port of the API of key administration; 0 for a free one.
    pub admin_port: u16,
    /// The API and its authorizer.
    pub api: Api,
    /// Where keys are kept.
    pub storage: Storage,
    /// A domain with mutual TLS, beside the listener without TLS.
    pub mtls: Option<Mtls>,
    /// What stands behind the gateway.
    pub backend: Backend,
    /// Where other commands look for this one.
    pub state: StateFolder,
    /// Is told of every request.
    pub observer: Observer,
}

/// A running gateway with everything behind it.
#[derive(Debug)]
pub struct LocalGateway {
    /// Where it can be found.
    pub running: Running,
    /// The API and its authorizer.
    pub payload: Payload,
    /// Where the key set of identity tokens is, where there are any.
    pub identity_keys: Option<String>,
    /// What should be known of the configuration, one line each.
    pub warnings: Vec<String>,
    /// How long a found key is remembered by the authorizer, in seconds.
    pub key_cache_seconds: u32,
    /// The key that was made for this run.
    pub key: Option<DemoKey>,
    /// Signs demo tokens.
    pub issuer_keys: DemoKeys,
    state: StateFolder,
    dynamo: EmbeddedDynamo,
    usage: LocalUsage,
    stop: watch::Sender<()>,
    tasks: JoinSet<Result<(), String>>,
}

impl LocalGateway {
    /// Starts everything.
    ///
    /// # Errors
    /// Says what does not work and what to do.
    pub async fn start(plan: Plan) -> Result<Self, Failure> {
        let (listener, address) = listen(plan.host, plan.port, "--port").await?;
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (issuer_listener, issuer_address) =
            listen(here, plan.issuer_port, "--issuer-port").await?;
        let issuer = format!("http://{issuer_address}");
        let (checked, crls) = read(&plan.source, &issuer).await?;
        let mut warnings = plan.source.warnings(&checked);
        let config = checked.config;
        let settings = settings::of(plan.api, plan.mtls.as_ref(), &config)?;
        warnings.extend(settings::notes(&settings, &config));
        let of_ttl = config.shorter_than(settings.ttl());
        warnings.extend(of_ttl.map(|warning| warning.line("doorward local")));
        let identity_key_set = config.identity_token.as_ref().map(|token| token.key_set());

        create(&plan.state)?;
        let domain = domain(plan.mtls.as_ref(), plan.host, &plan.state).await?;
        let issuer_keys =
            DemoKeys::load_or_create(&plan.state.issuer_keys()).map_err(Failure::unavailable)?;
        let key_set = issuer_keys.key_set().map_err(Failure::unavailable)?;
        let tables = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&plan.storage, 0, &tables)
            .await
            .map_err(Failure::unavailable)?;
        let keys = Arc::new(DynamoKeys::new(dynamo.client().clone(), &tables.keys));
        let blocks = DynamoBlocks::new(dynamo.client().clone(), &tables.keys);
        let key = seed::demo_key(&config, &keys, rights(&plan.source)).await?;
        let key_cache_seconds = config.api_keys.as_ref().map_or(0, |c| c.cache_seconds);

        let usage = LocalUsage::new(dynamo.client(), &tables.counters, config.usage);
        let kms = configuration::kms(&config).await?;
        let environment = environment(&config);
        let admin = administration(&config, &keys, (&dynamo, &tables), settings.ttl());
        let api = admin_api(admin.clone(), plan.host, plan.admin_port, &plan.state).await?;
        let routes = Routes::new(config.routes.routes(), &config.addresses.rules);
        let payload = settings.payload();
        let ttl_seconds = settings.ttl().as_secs();
        let counts = DynamoUsage::new(dynamo.client(), &tables.counters, Patience::ADMIN);
        let kept_days = config.usage.retention_days;
        let (own_admin, keys_of_jobs) = (admin.clone(), Arc::clone(&keys));
        let (sink, alarms) = decoys::open(admin);
        let (observer, counting) = access_log::open(plan.observer, Arc::new(counts), kept_days);
        let rehashes = DynamoRehashes::new(dynamo.client(), &tables.counters, Patience::ADMIN);
        let engine = engine(config, keys, blocks, crls, (kms, rehashes.clone()));
        let authorizer = authorizer(&engine, &usage, sink);
        let gateway = Arc::new(Gateway::new(
            settings,
            routes,
            Arc::new(InProcess::new(authorizer)),
            plan.backend,
            CLOCKS,
            observer,
        ));

        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(counting);
        tasks.spawn(alarms);
        let (encrypted, domain) = domain.unzip();
        serve(&mut tasks, &gateway, listener, encrypted, &stopped);
        if let Some(jobs) = jobs::of(own_admin, keys_of_jobs, rehashes, Arc::clone(&gateway) as _) {
            tasks.spawn(jobs::run(jobs, engine, stopping(stopped.clone())));
        }
        let admin = api.map(|api| serve_admin(&mut tasks, api, &stopped));
        tasks.spawn(write(usage.clone(), stopping(stopped.clone())));
        let address_of_keys = format!("{issuer}{}", issuer::IDENTITY_KEY_SET);
        let identity_keys = identity_key_set.as_ref().map(|_| address_of_keys);
        let (own_name, until) = (issuer.clone(), stopping(stopped));
        tasks.spawn(async move {
            let published = identity_key_set.as_ref();
            let served = issuer::serve(issuer_listener, &own_name, &key_set, published, until);
            served.await.map_err(|error| error.to_string())
        });

        let running = Running {
            process: std::process::id(),
            gateway: format!("http://{address}"),
            issuer,
            audience: DEMO_AUDIENCE.to_owned(),
            dynamodb: dynamo.endpoint_url(),
            table: tables.keys,
            counters_table: tables.counters,
            config: named(plan.source),
            ttl_seconds,
            admin,
            environment,
            mtls: domain,
        };
        announce(&plan.state, &running)?;
        Ok(Self {
            running,
            payload,
            identity_keys,
            warnings,
            key_cache_seconds,
            key,
            issuer_keys,
            state: plan.state,
            dynamo,
            usage,
            stop,
            tasks,
        })
    }

    /// Waits until something that should run for ever ends, and says what ended it.
    pub async fn failed(&mut self) -> Failure {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => Failure::unavailable(format!("a listener ended: {error}")),
            _ => Failure::unavailable("a listener ended"),
        }
    }

    /// Stops listening, finishes requests under way within a few seconds, and takes the sign down.
    pub async fn stop(mut self) {
        self.state.withdraw(self.running.process);
        // Nobody may be listening any more.
        let _ = self.stop.send(());
        let end = async {
            while self.tasks.join_next().await.is_some() {}
            self.usage.finish().await;
            drop(self.usage);
            self.dynamo.stop().await;
        };
        let _ = tokio::time::timeout(LAST_WAIT, end).await;
    }
}

/// Lets the gateway answer on its listeners until the end.
fn serve(
    tasks: &mut JoinSet<Result<(), String>>,
    gateway: &Arc<Gateway>,
    plain: TcpListener,
    encrypted: Option<TlsListener>,
    stopped: &watch::Receiver<()>,
) {
    if let Some(listener) = encrypted {
        let (gateway, until) = (Arc::clone(gateway), stopping(stopped.clone()));
        tasks.spawn(async move {
            let served = listener::serve_tls(listener, gateway, until).await;
            served.map_err(|error| error.to_string())
        });
    }
    let (gateway, until) = (Arc::clone(gateway), stopping(stopped.clone()));
    tasks.spawn(async move {
        let served = listener::serve(plain, gateway, until).await;
        served.map_err(|error| error.to_string())
    });
}

/// The environment of keys that name none.
fn environment(config: &Config) -> Option<String> {
    let api_keys = config.api_keys.as_ref()?;
    api_keys.format.environments.first().cloned()
}

/// Key administration as the function of AWS has it; none where no keys are accepted.
fn administration(
    config: &Config,
    keys: &Arc<DynamoKeys>,
    (dynamo, tables): (&EmbeddedDynamo, &TableNames),
    gateway_ttl: Duration,
) -> Option<KeyAdmin> {
    let api_keys = config.api_keys.as_ref()?;
    let counts = DynamoUsage::new(dynamo.client(), &tables.counters, Patience::ADMIN);
    let blocks = BlockPolicy::of(config).map(|policy| {
        let ledger = DynamoBlocks::new(dynamo.client().clone(), &tables.keys);
        BlockAdmin::new(policy, Arc::new(ledger))
    });
    let ttl = u32::try_from(gateway_ttl.as_secs()).unwrap_or(u32::MAX);
    let key_set = config.identity_token.as_ref().map(|token| token.key_set());
    let admin = KeyAdmin::from_config(api_keys, Arc::clone(keys) as _)
        .with_gateway_ttl(ttl)
        .with_usage(Arc::new(counts))
        .with_usage_config(&config.usage)
        .with_routes(config.routes.clone())
        .with_callers(config.key_admin.clone())
        .with_key_set(key_set)
        .with_blocks(blocks)
        .with_outbox(Arc::clone(keys) as _)
        .with_rotations(Arc::clone(keys) as _)
        .with_flush(Arc::clone(keys) as _, jobs::flush_policy())
        .with_leaks(config.leaks.clone());
    Some(admin)
}

async fn write(usage: LocalUsage, until: impl Future<Output = ()>) -> Result<(), String> {
    usage.write(until).await;
    Ok(())
}

/// Lets key administration answer on its listener until the end; its address.
fn serve_admin(
    tasks: &mut JoinSet<Result<(), String>>,
    (listener, address, api): (TcpListener, SocketAddr, AdminApi),
    stopped: &watch::Receiver<()>,
) -> String {
    let until = stopping(stopped.clone());
    tasks.spawn(async move {
        let served = admin::serve(listener, Arc::new(api), until).await;
        served.map_err(|error| error.to_string())
    });
    format!("http://{address}")
}

/// Key administration behind a listener of its own.
async fn admin_api(
    admin: Option<KeyAdmin>,
    host: IpAddr,
    port: u16,
    state: &StateFolder,
) -> Result<Option<(TcpListener, SocketAddr, AdminApi)>, Failure> {
    let Some(admin) = admin else {
        return Ok(None);
    };
    let credentials = AdminCredentials::load_or_create(&state.admin_credentials());
    let credentials = credentials.map_err(Failure::unavailable)?;
    let (listener, address) = listen(host, port, "--admin-port").await?;
    let api = AdminApi::new(admin, credentials);
    Ok(Some((listener, address, api)))
}

/// Makes the folder of the state.
fn create(state: &StateFolder) -> Result<(), Failure> {
    state.create().map_err(|error| {
        Failure::unavailable(format!(
            "the folder `.doorward` cannot be made here: {error}"
        ))
    })
}

/// Says in the folder of the state where everything is.
fn announce(state: &StateFolder, running: &Running) -> Result<(), Failure> {
    state.announce(running).map_err(|error| {
        Failure::unavailable(format!(
            "where the gateway listens cannot be written to `.doorward`: {error}"
        ))
    })
}

/// What the demo key may do.
const fn rights(source: &Source) -> Rights {
    match source {
        Source::Demo => Rights::Demonstration,
        Source::Text(_) | Source::Named(_) => Rights::Everything,
    }
}

/// The source of the configuration as `--config` takes it, if it has a name.
fn named(source: Source) -> Option<String> {
    match source {
        Source::Demo | Source::Text(_) => None,
        Source::Named(ConfigSource::File(path)) => {
            let path = path.canonicalize().unwrap_or(path);
            Some(path.display().to_string())
        }
        Source::Named(remote) => Some(remote.to_string()),
    }
}

/// The listener with mutual TLS, and what a client needs for it.
async fn domain(
    mtls: Option<&Mtls>,
    host: IpAddr,
    state: &StateFolder,
) -> Result<Option<(TlsListener, Domain)>, Failure> {
    let Some(mtls) = mtls else {
        return Ok(None);
    };
    let ready = mtls.ready(state).map_err(Failure::usage)?;
    let (listener, address) = listen(host, mtls.port, "--mtls-port").await?;
    let listener = TlsListener::new(listener, ready.config).map_err(Failure::unavailable)?;
    let name = if host.is_loopback() {
        "localhost".to_owned()
    } else {
        host.to_string()
    };
    let domain = Domain {
        address: format!("https://{name}:{}", address.port()),
        authority: ready.authority,
        client: ready.client,
    };
    Ok(Some((listener, domain)))
}

/// The configuration, and what fetches the lists of revoked certificates that it names.
async fn read(source: &Source, issuer: &str) -> Result<(Checked, Arc<dyn CrlSource>), Failure> {
    let document = source.document(issuer).await?;
    let checked = document.read().await?;
    let crls = document.crls(&checked.config).await;
    Ok((checked, crls))
}

fn engine(
    config: Config,
    keys: Arc<DynamoKeys>,
    blocks: DynamoBlocks,
    crls: Arc<dyn CrlSource>,
    (kms, rehashes): (Option<KmsSigner>, DynamoRehashes),
) -> Arc<Engine> {
    let sources = Sources {
        keys,
        blocks: Arc::new(blocks),
        key_sets: Arc::new(HttpKeySets::new()),
        crls,
        replays: Arc::new(MemoryReplays::new()),
        authorities: Authorities {
            endpoints: Arc::new(HttpEndpoints::new()),
            breakers: Some(Arc::new(MemoryBreakers::new())),
            watch: Arc::new(|_| {}),
        },
        limits: Arc::new(MemoryLimits::new()),
        pause: clock::pause,
        stopwatch: clock::stopwatch,
    };
    let mut engine = Engine::new(config, sources).with_rehashes(Arc::new(rehashes));
    if let Some(kms) = kms {
        engine = engine.with_remote_signer(Arc::new(kms));
    }
    Arc::new(engine)
}

fn authorizer(engine: &Arc<Engine>, usage: &LocalUsage, sink: Sink) -> Authorizer {
    let engine = Arc::clone(engine);
    let in_force = Box::new(move || Ok(Arc::clone(&engine) as _));
    // The line of each request says to people what a line of the Lambda's log would.
    Authorizer::serving(in_force, sink, clock::stopwatch).counting(usage.buffer())
}

async fn listen(
    host: IpAddr,
    port: u16,
    option: &str,
) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "another program has the port; choose another with {option}, or 0 for a free one"
            ),
            _ => error.to_string(),
        };
        Failure::unavailable(format!(
            "cannot listen on {}: {hint}",
            SocketAddr::new(host, port)
        ))
    };
    let listener = TcpListener::bind((host, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn stopping(mut stopped: watch::Receiver<()>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = stopped.changed().await;
}

//! A local gateway on free ports, with its issuer and its table.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doorward::{
    clock, dynamodb,
    dynamodb::Storage,
    local::{
        Api, DEMO_AUDIENCE, Domain, LocalGateway, Mtls, Plan, Source, flush_policy,
        gateway::{
            Asked, Backend, DefaultEndpoint, DeniedStatus, Exchange, IdentitySource, Payload,
            UsagePlans,
        },
        issuer::{Algorithm, TokenRequest},
    },
    state::StateFolder,
};
use doorward_backends::dynamodb::{DynamoKeys, DynamoUsage, Patience, connect};
use doorward_key_admin::{
    Caller, Command, KeyAdmin, KeyPolicy, Reply, SystemEntropy,
    command::{By, ChangeKey, CreateKey, ReadUsage},
    reply::UsageView,
};
use doorward_keys::format::KeyFormat;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The configuration of these journeys. `${issuer}` is the demo issuer, wherever it listens.
const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["test"]
cache_seconds = 1
negative_cache_seconds = 1

[[issuers]]
name = "demo"
issuer = "${issuer}"
algorithms = ["ES256", "RS256"]
audiences = ["https://api.demo.invalid"]
leeway_seconds = 0
claims = { roles = "roles", tenant = "tenant" }
danger_allow_http = true

[[routes]]
route = "GET /health"
credentials = ["anonymous"]

[[routes]]
route = "GET /orders/{id}"
credentials = ["jwt", "api_key"]
scopes = ["orders:read"]
context = { area = "orders" }

[[routes]]
route = "POST /orders"
credentials = ["jwt", "api_key"]
scopes = ["orders:write"]
context = { area = "orders" }

[[routes]]
route = "GET /files/{path+}"
credentials = ["jwt", "api_key"]
scopes = ["files:read"]
context = { area = "orders" }

[[routes]]
route = "GET /files/private/{path+}"
credentials = ["jwt"]
scopes = ["files:read"]
roles = ["admin"]
context = { area = "orders" }

[[routes]]
route = "GET /office"
credentials = ["jwt", "api_key"]
scopes = ["orders:read"]
addresses = { allow = ["192.0.2.0/24"] }
context = { area = "orders" }

[[routes]]
route = "GET /here"
credentials = ["jwt", "api_key"]
scopes = ["orders:read"]
addresses = { allow = ["127.0.0.0/8"] }
context = { area = "orders" }

[[routes]]
route = "GET /reports"
credentials = ["jwt", "api_key"]
scopes = ["orders:read"]
context = { area = "reports" }
"#;

/// How one house differs from another.
pub(crate) struct Setup {
    pub(crate) payload: Payload,
    pub(crate) sources: Vec<&'static str>,
    pub(crate) ttl: u64,
    pub(crate) backend: Backend,
    pub(crate) denied: Option<DeniedStatus>,
    pub(crate) storage: Storage,
    /// A domain with mutual TLS, and whether the address without TLS stays open.
    pub(crate) mtls: Option<DefaultEndpoint>,
    /// Put after [`CONFIG`].
    pub(crate) more: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            payload: Payload::RestRequest,
            sources: vec!["header:Authorization"],
            ttl: 60,
            backend: Backend::Echo,
            denied: None,
            storage: Storage::Memory,
            mtls: None,
            more: "",
        }
    }
}

/// Both kinds of API with each kind of authorizer that is sent headers and an address.
pub(crate) const APIS: [Payload; 3] = [Payload::RestRequest, Payload::Http2, Payload::Http1];

/// A running gateway and a client.
pub(crate) struct House {
    pub(crate) gateway: LocalGateway,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    client: reqwest::Client,
    folder: PathBuf,
}

/// What a caller sees.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// A key and its id.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) printed: String,
}

impl House {
    pub(crate) async fn start(setup: Setup) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("doorward-journey-{}-{count}", std::process::id()));
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&exchanges);
        let sources = setup
            .sources
            .iter()
            .map(|source| IdentitySource::parse(source).unwrap());
        let plan = Plan {
            source: Source::Text(format!("{CONFIG}\n{}", setup.more)),
            host: "127.0.0.1".parse().unwrap(),
            port: 0,
            issuer_port: 0,
            admin_port: 0,
            api: Api {
                payload: setup.payload,
                stage: "v1".to_owned(),
                identity_sources: sources.collect(),
                ttl: Duration::from_secs(setup.ttl),
                plans: UsagePlans::default(),
                denied: setup.denied,
            },
            storage: setup.storage,
            mtls: setup.mtls.map(|default_endpoint| Mtls {
                port: 0,
                truststore: None,
                server: None,
                default_endpoint,
            }),
            backend: setup.backend,
            state: StateFolder::at(folder.clone()),
            observer: Arc::new(move |exchange: &Exchange| {
                record.lock().unwrap().push(exchange.clone());
            }),
        };
        Self {
            gateway: LocalGateway::start(plan).await.unwrap(),
            exchanges,
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            folder,
        }
    }

    pub(crate) async fn stop(self) {
        self.gateway.stop().await;
        std::fs::remove_dir_all(self.folder).unwrap();
    }

    /// The address of its table.
    pub(crate) fn dynamodb(&self) -> &str {
        &self.gateway.running.dynamodb
    }

    /// Where the key set of identity tokens is.
    pub(crate) fn identity_keys(&self) -> &str {
        self.gateway.identity_keys.as_deref().unwrap()
    }

    /// What should be known of the configuration.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.gateway.warnings
    }

    /// The domain with mutual TLS.
    pub(crate) fn domain(&self) -> &Domain {
        self.gateway.running.mtls.as_ref().unwrap()
    }

    /// The address of the gateway.
    pub(crate) fn url(&self) -> &str {
        &self.gateway.running.gateway
    }

    /// Sends `line`, such as `GET /orders/1`, with these headers.
    pub(crate) async fn call(&self, line: &str, headers: &[(&str, &str)]) -> Seen {
        let (method, path) = line.split_once(' ').unwrap();
        let url = format!("{}{path}", self.url());
        let mut request = self.client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Seen {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Sends `line` with `credential` as bearer, and the path exactly as it stands there: clients resolve dot segments.
    pub(crate) async fn raw(&self, line: &str, credential: &str) -> (u16, Asked) {
        let address = self.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {credential}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, self.last().asked)
    }

    /// Sends `line` with `credential` as bearer; the status, and whether the authorizer was asked.
    pub(crate) async fn bearer(&self, line: &str, credential: &str) -> (u16, Asked) {
        let seen = self
            .call(line, &[("authorization", &format!("Bearer {credential}"))])
            .await;
        (seen.status, self.last().asked)
    }

    /// The same, from another address of this machine.
    pub(crate) async fn bearer_from(
        &self,
        address: &str,
        line: &str,
        credential: &str,
    ) -> (u16, Asked) {
        let client = reqwest::Client::builder()
            .no_proxy()
            .local_address(Some(address.parse().unwrap()))
            .build()
            .unwrap();
        let (method, path) = line.split_once(' ').unwrap();
        let request = client.request(method.parse().unwrap(), format!("{}{path}", self.url()));
        let response = request.bearer_auth(credential).send().await.unwrap();
        (response.status().as_u16(), self.last().asked)
    }

    /// The last request as the operator saw it.
    pub(crate) fn last(&self) -> Exchange {
        self.exchanges.lock().unwrap().last().unwrap().clone()
    }

    /// How often the authorizer was asked.
    pub(crate) fn asked(&self) -> usize {
        let exchanges = self.exchanges.lock().unwrap();
        exchanges
            .iter()
            .filter(|exchange| exchange.asked == Asked::Yes)
            .count()
    }

    /// A token of the demo issuer for an hour, with these scopes.
    pub(crate) fn token(&self, scopes: &[&str]) -> String {
        self.token_with(scopes, |_| {})
    }

    /// The same, changed.
    pub(crate) fn token_with(
        &self,
        scopes: &[&str],
        change: impl FnOnce(&mut TokenRequest),
    ) -> String {
        let mut request = TokenRequest {
            issuer: self.gateway.running.issuer.clone(),
            subject: "alice".to_owned(),
            client_id: "shop".to_owned(),
            audiences: vec![DEMO_AUDIENCE.to_owned()],
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            roles: vec![],
            claims: Map::new(),
            token_type: "at+jwt".to_owned(),
            issued_at: clock::wall(),
            lifetime: 3600,
            algorithm: Algorithm::Es256,
        };
        change(&mut request);
        self.gateway
            .issuer_keys
            .mint(&request)
            .unwrap()
            .expose()
            .clone()
    }

    /// A fresh key with these scopes, as `doorward keys create` makes it.
    pub(crate) async fn key(&self, scopes: &[&str]) -> Key {
        self.key_from(scopes, None).await
    }

    /// The same, for some addresses only.
    pub(crate) async fn key_from(&self, scopes: &[&str], addresses: Option<&[&str]>) -> Key {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        self.created(CreateKey {
            tenant: "acme".to_owned(),
            name: "journey".to_owned(),
            environment: "test".to_owned(),
            scopes: owned(scopes),
            routes: None,
            addresses: addresses.map(owned),
            expires_in_days: None,
            usage_plan_key: None,
            plan: None,
            decoy: false,
            metadata: [("plan".to_owned(), "gold".to_owned())].into(),
            idempotency_key: None,
        })
        .await
    }

    pub(crate) async fn created(&self, asked: CreateKey) -> Key {
        match self.administer(Command::Create(asked)).await {
            Reply::Created { key, secret } => Key {
                id: key.id,
                printed: secret.expose().to_owned(),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Revokes a key; after how many seconds at most this is to count everywhere.
    pub(crate) async fn revoke(&self, id: &str) -> u32 {
        let command = Command::Revoke(ChangeKey {
            id: id.to_owned(),
            expected_version: None,
            reason: None,
        });
        match self.administer(command).await {
            Reply::Changed {
                effective_within_seconds,
                ..
            } => effective_within_seconds,
            other => panic!("{other:?}"),
        }
    }

    /// What is counted of a key today and in the days before.
    pub(crate) async fn usage(&self, id: &str) -> UsageView {
        let command = Command::Usage(ReadUsage {
            id: id.to_owned(),
            by: Some(By::Day),
            from: None,
            to: None,
        });
        match self.administer(command).await {
            Reply::Usage { usage, .. } => usage,
            other => panic!("{other:?}"),
        }
    }

    /// Revokes a key as `doorward keys revoke` does, with a flush; after how many seconds at most this is to count everywhere.
    pub(crate) async fn revoke_with_flush(&self, id: &str) -> (u32, String) {
        let command = Command::Revoke(ChangeKey {
            id: id.to_owned(),
            expected_version: None,
            reason: None,
        });
        match self.administer_with(command, true).await {
            Reply::Changed {
                effective_within_seconds,
                flush,
                ..
            } => (effective_within_seconds, flush.into_owned()),
            other => panic!("{other:?}"),
        }
    }

    async fn administer(&self, command: Command) -> Reply {
        self.administer_with(command, false).await
    }

    async fn administer_with(&self, command: Command, flushes: bool) -> Reply {
        let running = &self.gateway.running;
        let client = connect(dynamodb::connection(&running.dynamodb)).await;
        let policy = KeyPolicy {
            format: KeyFormat {
                prefix: "ck".to_owned(),
                environments: vec!["test".to_owned()],
                pepper: None,
                previous_pepper: None,
            },
            default_lifetime_days: 90,
            max_lifetime_days: 365,
            retention_days: 30,
            cache_seconds: self.gateway.key_cache_seconds,
            gateway_ttl_seconds: u32::try_from(running.ttl_seconds).unwrap(),
        };
        let usage = DynamoUsage::new(&client, &running.counters_table, Patience::ADMIN);
        let keys = Arc::new(DynamoKeys::new(client, &running.table));
        let mut admin = KeyAdmin::new(policy, keys.clone()).with_usage(Arc::new(usage));
        if flushes {
            admin = admin.with_flush(keys, flush_policy());
        }
        let caller = Caller::operator("journey");
        admin
            .run(command, &caller, clock::wall(), &SystemEntropy)
            .await
            .unwrap()
    }
}

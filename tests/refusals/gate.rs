//! One gate: its configuration, what it reaches out to, and what it writes to its log.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward::local::iam;
use doorward_authorizer::{
    Answer, Authorizer, Call, Event, Refusal,
    log::{self, Sink},
};
use doorward_backends::{
    http::HttpEndpoints,
    memory::{MemoryBlocks, MemoryCrls, MemoryKeys, MemoryLimits, MemoryReplays},
};
use doorward_engine::{
    Config, Engine, Sources,
    authority::Authorities,
    config::ConfigEnv,
    layers::jwt::{Algorithm, KeySetSource},
};
use doorward_keys::{
    AuditAction, Digest, KeyLedger, KeyLookup, KeyRecord, Secret, StoreError, Timestamp,
    format::KeyFormat,
};
use doorward_tests::{
    documents::Documents,
    keys::{audit, record},
    tokens::{SigningKey, Token, key_set},
};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = doorward_tests::keys::NOW.unix();
pub(crate) const ARN: &str = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod";
/// The issuer whose keys are fetched.
pub(crate) const REMOTE: &str = "https://remote.example";
pub(crate) const REMOTE_KEYS: &str = "https://remote.example/keys";
/// What this gate is known by at authorization servers. No form and no header holds it as it is.
pub(crate) const CLIENT_SECRET: &str = "s3cr3t: +%&";
pub(crate) const LOCAL: &str = "https://local.example";

/// A key for identity tokens, in PKCS #8.
fn signing_key() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    STANDARD.encode(pair.to_pkcs8v1().unwrap())
}

/// `GET /any/{id}` takes keys and tokens, `GET /token/{id}` tokens only, `DELETE /any/{id}` a scope that nobody has.
fn configuration(more: &str, jwks_uri: &str) -> String {
    let jwks = serde_json::from_str::<Value>(&key_set([&*key("local")])).unwrap();
    let jwks = toml::to_string(&json!({ "jwks": jwks })).unwrap();
    let jwks = jwks.replace("[[jwks.", "[[issuers.jwks.");
    format!(
        "{more}\n\
         [[routes]]\nroute = 'GET /any/{{id}}'\ncredentials = ['jwt', 'api_key']\n\
         [[routes]]\nroute = 'DELETE /any/{{id}}'\ncredentials = ['jwt', 'api_key']\nscopes = ['nobody']\n\
         [[routes]]\nroute = 'GET /token/{{id}}'\ncredentials = ['jwt']\n\
         [[routes]]\nroute = '$graphql'\ncredentials = ['jwt', 'api_key']\n\
         [api_keys]\nprefix = 'ck'\nenvironments = ['live']\ncache_seconds = 0\nnegative_cache_seconds = 0\n\
         [[issuers]]\nname = 'remote'\nissuer = '{REMOTE}'\nalgorithms = ['ES256']\naudiences = ['api']\n\
         danger_allow_http = true\n{jwks_uri}\n\
         [[issuers]]\nname = 'local'\nissuer = '{LOCAL}'\nalgorithms = ['ES256']\naudiences = ['api']\n{jwks}"
    )
}

fn key(id: &str) -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, id)
}

/// A token of the issuer whose keys are in the configuration.
pub(crate) fn token() -> String {
    Token::access(LOCAL, "api", NOW).signed_by(&key("local"))
}

/// A token of the issuer whose keys are fetched.
pub(crate) fn remote_token() -> String {
    Token::access(REMOTE, "api", NOW).signed_by(&key("remote"))
}

/// The key set of the issuer whose keys are fetched.
pub(crate) fn remote_keys() -> String {
    key_set([&*key("remote")])
}

/// A printed key and its record.
pub(crate) fn sample(number: u8) -> (String, KeyRecord) {
    sample_of("live", number)
}

pub(crate) fn sample_of(environment: &str, number: u8) -> (String, KeyRecord) {
    let format = KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec![environment.to_owned()],
        pepper: None,
        previous_pepper: None,
    };
    let minted = format.mint(environment, [number; 32]).unwrap();
    let held = KeyRecord {
        digest: minted.digest,
        environment: environment.to_owned(),
        ..record("acme", u64::from(number))
    };
    (minted.printed.expose().clone(), held)
}

/// Counts the reads of a store.
pub(crate) struct Counted<S> {
    pub(crate) inner: S,
    pub(crate) reads: AtomicUsize,
}

#[async_trait]
impl<S: KeyLookup> KeyLookup for Counted<S> {
    async fn lookup(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.lookup(digest).await
    }
}

/// A store in memory that holds these keys and counts its reads.
pub(crate) async fn store(records: &[KeyRecord]) -> Arc<Counted<MemoryKeys>> {
    let inner = MemoryKeys::new();
    for record in records {
        let entry = audit(AuditAction::Create, record, 1);
        inner.create(record, &entry, None).await.unwrap();
    }
    Arc::new(Counted {
        inner,
        reads: AtomicUsize::new(0),
    })
}

/// A gate with its log.
pub(crate) struct Gate {
    authorizer: Authorizer,
    lines: Arc<Mutex<Vec<Value>>>,
    /// The tokens that are blocked.
    pub(crate) blocks: Arc<MemoryBlocks>,
    time_left: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(
        more: &str,
        keys: Arc<dyn KeyLookup>,
        key_sets: Arc<dyn KeySetSource>,
    ) -> Self {
        Self::fetching(&format!("jwks_uri = '{REMOTE_KEYS}'"), more, keys, key_sets)
    }

    /// A gate whose remote issuer has this setting for its keys.
    pub(crate) fn fetching(
        jwks_uri: &str,
        more: &str,
        keys: Arc<dyn KeyLookup>,
        key_sets: Arc<dyn KeySetSource>,
    ) -> Self {
        Self::reading(&configuration(more, jwks_uri), keys, key_sets)
    }

    fn reading(text: &str, keys: Arc<dyn KeyLookup>, key_sets: Arc<dyn KeySetSource>) -> Self {
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|reference| match reference.to_string().as_str() {
                "env:CLIENT_SECRET" => Ok(Secret::new(CLIENT_SECRET.to_owned())),
                "env:SIGNING_KEY" => Ok(Secret::new(signing_key())),
                _ => Err("there are no other secrets".to_owned()),
            },
        };
        let config = match Config::read(text, "doorward.toml", &env) {
            Ok(checked) => checked.config,
            Err(faults) => panic!("{faults}\n{text}"),
        };
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink: Sink = Arc::new(move |line: &str| {
            kept.lock()
                .unwrap()
                .push(serde_json::from_str(line).unwrap());
        });
        let to_log = Arc::clone(&sink);
        let authorities = Authorities {
            endpoints: Arc::new(HttpEndpoints::new()),
            breakers: None,
            watch: Arc::new(move |change| log::breaker_changed(&to_log, change)),
        };
        let blocks = Arc::new(MemoryBlocks::new());
        let sources = Sources {
            keys,
            key_sets,
            blocks: Arc::clone(&blocks) as _,
            crls: Arc::new(MemoryCrls::new()),
            replays: Arc::new(MemoryReplays::new()),
            authorities,
            limits: Arc::new(MemoryLimits::new()),
            stopwatch: still,
            pause: |time| Box::pin(tokio::time::sleep(time)),
        };
        Self {
            authorizer: Authorizer::new(Engine::new(config, sources), sink, still),
            lines,
            blocks,
            time_left: None,
        }
    }

    /// A gate that knows these keys, where GraphQL operations are open to these credentials.
    pub(crate) async fn of_graphql(more: &str, credentials: &str, records: &[KeyRecord]) -> Self {
        let keys = store(records).await;
        let text = configuration(more, &format!("jwks_uri = '{REMOTE_KEYS}'"));
        let before = "route = '$graphql'\ncredentials = ['jwt', 'api_key']";
        let text = text.replace(
            before,
            &format!("route = '$graphql'\ncredentials = {credentials}"),
        );
        Self::reading(&text, keys, Arc::new(Documents::default()))
    }

    /// A gate that knows these keys and no key set.
    pub(crate) async fn of_keys(more: &str, records: &[KeyRecord]) -> Self {
        Self::new(more, store(records).await, Arc::new(Documents::default()))
    }

    /// The same with so much time for the function.
    pub(crate) fn within(self, time_left: Duration) -> Self {
        Self {
            time_left: Some(time_left),
            ..self
        }
    }

    /// The answer to `event`.
    pub(crate) async fn ask(&self, event: &Value) -> Result<Value, Refusal> {
        self.ask_at(event, NOW).await
    }

    pub(crate) async fn ask_at(&self, event: &Value, now: i64) -> Result<Value, Refusal> {
        let call = Call {
            request_id: "req-1".to_owned(),
            trace_id: None,
            received_at: Timestamp::from_unix(now).into(),
            time_left: self.time_left,
        };
        let text = event.to_string();
        let event = Event::parse(text.as_bytes());
        let answer = self.authorizer.handle(&event, &call).await;
        answer.map(|answer: Answer| answer.to_value())
    }

    /// The last line of the log.
    pub(crate) fn line(&self) -> Value {
        self.lines.lock().unwrap().last().unwrap().clone()
    }

    /// All lines of the log.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    /// The outcome of each layer that the last request visited.
    pub(crate) fn layers(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let line = self.line();
        let layers = line["layers"].as_array().unwrap().iter();
        layers
            .map(|layer| (text(&layer["layer"]), text(&layer["outcome"])))
            .collect()
    }

    /// Refuses because it could not find out: no answer that a cache would keep, and a line that says `reason` and names
    /// each of `causes`.
    #[track_caller]
    pub(crate) fn could_not_find_out(
        &self,
        answer: &Result<Value, Refusal>,
        reason: &str,
        causes: &[&str],
    ) {
        assert_eq!(*answer, Err(Refusal::Failed));
        let line = self.line();
        assert_eq!(line["event"], "decision");
        assert_eq!(line["level"], "ERROR", "{line}");
        assert_eq!(line["Class"], "unavailable", "{line}");
        assert_eq!(line["reason"], reason, "{line}");
        let detail = line["detail"].as_str().unwrap();
        for cause in causes {
            assert!(detail.contains(cause), "`{cause}` is not in: {detail}");
        }
    }
}

const fn still() -> Duration {
    Duration::ZERO
}

/// A REST event of the type REQUEST for `verb` and `path` with these headers.
pub(crate) fn rest(verb: &str, path: &str, headers: &[(&str, &str)]) -> Value {
    let once: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let all: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!([value])))
        .collect();
    json!({
        "type": "REQUEST", "methodArn": format!("{ARN}/{verb}{path}"), "path": path, "httpMethod": verb,
        "headers": once, "multiValueHeaders": all,
        "requestContext": {
            "accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod", "httpMethod": verb,
            "identity": {"sourceIp": "198.51.100.7"},
        },
    })
}

/// An event of an HTTP API, payload format 2.0.
pub(crate) fn http(verb: &str, path: &str, headers: &[(&str, &str)]) -> Value {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({
        "version": "2.0", "type": "REQUEST", "routeArn": format!("{ARN}/{verb}{path}"),
        "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": "111122223333", "apiId": "a1b2c3", "stage": "prod",
            "http": {"method": verb, "path": path, "sourceIp": "198.51.100.7"},
        },
    })
}

/// Whether a gateway that keeps `answer` lets this pass, by the evaluator of `doorward local`.
pub(crate) fn lets_pass(answer: &Value, verb: &str, path: &str) -> bool {
    let facts = iam::Facts {
        now: Timestamp::from_unix(NOW),
        source_ip: "198.51.100.7".parse().ok(),
        secure_transport: true,
        user_agent: None,
        referer: None,
    };
    let policy = &answer["policyDocument"];
    let resource = format!("{ARN}/{verb}{path}");
    iam::evaluate(policy, "execute-api:Invoke", &resource, &facts).unwrap() == iam::Effect::Allow
}

/// `GET /any/42` with this bearer.
pub(crate) fn bearer(credential: &str) -> Value {
    let value = format!("Bearer {credential}");
    rest("GET", "/any/42", &[("Authorization", &value)])
}

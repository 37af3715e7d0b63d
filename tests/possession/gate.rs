//! One gate: its configuration, what it remembers, and the events that it is asked.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use doorward_authorizer::{Answer, Authorizer, Call, Event, Refusal};
use doorward_backends::memory::{
    MemoryBlocks, MemoryCrls, MemoryKeys, MemoryLimits, MemoryReplays,
};
use doorward_engine::{
    Config, Engine, Sources,
    authority::Authorities,
    config::{ConfigEnv, SecretReference},
    layers::{
        certificate::{CrlPlace, CrlSource},
        jwt::Algorithm,
        proof::ReplayStore,
    },
};
use doorward_keys::{Secret, Timestamp};
use doorward_tests::{
    authorities::Spoken,
    documents::Documents,
    tokens::{SigningKey, Token, key_set},
};
use rcgen::KeyPair;
use serde_json::{Value, json};

pub(crate) const NOW: i64 = doorward_tests::keys::NOW.unix();
const ISSUER: &str = "https://issuer.example";

/// What sends the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rest,
    Http1,
    Http2,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Rest, Self::Http1, Self::Http2];
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) domain: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) certificate: Option<String>,
}

pub(crate) const DOMAIN: &str = "api.example.com";

/// `GET` on `path` of the custom domain.
pub(crate) fn get(kind: Kind, path: &str) -> Asked {
    Asked {
        kind,
        method: "GET",
        path: path.to_owned(),
        domain: DOMAIN,
        headers: vec![],
        certificate: None,
    }
}

impl Asked {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn shows(self, pem: &str) -> Self {
        Self {
            certificate: Some(pem.to_owned()),
            ..self
        }
    }

    pub(crate) fn at(self, domain: &'static str) -> Self {
        Self { domain, ..self }
    }

    /// The event, with fields beside the certificate that say something else.
    pub(crate) fn event(&self) -> Value {
        let stage = match self.kind {
            Kind::Rest => "prod",
            Kind::Http1 | Kind::Http2 => "$default",
        };
        let Self {
            method,
            path,
            domain,
            ..
        } = self;
        let arn =
            format!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/{stage}/{method}{path}");
        let mut once = serde_json::Map::new();
        let mut all = serde_json::Map::new();
        for (name, value) in &self.headers {
            let joined = match once.get(*name).and_then(Value::as_str) {
                Some(before) if self.kind == Kind::Http2 => format!("{before},{value}"),
                _ => value.clone(),
            };
            once.insert((*name).to_owned(), json!(joined));
            let list = all.entry(*name).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(json!(value));
        }
        let certificate = self.certificate.as_ref().map(|pem| {
            json!({
                "clientCertPem": pem, "subjectDN": "CN=admin", "issuerDN": "CN=root", "serialNumber": "99",
                "validity": {"notBefore": "Jan  1 00:00:00 2000 GMT", "notAfter": "Jan  1 00:00:00 2001 GMT"},
            })
        });
        match self.kind {
            Kind::Rest | Kind::Http1 => {
                let mut event = json!({
                    "type": "REQUEST", "methodArn": arn, "path": path, "httpMethod": method,
                    "headers": once, "multiValueHeaders": all,
                    "requestContext": {
                        "apiId": "a1b2c3", "stage": stage, "httpMethod": method, "path": path, "domainName": domain,
                        "identity": {"sourceIp": "198.51.100.7", "clientCert": certificate},
                    },
                });
                if self.kind == Kind::Http1 {
                    event["version"] = json!("1.0");
                }
                event
            }
            Kind::Http2 => json!({
                "version": "2.0", "type": "REQUEST", "routeArn": arn, "rawPath": path, "headers": once,
                "requestContext": {
                    "apiId": "a1b2c3", "stage": stage, "domainName": domain,
                    "http": {"method": method, "path": path, "sourceIp": "198.51.100.7"},
                    "authentication": {"clientCert": certificate},
                },
            }),
        }
    }
}

/// The key that signs tokens.
fn issuer_key() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "issuer")
}

/// A token that is bound as `cnf` says.
pub(crate) fn token(cnf: Option<Value>) -> String {
    let token = Token::access(ISSUER, "api", NOW);
    let token = match cnf {
        Some(cnf) => token.claim("cnf", cnf),
        None => token,
    };
    token.signed_by(&issuer_key())
}

/// Lists of revoked certificates that take a moment to come.
#[derive(Default)]
pub(crate) struct Lists {
    held: MemoryCrls,
    pub(crate) fetched: AtomicUsize,
}

impl Lists {
    pub(crate) fn put(&self, place: &str, list: Vec<u8>) {
        self.held.put(place, list);
    }

    pub(crate) fn remove(&self, place: &str) {
        self.held.remove(place);
    }
}

#[async_trait]
impl CrlSource for Lists {
    async fn fetch(&self, place: &CrlPlace) -> Result<Vec<u8>, String> {
        self.fetched.fetch_add(1, Ordering::SeqCst);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.held.fetch(place).await
    }
}

pub(crate) struct Gate {
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) crls: Arc<Lists>,
    pub(crate) lines: Arc<Mutex<Vec<Value>>>,
}

/// The checked configuration: `more`, and an issuer.
pub(crate) fn config(more: &Value) -> Config {
    let mut config = more.clone();
    let jwks: Value = serde_json::from_str(&key_set([&*issuer_key()])).unwrap();
    config["issuers"] = json!([{
        "name": "issuer", "issuer": ISSUER, "algorithms": ["ES256"], "audiences": ["api"], "jwks": jwks,
    }]);
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|reference| {
            let text = match reference {
                SecretReference::Env(name) if name == "SIGNING_KEY" => {
                    KeyPair::generate().unwrap().serialize_pem()
                }
                _ => "a secret that is long enough for a nonce".to_owned(),
            };
            Ok(Secret::new(text))
        },
    };
    match Config::read(&config.to_string(), "doorward.json", &env) {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}"),
    }
}

impl Gate {
    pub(crate) fn new(more: &Value) -> Self {
        Self::remembering(more, Arc::new(MemoryReplays::new()))
    }

    /// A gate that asks `spoken` about opaque tokens.
    pub(crate) fn asking(more: &Value, spoken: Spoken) -> Self {
        let authorities = Authorities {
            endpoints: Arc::new(spoken),
            ..Authorities::none()
        };
        Self::over(more, Arc::new(MemoryReplays::new()), authorities)
    }

    pub(crate) fn remembering(more: &Value, replays: Arc<dyn ReplayStore>) -> Self {
        Self::over(more, replays, Authorities::none())
    }

    fn over(more: &Value, replays: Arc<dyn ReplayStore>, authorities: Authorities) -> Self {
        let crls = Arc::new(Lists::default());
        let sources = Sources {
            keys: Arc::new(MemoryKeys::new()),
            key_sets: Arc::new(Documents::default()),
            blocks: Arc::new(MemoryBlocks::new()),
            crls: Arc::clone(&crls) as _,
            replays,
            authorities,
            limits: Arc::new(MemoryLimits::new()),
            pause: |time| Box::pin(tokio::time::sleep(time)),
            stopwatch: || Duration::ZERO,
        };
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink = Arc::new(move |line: &str| {
            kept.lock()
                .unwrap()
                .push(serde_json::from_str(line).unwrap());
        });
        let engine = Engine::new(config(more), sources);
        Self {
            authorizer: Arc::new(Authorizer::new(engine, sink, || Duration::ZERO)),
            crls,
            lines,
        }
    }

    pub(crate) async fn ask_at(&self, asked: &Asked, now: i64) -> Result<Value, Refusal> {
        let call = Call {
            request_id: "req-1".to_owned(),
            trace_id: None,
            received_at: Timestamp::from_unix(now).into(),
            time_left: None,
        };
        let text = asked.event().to_string();
        let event = Event::parse(text.as_bytes());
        let answer = self.authorizer.handle(&event, &call).await;
        answer.map(|answer: Answer| answer.to_value())
    }

    /// The reason of the refusal, or `allow`.
    pub(crate) async fn outcome_at(&self, asked: &Asked, now: i64) -> String {
        let answer = self.ask_at(asked, now).await;
        let line = self.lines.lock().unwrap().last().unwrap().clone();
        let reason = line["reason"].as_str().unwrap_or("allow").to_owned();
        if reason == "allow" {
            assert!(answer.is_ok(), "{line}");
        }
        reason
    }

    pub(crate) async fn outcome(&self, asked: &Asked) -> String {
        self.outcome_at(asked, NOW).await
    }

    pub(crate) fn line(&self) -> Value {
        self.lines.lock().unwrap().last().unwrap().clone()
    }
}

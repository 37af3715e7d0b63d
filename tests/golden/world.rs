//! One gate for one case: configuration, keys, key sets, and what is wrong with them.

use std::{pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use doorward_authorizer::{Authorizer, Call, log::Sink, names};
use doorward_backends::memory::{
    MemoryBlocks, MemoryCrls, MemoryKeys, MemoryLimits, MemoryReplays, MemoryUsage,
};
use doorward_engine::{
    Config, Engine, Sources,
    authority::Authorities,
    config::{ConfigEnv, ConfigFaults},
    usage::UsageBuffer,
};
use doorward_keys::{
    AuditAction, Block, BlockAction, BlockChange, BlockId, BlockLedger, BlockReader, Digest,
    KeyLedger, KeyLookup, KeyRecord, Secret, StoreError, Target, Timestamp,
};
use doorward_tests::{
    documents::Documents,
    faulty::{Fault, Faulty},
    keys::audit,
};
use serde_json::{Value, json};

use crate::{possession, secrets, servers, tokens};

/// When everything happens.
pub(crate) const NOW: i64 = doorward_tests::keys::NOW.unix();
pub(crate) const PREFIX: &str = "ck";
pub(crate) const ENVIRONMENTS: &[&str] = &["live"];
/// Where every caller calls from.
pub(crate) const ADDRESS: &str = "198.51.100.7";

/// In what state the gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// All is well.
    Well,
    /// The key store has a fault.
    Store(Fault),
    /// The key store panics.
    StorePanics,
    /// The address of every caller is on the deny list.
    AddressDenied,
    /// The same, where a proxy tells it.
    ForwardedDenied,
    /// Policies may have 512 bytes.
    SmallPolicies,
    /// No issuer is configured.
    NoIssuers,
    /// Identity tokens are minted.
    IdentityTokens,
    /// Identity tokens are signed by a key of KMS, and KMS cannot be called.
    NoKms,
    /// Identity tokens are minted, and contexts may have 256 bytes.
    SmallContexts,
    /// The configuration has a fault.
    BadConfiguration,
    /// The one limit of every route is used up, and this becomes of it.
    UsedUp(Over),
    /// The limit by address, before all credentials, is used up.
    AddressUsedUp,
    /// The store of limits has a fault, and nobody passes then.
    LimitStore(Fault),
    /// Usage is counted before the answer, the store of usage has a fault, and nobody passes uncounted.
    UsageStore(Fault),
    /// The event has numbers where texts belong.
    BadEvent,
    /// Keys have a pepper, and there was another before.
    Peppers,
    /// Keys have a pepper, and there was none before.
    NewPepper,
    /// Proxies tell the address of the caller.
    Proxies(Proxies),
    /// Credentials may stand in the query and in a cookie.
    QueryAndCookie,
    /// A server knows opaque tokens, and another swaps them.
    Servers,
    /// The same, and a header says of which issuer a token is.
    IssuerHeader,
    /// The tokens of the people are blocked, and the list of blocks has a fault.
    Blocked(Fault),
    /// Certificates and proofs are accepted.
    Possession(Possession),
}

/// What may be wrong with certificates and proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Possession {
    Well,
    /// The list of revoked certificates is not there.
    NoList,
    /// The store of proofs does not answer.
    StoreDown,
    /// A proof needs a nonce.
    Nonce,
    /// The same proof came before.
    Again,
}

/// Which proxies are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxies {
    /// The range of the peer.
    Peer,
    /// A range in which the peer is not.
    Others,
    /// One, whatever its address.
    OneHop,
    /// Two, whatever their addresses.
    TwoHops,
}

/// What becomes of a request over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Deny,
    PenaltyKey,
    Backend,
}

impl State {
    /// Whether a call before this one used a limit up.
    pub(crate) const fn is_used_up(self) -> bool {
        matches!(
            self,
            Self::UsedUp(_) | Self::AddressUsedUp | Self::Possession(Possession::Again)
        )
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "",
            Self::Store(Fault::None) => "store well",
            Self::Store(Fault::Down) => "store down",
            Self::Store(Fault::Slow(_)) => "store slow",
            Self::Store(Fault::Garbage) => "store garbage",
            Self::Store(Fault::Wrong) => "store wrong",
            Self::StorePanics => "store panics",
            Self::AddressDenied => "address denied",
            Self::ForwardedDenied => "forwarded address denied",
            Self::SmallPolicies => "policies of 512 bytes",
            Self::NoIssuers => "no issuers",
            Self::IdentityTokens => "identity tokens",
            Self::NoKms => "identity tokens, no KMS",
            Self::SmallContexts => "identity tokens, small contexts",
            Self::BadConfiguration => "bad configuration",
            Self::UsedUp(Over::Deny) => "limit used up",
            Self::UsedUp(Over::PenaltyKey) => "limit used up, penalty key",
            Self::UsedUp(Over::Backend) => "limit used up, backend",
            Self::AddressUsedUp => "address used up",
            Self::LimitStore(Fault::None) => "limit store well",
            Self::LimitStore(Fault::Down) => "limit store down",
            Self::LimitStore(Fault::Slow(_)) => "limit store slow",
            Self::LimitStore(Fault::Garbage) => "limit store garbage",
            Self::LimitStore(Fault::Wrong) => "limit store wrong",
            Self::UsageStore(Fault::None) => "usage store well",
            Self::UsageStore(Fault::Down) => "usage store down",
            Self::UsageStore(Fault::Slow(_)) => "usage store slow",
            Self::UsageStore(Fault::Garbage) => "usage store garbage",
            Self::UsageStore(Fault::Wrong) => "usage store wrong",
            Self::BadEvent => "bad event",
            Self::Peppers => "two peppers",
            Self::NewPepper => "one pepper",
            Self::Proxies(Proxies::Peer) => "peer trusted",
            Self::Proxies(Proxies::Others) => "another peer trusted",
            Self::Proxies(Proxies::OneHop) => "one hop trusted",
            Self::Proxies(Proxies::TwoHops) => "two hops trusted",
            Self::QueryAndCookie => "query and cookie on",
            Self::Possession(Possession::Well) => "possession",
            Self::Possession(Possession::NoList) => "possession, no list",
            Self::Possession(Possession::StoreDown) => "possession, store down",
            Self::Possession(Possession::Nonce) => "possession, nonces",
            Self::Possession(Possession::Again) => "possession, again",
            Self::Servers => "servers",
            Self::IssuerHeader => "servers by a header",
            Self::Blocked(Fault::None) => "tokens blocked",
            Self::Blocked(Fault::Down) => "block list down",
            Self::Blocked(Fault::Slow(_)) => "block list slow",
            Self::Blocked(Fault::Garbage) => "block list garbage",
            Self::Blocked(Fault::Wrong) => "block list wrong",
        }
    }
}

/// The routes of the configuration by name, with what opens them. Each is at `/{name}/{id}`.
pub(crate) fn routes() -> Vec<(&'static str, Value)> {
    let many: Vec<String> = (1..30)
        .map(|i| format!("198.51.100.{}/32", i * 2 - 1))
        .collect();
    // As many ranges as a policy may list, each as long as can be.
    let wide: Vec<String> = (0..15)
        .map(|i| format!("2001:db8:1111:2222:3333:4444:5555:{i:x}666/128"))
        .chain([format!("{ADDRESS}/32")])
        .collect();
    let any = |more: Value| {
        let mut route = json!({"credentials": ["jwt", "api_key"]});
        route
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        route
    };
    vec![
        ("open", json!({"credentials": ["anonymous"]})),
        ("any", any(json!({}))),
        ("token", json!({"credentials": ["jwt"]})),
        ("key", json!({"credentials": ["api_key"]})),
        ("both", json!({"credentials": ["api_key + jwt"]})),
        ("scope", any(json!({"scopes": ["orders:admin"]}))),
        ("role", json!({"credentials": ["jwt"], "roles": ["admin"]})),
        ("tenant", any(json!({"tenants": ["globex"]}))),
        (
            "office",
            any(json!({"addresses": {"allow": ["192.0.2.0/24"]}})),
        ),
        (
            "here",
            any(json!({"addresses": {"allow": ["198.51.100.0/24"]}})),
        ),
        ("crowd", any(json!({"addresses": {"allow": many}}))),
        ("wide", any(json!({"addresses": {"allow": wide}}))),
    ]
}

/// The configuration for a case about `route`: `$connect` and `$graphql` want the same as the route.
fn configuration(route: &str, state: State) -> String {
    let mut all = Vec::new();
    let has_servers = matches!(state, State::Servers | State::IssuerHeader);
    let of_servers = has_servers.then(servers::routes);
    let more = match state {
        State::Possession(_) => vec![("certificate", json!({"credentials": ["certificate"]}))],
        _ => of_servers.unwrap_or_default(),
    };
    for (name, demands) in routes().into_iter().chain(more) {
        let mut add = |key: String, name: String| {
            let mut body = demands.clone();
            body["route"] = json!(key);
            body["name"] = json!(name);
            all.push(body);
        };
        add(format!("GET /{name}/{{id}}"), name.to_owned());
        if name == route {
            add("$connect".to_owned(), format!("{name}-connect"));
            add("$graphql".to_owned(), format!("{name}-graphql"));
        }
    }
    let mut config = json!({
        "api_keys": {"prefix": PREFIX, "environments": ENVIRONMENTS},
        "issuers": tokens::issuers(),
        "routes": all,
    });
    match state {
        State::AddressDenied => config["addresses"] = json!({"deny": [ADDRESS]}),
        State::ForwardedDenied => {
            config["addresses"] = json!({"trusted_hops": 1, "deny": ["192.0.2.0/24"]});
        }
        State::SmallPolicies => config["answers"] = json!({"max_policy_bytes": 512}),
        State::IdentityTokens | State::NoKms | State::SmallContexts => {
            let key = match state {
                State::NoKms => "kms:alias/gate",
                _ => "env:SIGNING_KEY",
            };
            config["identity_token"] =
                json!({"issuer": "gate", "audience": "backend", "signing_key": key});
            if state == State::SmallContexts {
                config["answers"] = json!({"max_context_bytes": 256});
            }
        }
        State::NoIssuers => {
            config.as_object_mut().unwrap().remove("issuers");
            for route in config["routes"].as_array_mut().unwrap() {
                if route["credentials"] != json!(["anonymous"]) {
                    route["credentials"] = json!(["api_key"]);
                }
            }
        }
        State::Peppers => {
            config["api_keys"]["pepper"] = json!("env:PEPPER");
            config["api_keys"]["previous_pepper"] = json!("env:PREVIOUS_PEPPER");
        }
        State::NewPepper => config["api_keys"]["pepper"] = json!("env:PEPPER"),
        State::Proxies(proxies) => {
            config["addresses"] = match proxies {
                Proxies::Peer => json!({"trusted_proxies": ["198.51.100.0/24"]}),
                Proxies::Others => json!({"trusted_proxies": ["203.0.113.0/24"]}),
                Proxies::OneHop => json!({"trusted_hops": 1}),
                Proxies::TwoHops => json!({"trusted_hops": 2}),
            }
        }
        State::QueryAndCookie => {
            config["api_keys"]["query_parameter"] = json!("key");
            config["tokens"] = json!({"query_parameter": "token", "cookie": "session"});
        }
        State::Servers | State::IssuerHeader => servers::configure(&mut config, state),
        State::UsedUp(over) => {
            config["limits"] = json!({"one": {"limit": 1, "per": "day"}});
            config["default_limits"] = json!(["one"]);
            config["answers"] = match over {
                Over::Deny => json!({}),
                Over::PenaltyKey => {
                    json!({"rate_limited": "penalty_key", "penalty_key": "env:PENALTY_KEY"})
                }
                Over::Backend => json!({"rate_limited": "backend"}),
            };
        }
        State::AddressUsedUp => {
            config["limits"] = json!({"one": {"limit": 1, "per": "day", "by": ["address"]}});
            config["addresses"] = json!({"limit": "one"});
        }
        State::LimitStore(_) => {
            let one = json!({"limit": 1, "per": "day", "on_outage": "deny"});
            config["limits"] = json!({"one": one});
            config["default_limits"] = json!(["one"]);
        }
        State::Possession(possession) => {
            config["certificates"] = possession::certificates(possession);
            config["dpop"] = possession::dpop(possession);
        }
        State::Blocked(_) => config["block_list"] = json!({}),
        State::UsageStore(_) => config["usage"] = json!({"mode": "exact"}),
        State::BadConfiguration => config["routes"][0]["route"] = json!("GET orders"),
        _ => {}
    }
    toml::to_string(&config).unwrap()
}

fn read(text: &str) -> Result<Config, ConfigFaults> {
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|reference| match reference.to_string().as_str() {
            "env:PEPPER" => Ok(Secret::new(secrets::PEPPER.to_owned())),
            "env:PREVIOUS_PEPPER" => Ok(Secret::new(secrets::PREVIOUS_PEPPER.to_owned())),
            "env:NONCE" => Ok(Secret::new(
                "a secret that is long enough for a nonce".to_owned(),
            )),
            "env:CLIENT_SECRET" => Ok(Secret::new("the secret of the client".to_owned())),
            "env:PENALTY_KEY" => Ok(Secret::new("plan-key-without-allowance".to_owned())),
            "env:SIGNING_KEY" => Ok(Secret::new(tokens::signing_key().0)),
            "kms:alias/gate" => Ok(Secret::new(tokens::signing_key().1)),
            other => Err(format!("there is no `{other}`")),
        },
    };
    Config::read(text, "doorward.toml", &env).map(|checked| checked.config)
}

/// A store that panics.
struct Panicking;

#[async_trait]
impl KeyLookup for Panicking {
    async fn lookup(&self, _: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        panic!("the store panics, as this case wants it")
    }
}

async fn keys() -> Arc<MemoryKeys> {
    let keys = MemoryKeys::new();
    for record in secrets::all().into_iter().filter_map(|key| key.record) {
        let entry = audit(AuditAction::Create, &record, 1);
        keys.create(&record, &entry, None).await.unwrap();
    }
    Arc::new(keys)
}

/// Blocks all tokens of the people.
async fn blocks(fault: Fault) -> Arc<dyn BlockReader> {
    let now = Timestamp::from_unix(NOW);
    let block = Block {
        id: BlockId::new(now, 1),
        issuer: tokens::PEOPLE.to_owned(),
        target: Target::Issuer,
        issued_before: None,
        expires_at: now.plus(3600),
        created_at: now,
        actor: "op".to_owned(),
        reason: None,
    };
    let blocks = MemoryBlocks::new();
    let change = BlockChange::of(BlockAction::Add, &block, "op", None, now, 1);
    blocks.add(&change).await.unwrap();
    Arc::new(Faulty::new(Arc::new(blocks), fault))
}

/// The whole function, for a case about `route`.
pub(crate) async fn authorizer(route: &str, state: State, simple: bool, sink: Sink) -> Authorizer {
    let mut config = match read(&configuration(route, state)) {
        Ok(config) => config,
        Err(faults) if state == State::BadConfiguration => {
            return Authorizer::shut(&faults.faults, sink, still);
        }
        Err(faults) => panic!("{faults}"),
    };
    if simple {
        config.answers.http_api = doorward_engine::config::HttpApiAnswer::Simple;
    }
    let keys: Arc<dyn KeyLookup> = match state {
        State::Store(fault) => Arc::new(Faulty::new(keys().await, fault)),
        State::StorePanics => Arc::new(Panicking),
        _ => keys().await,
    };
    let fault = match state {
        State::LimitStore(fault) => fault,
        _ => Fault::None,
    };
    let of_proofs = match state {
        State::Possession(Possession::StoreDown) => Fault::Down,
        _ => Fault::None,
    };
    let limits = Arc::new(Faulty::new(Arc::new(MemoryLimits::new()), fault));
    let key_sets = Arc::new(Faulty::new(Arc::new(Documents::default()), Fault::Down));
    let blocks = match state {
        State::Blocked(fault) => blocks(fault).await,
        _ => Arc::new(MemoryBlocks::new()),
    };
    let sources = Sources {
        keys,
        blocks,
        key_sets,
        crls: Arc::new(MemoryCrls::new()),
        replays: Arc::new(Faulty::new(Arc::new(MemoryReplays::new()), of_proofs)),
        authorities: Authorities {
            endpoints: Arc::new(servers::spoken()),
            ..Authorities::none()
        },
        limits,
        pause,
        stopwatch: still,
    };
    let authorizer = Authorizer::new(Engine::new(config, sources), sink, still);
    match state {
        State::UsageStore(fault) => {
            let store = Arc::new(Faulty::new(Arc::new(MemoryUsage::new()), fault));
            authorizer.counting(Arc::new(UsageBuffer::new(store, names::fresh, still)))
        }
        _ => authorizer,
    }
}

pub(crate) fn pause(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(time))
}

pub(crate) const fn still() -> Duration {
    Duration::ZERO
}

/// The invocation; in a case of a slow store there is little time.
pub(crate) fn call(state: State) -> Call {
    Call {
        request_id: "req-1".to_owned(),
        trace_id: None,
        received_at: Timestamp::from_unix(NOW).into(),
        time_left: matches!(state, State::Store(Fault::Slow(_)))
            .then_some(Duration::from_millis(200)),
    }
}

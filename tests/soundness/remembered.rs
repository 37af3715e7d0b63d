//! Policies that an engine remembers: one that has answered others before answers as one that has not.

use std::{
    cell::RefCell,
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use doorward_engine::layers::jwt::Algorithm;
use doorward_keys::{KeyRecord, Timestamp};
use doorward_tests::{
    keys::{NOW, record},
    tokens::{SigningKey, Token, key_set},
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    function::Function,
    refusals::{ADDRESSES, LISTS, PATHS, TEMPLATES, allows, format},
};

const CASES: u32 = 80;
const ISSUER: &str = "https://issuer.example";

/// What one route asks for, as indices of the lists below.
#[derive(Clone, Debug)]
struct Row {
    credentials: usize,
    demands: usize,
    addresses: usize,
    limit: usize,
    context: usize,
}

const CREDENTIALS: [&str; 4] = ["'api_key'", "'jwt'", "'api_key', 'jwt'", "'api_key+jwt'"];
const DEMANDS: [&str; 7] = [
    "",
    "scopes = ['read']",
    "scopes = ['read', 'write']",
    "scopes = { any = ['write', 'other'] }",
    "roles = ['chief']",
    "tenants = ['acme']",
    "tenants = ['acme', 'beta', '?']",
];
const LIMITS: [&str; 4] = ["", "by_key", "by_tenant", "by_address"];
const CONTEXTS: [&str; 2] = ["", "context = { area = 'other' }"];

/// Settings of the whole gate.
#[derive(Clone, Debug)]
struct Gate {
    rows: Vec<Option<Row>>,
    of_all: usize,
    conditions: bool,
    unreachable: bool,
    /// Small enough to leave some routes out.
    max_bytes: usize,
}

fn gate() -> impl Strategy<Value = Gate> {
    let rare = |count: usize| prop_oneof![6 => Just(0), 1 => 0..count];
    let row = (
        0..CREDENTIALS.len(),
        0..DEMANDS.len(),
        rare(LISTS.len()),
        rare(LIMITS.len()),
        rare(CONTEXTS.len()),
    );
    let row = row.prop_map(|(credentials, demands, addresses, limit, context)| Row {
        credentials,
        demands,
        addresses,
        limit,
        context,
    });
    (
        proptest::collection::vec(prop::option::weighted(0.7, row), TEMPLATES.len()),
        rare(LISTS.len()),
        prop::bool::weighted(0.8),
        any::<bool>(),
        prop_oneof![3 => Just(7168_usize), 1 => 700..1600_usize],
    )
        .prop_map(|(rows, of_all, conditions, unreachable, max_bytes)| Gate {
            rows,
            of_all,
            conditions,
            unreachable,
            max_bytes,
        })
}

impl Gate {
    fn text(&self) -> String {
        let jwks: Value = serde_json::from_str(&key_set([&*signing_key()])).unwrap();
        let jwks = toml::to_string(&json!({ "jwks": jwks })).unwrap();
        let jwks = jwks.replace("[[jwks.", "[[issuers.jwks.");
        let unlisted = if self.unreachable {
            "unlisted_paths = 'unreachable'\n"
        } else {
            ""
        };
        let mut text = format!(
            "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n\
             [answers]\nmax_policy_bytes = {}\n\
             [policy]\nconditions = {}\n{unlisted}\
             [addresses]\n{}\n\
             [limits.by_key]\nlimit = 100000\nper = 'day'\nby = ['key']\n\
             [limits.by_tenant]\nlimit = 100000\nper = 'day'\nby = ['tenant']\n\
             [limits.by_address]\nlimit = 100000\nper = 'day'\nby = ['address']\n\
             [[issuers]]\nname = 'one'\nissuer = '{ISSUER}'\nalgorithms = ['ES256']\naudiences = ['api']\n\
             claims = {{ roles = 'roles', tenant = 'tenant' }}\n{jwks}",
            self.max_bytes,
            self.conditions,
            LISTS[self.of_all].replace("], deny", "]\ndeny"),
        );
        for (template, row) in TEMPLATES.iter().zip(&self.rows) {
            let Some(row) = row else { continue };
            let _ = writeln!(
                text,
                "[[routes]]\nroute = 'GET {template}'\ncredentials = [{}]\n{}\n{}",
                CREDENTIALS[row.credentials], DEMANDS[row.demands], CONTEXTS[row.context],
            );
            if row.addresses > 0 {
                let _ = writeln!(text, "addresses = {{ {} }}", LISTS[row.addresses]);
            }
            if row.limit > 0 {
                let _ = writeln!(text, "limits = ['{}']", LIMITS[row.limit]);
            }
        }
        text + "[[routes]]\nroute = 'GET /always'\ncredentials = ['api_key', 'jwt']\n"
    }
}

fn signing_key() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "one")
}

/// The headers of one caller, and the record of the key among them.
struct Caller {
    headers: Value,
    key: Option<KeyRecord>,
}

/// Callers who differ in one thing or another, in what counts and in what does not.
fn callers() -> &'static [Caller] {
    static CALLERS: OnceLock<Vec<Caller>> = OnceLock::new();
    CALLERS.get_or_init(|| {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut callers = Vec::new();
        let key = |number: u8, change: &dyn Fn(KeyRecord) -> KeyRecord| {
            let minted = format().mint("live", [number; 32]).unwrap();
            let held = change(KeyRecord {
                digest: minted.digest,
                scopes: words("read"),
                ..record("acme", u64::from(number))
            });
            (minted.printed.expose().clone(), held)
        };
        let changes: [&dyn Fn(KeyRecord) -> KeyRecord; 9] = [
            &|held| held,
            &|held| KeyRecord {
                name: "other".to_owned(),
                scopes: words("read unknown"),
                ..held
            },
            &|held| KeyRecord {
                scopes: words("write read"),
                ..held
            },
            &|held| KeyRecord {
                tenant: "beta".to_owned(),
                ..held
            },
            &|held| KeyRecord {
                tenant: "gamma".to_owned(),
                ..held
            },
            &|held| KeyRecord {
                tenant: "?".to_owned(),
                ..held
            },
            &|held| KeyRecord {
                expires_at: None,
                ..held
            },
            &|held| KeyRecord {
                addresses: Some(vec!["10.0.0.0/16".parse().unwrap()]),
                ..held
            },
            &|held| KeyRecord {
                routes: Some(words("GET:/a GET:/always"))
                    .map(|names| names.iter().map(|name| name.replace(':', " ")).collect()),
                ..held
            },
        ];
        for (number, change) in (1..).zip(changes) {
            let (printed, held) = key(number, change);
            callers.push(Caller {
                headers: json!({ "x-api-key": printed }),
                key: Some(held),
            });
        }
        let token = || Token::access(ISSUER, "api", NOW.unix());
        let tokens = [
            token(),
            token()
                .claim("sub", json!("user-2"))
                .claim("exp", json!(NOW.unix() + 900)),
            token().claim("scope", json!("write other")),
            token().claim("roles", json!(["chief", "cook"])),
            token().claim("tenant", json!("acme")),
            token().claim("tenant", json!("gamma")),
        ];
        for (number, token) in (20..).zip(tokens) {
            let token = token
                .claim("jti", json!(number.to_string()))
                .signed_by(&signing_key());
            let bearer = format!("Bearer {token}");
            let (printed, held) = key(number, &|held| held);
            callers.push(Caller {
                headers: json!({ "authorization": bearer, "x-api-key": printed }),
                key: Some(held),
            });
            callers.push(Caller {
                headers: json!({ "authorization": bearer }),
                key: None,
            });
        }
        callers
    })
}

async fn function(gate: &Gate) -> Function {
    let keys = callers().iter().filter_map(|caller| caller.key.as_ref());
    Function::new(&gate.text(), &keys.collect::<Vec<_>>()).await
}

/// The answer, with the policy in an order of its own, and why.
async fn ask(function: &Function, asked: &Asked, now: Timestamp) -> (Option<Value>, Value) {
    let path = PATHS.get(asked.path).copied().unwrap_or("/always");
    let headers = &callers()[asked.caller].headers;
    let answer = function.ask(path, headers, ADDRESSES[asked.address], now);
    let answer = answer.await.map(in_order);
    let reason = function.last.lock().unwrap()["reason"].clone();
    (answer, reason)
}

/// An answer without what is counted down in its context, and with statements and resources sorted.
fn in_order(mut answer: Value) -> Value {
    let context = answer["context"].as_object_mut().unwrap();
    let counted = ["remaining", "reset", "rateLimit"];
    context.retain(|name, _| !counted.iter().any(|word| name.starts_with(word)));
    let statements = answer["policyDocument"]["Statement"]
        .as_array_mut()
        .unwrap();
    for statement in statements.iter_mut() {
        let resources = statement["Resource"].as_array_mut().unwrap();
        resources.sort_by_key(Value::to_string);
    }
    statements.sort_by_key(Value::to_string);
    answer
}

#[derive(Clone, Debug)]
struct Asked {
    caller: usize,
    path: usize,
    address: usize,
}

fn asked() -> impl Strategy<Value = Asked> {
    let caller = 0..callers().len();
    (
        caller,
        0..=PATHS.len(),
        prop_oneof![3 => Just(1), 1 => 0..ADDRESSES.len()],
    )
        .prop_map(|(caller, path, address)| Asked {
            caller,
            path,
            address,
        })
}

#[test]
fn an_engine_that_remembers_answers_as_one_that_does_not() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let allowed = RefCell::new(0_usize);
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let many = (gate(), proptest::collection::vec(asked(), 40));
    let result = TestRunner::new(config).run(&many, |(gate, many)| {
        runtime.block_on(async {
            let warm = function(&gate).await;
            for (asked, later) in many.iter().zip((0..3).cycle()) {
                let now = NOW.plus(later);
                let (answer, reason) = ask(&warm, asked, now).await;
                let (fresh, of_fresh) = ask(&function(&gate).await, asked, now).await;
                prop_assert_eq!(&reason, &of_fresh, "{:?}\n{}", asked, gate.text());
                prop_assert_eq!(&answer, &fresh, "{:?}\n{}", asked, gate.text());
                *allowed.borrow_mut() += usize::from(reason.is_null());
            }
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{} allowed", allowed.borrow());
    assert!(*allowed.borrow() > 100);
}

/// What goes with the refusal of an address is remembered too, and is never that of a caller with other rights.
#[tokio::test]
async fn a_refused_address_gets_what_its_own_caller_may_do_elsewhere() {
    const DENIED: &str = "10.9.0.1";
    const ELSEWHERE: &str = "10.0.0.2";
    let text = "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n[addresses]\ndeny = ['10.9.0.0/16']\n\
        [policy]\nunlisted_paths = 'unreachable'\n\
        [[routes]]\nroute = 'GET /a/{x}'\ncredentials = ['api_key']\nscopes = ['read']\n\
        [[routes]]\nroute = 'GET /b/{p+}'\ncredentials = ['api_key']\nscopes = ['write']\n\
        [[routes]]\nroute = 'GET /c'\ncredentials = ['api_key']\n";
    let keys = [
        (1, "read", None),
        (2, "read write", None),
        (3, "read", Some(NOW.plus(100))),
    ];
    let keys = keys.map(|(number, scopes, expires_at)| {
        let minted = format().mint("live", [number; 32]).unwrap();
        let held = KeyRecord {
            digest: minted.digest,
            scopes: scopes.split(' ').map(str::to_owned).collect(),
            expires_at,
            ..record("acme", u64::from(number))
        };
        (minted.printed, held)
    });
    let function = Function::new(text, &keys.each_ref().map(|(_, held)| held)).await;
    for round in 0..2 {
        for (printed, held) in &keys {
            let headers = json!({ "x-api-key": printed.expose() });
            for asked in ["/a/1", "/c", "/b/1/2", "/a/1234"] {
                let answer = function.ask(asked, &headers, DENIED, NOW).await.unwrap();
                let policy = &answer["policyDocument"];
                for path in PATHS.into_iter().chain(["/a/1234", "/c"]) {
                    let may = match path {
                        "/b/1/2" | "/b/d" => held.scopes.len() == 2,
                        "/a/1" | "/a/1234" | "/c" => true,
                        _ => continue,
                    };
                    let context = format!("{round} {} {asked} {path}: {policy:#}", held.id);
                    assert_eq!(allows(policy, path, ELSEWHERE, NOW), may, "{context}");
                    let later = held.expires_at.is_none() && may;
                    assert_eq!(
                        allows(policy, path, ELSEWHERE, NOW.plus(100)),
                        later,
                        "{context}"
                    );
                    assert!(!allows(policy, path, DENIED, NOW), "{context}");
                }
            }
        }
    }
}

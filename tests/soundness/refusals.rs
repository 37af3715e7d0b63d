//! Refusals that a gateway keeps: whatever the answer to a refused request allows, a fresh decision allows, whoever asks with
//! the same credential, from wherever, whenever. Here the whole function decides, with lists of addresses, routes and keys and
//! the limit of addresses, and its answers are read by the evaluator of `doorward local`.

use std::{cell::RefCell, fmt::Write as _, net::IpAddr};

use doorward::local::iam;
use doorward_keys::{KeyRecord, Timestamp, format::KeyFormat};
use doorward_tests::keys::record;
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::function::{ARN, Function};

const CASES: u32 = 20;
const NOW: Timestamp = doorward_tests::keys::NOW;
const LATER: i64 = 3 * 86_400;

pub(crate) const LISTS: [&str; 5] = [
    "",
    "allow = ['10.0.0.0/8']",
    "allow = ['10.0.0.0/16', '192.0.2.0/24']",
    "deny = ['10.9.0.0/16']",
    "allow = ['10.0.0.0/8', '2001:db8::/32'], deny = ['10.0.0.1']",
];
pub(crate) const TEMPLATES: [&str; 6] = ["/a", "/a/{x}", "/a/{x}/c", "/b/{p+}", "/b/d", "/{x}"];
pub(crate) const PATHS: [&str; 11] = [
    "/a", "/a/1", "/a/1/c", "/a/1/d", "/a//1", "/a%2F1", "/b/1/2", "/b/d", "/b/1;2", "/z", "/z/y/x",
];
pub(crate) const ADDRESSES: [&str; 6] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.9.0.1",
    "192.0.2.5",
    "198.51.100.7",
    "2001:db8::1",
];

/// One random gate.
#[derive(Clone, Debug)]
struct Gate {
    /// For each template its list, whether the key has the scope, and which context it has; absent: no such route.
    routes: Vec<Option<(usize, bool, bool)>>,
    of_all: usize,
    of_key: usize,
    is_limited: bool,
    unreachable: bool,
}

fn gate() -> impl Strategy<Value = Gate> {
    let route = (
        0..LISTS.len(),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.1),
    );
    let routes = proptest::collection::vec(prop::option::weighted(0.6, route), TEMPLATES.len());
    let lists = prop_oneof![2 => Just(0_usize), 1 => 0..LISTS.len()];
    (
        routes,
        lists.clone(),
        lists,
        prop::bool::weighted(0.3),
        any::<bool>(),
    )
        .prop_map(|(routes, of_all, of_key, is_limited, unreachable)| Gate {
            routes,
            of_all,
            of_key,
            is_limited,
            unreachable,
        })
}

impl Gate {
    fn text(&self) -> String {
        let mut text = "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n".to_owned();
        if self.unreachable {
            text += "[policy]\nunlisted_paths = 'unreachable'\n";
        }
        text += "[addresses]\n";
        text += &LISTS[self.of_all].replace("], deny", "]\ndeny");
        if self.is_limited {
            text += "\nlimit = 'one'\n[limits.one]\nlimit = 1\nper = 'day'\nby = ['address']\n";
        }
        for (template, route) in TEMPLATES.iter().zip(&self.routes) {
            let Some((list, entitled, other)) = route else {
                continue;
            };
            let scope = if *entitled { "orders:read" } else { "nobody" };
            let _ = write!(
                text,
                "\n[[routes]]\nroute = 'GET {template}'\ncredentials = ['api_key']\nscopes = ['{scope}']\n"
            );
            if *list > 0 {
                let _ = writeln!(text, "addresses = {{ {} }}", LISTS[*list]);
            }
            if *other {
                text += "context = { area = 'other' }\n";
            }
        }
        text += "\n[[routes]]\nroute = 'GET /always'\ncredentials = ['api_key']\n";
        text
    }

    /// Whether a gateway with exactly these routes cannot be asked for this path.
    fn is_out_of_reach(&self, path: &str) -> bool {
        self.unreachable
            && (path.contains("/z") || path == "/a/1/d" || self.routes.iter().any(Option::is_none))
    }
}

pub(crate) fn format() -> KeyFormat {
    KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned()],
        pepper: None,
        previous_pepper: None,
    }
}

/// A key, printed, and its record.
fn key(of_key: usize) -> (String, KeyRecord) {
    let minted = format().mint("live", [7; 32]).unwrap();
    let ranges: &[&str] = match of_key {
        0 => {
            return (
                minted.printed.expose().clone(),
                KeyRecord {
                    digest: minted.digest,
                    ..record("acme", 7)
                },
            );
        }
        1 => &["10.0.0.0/8"],
        2 => &["10.0.0.0/16", "192.0.2.0/24"],
        3 => &["198.51.100.7"],
        _ => &["2001:db8::/32", "10.9.0.0/16"],
    };
    let ranges = ranges.iter().map(|range| {
        range
            .parse()
            .unwrap_or_else(|_| range.parse::<IpAddr>().unwrap().into())
    });
    let held = KeyRecord {
        digest: minted.digest,
        addresses: Some(ranges.collect()),
        ..record("acme", 7)
    };
    (minted.printed.expose().clone(), held)
}

struct World {
    function: Function,
    printed: String,
}

impl World {
    async fn new(gate: &Gate) -> Self {
        let (printed, held) = key(gate.of_key);
        let function = Function::new(&gate.text(), &[&held]).await;
        Self { function, printed }
    }

    /// The answer's policy; none where it is an error, which no gateway keeps.
    async fn ask(&self, path: &str, from: &str, now: Timestamp) -> Option<Value> {
        let headers = json!({"authorization": format!("Bearer {}", self.printed)});
        let answer = self.function.ask(path, &headers, from, now).await?;
        Some(answer["policyDocument"].clone())
    }
}

pub(crate) fn allows(policy: &Value, path: &str, from: &str, now: Timestamp) -> bool {
    let facts = iam::Facts {
        now,
        source_ip: Some(from.parse().unwrap()),
        secure_transport: true,
        user_agent: None,
        referer: None,
    };
    let resource = format!("{ARN}/GET{path}");
    iam::evaluate(policy, "execute-api:Invoke", &resource, &facts).unwrap() == iam::Effect::Allow
}

/// How often a refusal lets through whom a fresh decision lets through.
#[derive(Debug, Default)]
struct Counted {
    refusals: usize,
    permitted: usize,
    missing: usize,
}

async fn sound(
    gate: &Gate,
    path: &str,
    from: &str,
    counted: &mut Counted,
) -> Result<(), TestCaseError> {
    let asked = World::new(gate).await;
    // Uses the limit up, and makes the authorizer remember the key.
    let before = if gate.is_limited {
        asked.ask("/always", from, NOW).await
    } else {
        None
    };
    let Some(policy) = asked.ask(path, from, NOW).await else {
        return Ok(());
    };
    let line = asked.function.last.lock().unwrap().clone();
    if line["decision"] == "allow" {
        return Ok(());
    }
    prop_assert!(!allows(&policy, path, from, NOW), "{line} {policy:#}");
    counted.refusals += 1;
    let is_of_address = line["reason"].as_str().unwrap().contains("address");
    for there in ADDRESSES {
        for now in [NOW, NOW.plus(LATER)] {
            for probe in PATHS {
                let fresh = World::new(gate).await;
                if before.is_some() {
                    fresh.ask("/always", from, NOW).await;
                }
                let decided = fresh.ask(probe, there, now).await;
                let may = decided.is_some_and(|policy| allows(&policy, probe, there, now));
                let passes = allows(&policy, probe, there, now);
                prop_assert!(
                    !passes || may || gate.is_out_of_reach(probe),
                    "refused {path} from {from} for {}, and {probe} from {there} at {now:?} passes: {policy:#}\n{}",
                    line["reason"],
                    gate.text()
                );
                counted.permitted += usize::from(may && is_of_address);
                counted.missing += usize::from(may && is_of_address && !passes);
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_kept_refusal_allows_the_function_allows() {
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The same gates in every run: how much is missing hangs on the gates.
    let same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let counted = all_sound(TestRunner::new_with_rng(config.clone(), same));
    assert!(counted.refusals > 10, "{counted:?}");
    // What is missing are neighbours that no policy can hold together, and routes with another context.
    assert!(counted.missing * 2 < counted.permitted, "{counted:?}");

    all_sound(TestRunner::new(config));
}

fn all_sound(mut runner: TestRunner) -> Counted {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let counted = RefCell::new(Counted::default());
    let strategy = (gate(), 0..PATHS.len(), 0..ADDRESSES.len());
    let result = runner.run(&strategy, |(gate, path, from)| {
        let mut counted = counted.borrow_mut();
        runtime.block_on(sound(&gate, PATHS[path], ADDRESSES[from], &mut counted))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let counted = counted.into_inner();
    println!("{counted:?}");
    counted
}

//! Soundness: whatever the policy allows, the engine allows.

use std::cell::RefCell;

use proptest::{prelude::*, test_runner::TestRunner};

use super::*;

const CASES: u32 = 100;

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => Just("a"), 2 => Just("bc"), 1 => Just("a.~"), 3 => Just("{x}")];
    let pieces = proptest::collection::vec(piece, 0..5);
    (pieces, prop::bool::weighted(0.2)).prop_map(|(pieces, open)| {
        let mut text = String::new();
        for (i, piece) in pieces.iter().enumerate() {
            text.push('/');
            text.push_str(&piece.replace('x', &format!("x{i}")));
        }
        if open {
            text.push_str("/{p+}");
        }
        if text.is_empty() {
            "/".to_owned()
        } else {
            text
        }
    })
}

const VERBS: [&str; 4] = ["GET", "HEAD", "POST", "ANY"];
const LISTS: [&[&str]; 3] = [&[], &["10.0.0.0/8"], &["10.0.0.0/16", "192.0.2.0/24"]];

#[derive(Clone, Debug)]
struct Row {
    template: String,
    verb: usize,
    permitted: bool,
    allow: usize,
    deny: usize,
}

fn row() -> impl Strategy<Value = Row> {
    let lists = prop_oneof![6 => Just((0_usize, 0_usize)), 1 => Just((1, 0)), 1 => Just((2, 0)), 1 => Just((0, 1))];
    (
        template(),
        0..VERBS.len(),
        prop::bool::weighted(0.65),
        lists,
    )
        .prop_map(|(template, verb, permitted, (allow, deny))| Row {
            template,
            verb,
            permitted,
            allow,
            deny,
        })
}

fn world(mode: UnlistedPaths, rows: &[Row]) -> World {
    let mut rows: Vec<&Row> = rows.iter().collect();
    let shape = |row: &Row| {
        crate::routes::Template::parse(&row.template)
            .unwrap()
            .shape()
    };
    rows.sort_by_key(|row| (shape(row), row.verb));
    rows.dedup_by_key(|row| (shape(row), row.verb));
    let key = |row: &Row| format!("{} {}", VERBS[row.verb], row.template);
    let keys: Vec<String> = rows
        .iter()
        .map(|r| format!("{}{}", if r.permitted { "+" } else { "" }, key(r)))
        .collect();
    let mut world = World::new(mode, &keys.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        world = world.from(&key(row), LISTS[row.allow], LISTS[row.deny]);
    }
    world
}

/// Paths that lie near the templates: their own, longer and shorter ones, and other spellings.
fn paths() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => Just("a".to_owned()), 6 => Just("bc".to_owned()), 4 => Just("a.~".to_owned()), 4 => Just("z".to_owned()),
        1 => Just(".".to_owned()), 1 => Just("..".to_owned()), 1 => Just(String::new()), 1 => Just("A".to_owned()),
        1 => Just("%61".to_owned()), 1 => Just("b%63".to_owned()), 1 => Just("a%2e~".to_owned()), 1 => Just("a.%7E".to_owned()),
        1 => Just("a.%7e".to_owned()), 1 => Just("%2E%2e".to_owned()), 1 => Just("a;b".to_owned()), 1 => Just("a%2fbc".to_owned()),
        1 => Just("a%2Fbc".to_owned()), 1 => Just("a%5Cbc".to_owned()), 1 => Just("%2561".to_owned()), 1 => Just("a%00".to_owned()),
        1 => Just("*".to_owned()), 1 => Just("?".to_owned()), 1 => Just("a%40b".to_owned()), 1 => Just("\u{e9}".to_owned()),
        1 => Just("%c3%a9".to_owned()), 1 => Just("a\\bc".to_owned()), 1 => "[ -~&&[^%/\\\\]]{1,4}",
        1 => "(%[2-7][0-9a-fA-F]|[abc.~]){1,4}",
    ];
    proptest::collection::vec(word, 0..7).prop_map(|words| format!("/{}", words.join("/")))
}

/// A path made from a template, and what was done to it.
#[derive(Clone, Debug)]
struct Probe {
    row: usize,
    words: Vec<&'static str>,
    twist: usize,
    at: usize,
    extra: String,
}

fn probe() -> impl Strategy<Value = Probe> {
    let word = prop_oneof![
        6 => Just("z"), 2 => Just("a"), 2 => Just("bc"), 2 => Just("a.~"), 1 => Just("z/a"), 1 => Just("z/bc/z"),
        1 => Just("%62c"), 1 => Just("b%63"), 1 => Just("a@b"), 1 => Just("a%20b"), 1 => Just("..")
    ];
    let words = proptest::collection::vec(word, 6);
    (0..64_usize, words, 0..20_usize, 0..8_usize, paths()).prop_map(
        |(row, words, twist, at, extra)| Probe {
            row,
            words,
            twist,
            at,
            extra,
        },
    )
}

impl Probe {
    fn raw(&self, rows: &[Row]) -> String {
        let template = &rows[self.row % rows.len()].template;
        let mut words = self.words.iter();
        let mut segments: Vec<String> = template
            .split('/')
            .skip(1)
            .filter(|s| !s.is_empty())
            .map(|s| {
                if s.starts_with('{') {
                    (*words.next().unwrap_or(&"z")).to_owned()
                } else {
                    s.to_owned()
                }
            })
            .collect();
        let at = self.at % (segments.len() + 1);
        let escape = |text: &str, lower: bool| -> String {
            text.bytes()
                .map(|b| {
                    if lower {
                        format!("%{b:02x}")
                    } else {
                        format!("%{b:02X}")
                    }
                })
                .collect()
        };
        match self.twist {
            0..=8 => {}
            9 | 10 => segments.insert(at, self.words[5].to_owned()),
            11 => segments.push(String::new()),
            12 => segments.insert(at, String::new()),
            13 | 14 => segments
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|s| *s = escape(s, self.twist == 13)),
            15 => segments
                .iter_mut()
                .skip(at)
                .take(1)
                .for_each(|s| *s = s.to_uppercase()),
            16 => drop(segments.pop()),
            17 => segments.insert(at, "x/..".to_owned()),
            18 => segments.insert(at, ".".to_owned()),
            _ => return self.extra.clone(),
        }
        format!("/{}", segments.join("/"))
    }
}

/// How often a permitted request in the plain spelling would be missing from a policy built for another request, and how
/// often no policy at all could be built for one.
#[derive(Debug, Default)]
struct Missing {
    permitted: usize,
    missing: usize,
    asked: usize,
    inexpressible: usize,
}

fn sound(
    mode: UnlistedPaths,
    rows: &[Row],
    spelled: &[String],
    asked: usize,
    max_bytes: usize,
    missing: &mut Missing,
) -> Result<(), TestCaseError> {
    let mut world = world(mode, rows);
    world.max_bytes = max_bytes;
    let addresses: [IpAddr; 3] = [
        "10.0.0.1".parse().unwrap(),
        "10.9.0.1".parse().unwrap(),
        "198.51.100.7".parse().unwrap(),
    ];
    let asked = &spelled[asked % spelled.len()];
    for verb in ["GET", "HEAD", "POST", "OPTIONS"] {
        let policy = match (
            NormalPath::parse(asked),
            world.engine_allows(verb, asked, addresses[0]),
        ) {
            (Err(_), _) => continue,
            (Ok(_), false) => {
                let policy = world.deny(verb, asked);
                prop_assert!(!iam_allows(&policy, verb, asked, addresses[0]));
                policy
            }
            (Ok(path), true) => {
                let plain = path.as_str() == asked;
                missing.asked += usize::from(plain);
                match world.build(verb, asked) {
                    Err(reason) => {
                        prop_assert!(matches!(
                            reason,
                            Reason::PolicyInexpressible | Reason::PolicyTooLarge
                        ));
                        missing.inexpressible +=
                            usize::from(plain && reason == Reason::PolicyInexpressible);
                        continue;
                    }
                    Ok(policy) => {
                        prop_assert!(iam_allows(&policy, verb, asked, addresses[0]));
                        policy
                    }
                }
            }
        };
        for raw in spelled {
            for verb in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE"] {
                for from in addresses {
                    let engine = world.engine_allows(verb, raw, from);
                    let iam = iam_allows(&policy, verb, raw, from);
                    prop_assert!(
                        !iam || engine || world.is_out_of_reach(raw),
                        "{verb} {raw} from {from}\n{policy:#?}"
                    );
                    if engine
                        && max_bytes == 7168
                        && verb != "HEAD"
                        && NormalPath::parse(raw).is_ok_and(|p| p.as_str() == raw)
                    {
                        missing.permitted += 1;
                        missing.missing += usize::from(!iam);
                    }
                }
            }
        }
    }
    Ok(())
}

fn run(mode: UnlistedPaths, cases: u32) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let strategy = (
        proptest::collection::vec(row(), 1..10),
        proptest::collection::vec(probe(), 12..40),
        any::<usize>(),
        prop_oneof![3 => Just(7168_usize), 1 => Just(3000), 1 => Just(1800)],
    );
    let missing = RefCell::new(Missing::default());
    let result = runner.run(&strategy, |(rows, probes, asked, max_bytes)| {
        let spelled: Vec<String> = probes.iter().map(|probe| probe.raw(&rows)).collect();
        sound(
            mode,
            &rows,
            &spelled,
            asked,
            max_bytes,
            &mut missing.borrow_mut(),
        )
    });
    println!("{mode:?}: {:?}", missing.borrow());
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn what_a_policy_allows_the_engine_allows_with_unlisted_paths_refused() {
    run(UnlistedPaths::Refuse, CASES);
}

#[test]
fn what_a_policy_allows_the_engine_allows_with_unlisted_paths_unreachable() {
    run(UnlistedPaths::Unreachable, CASES);
}

//! Soundness: whatever the policy allows, the engine allows.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;

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

static PERMITTED: AtomicUsize = AtomicUsize::new(0);
static MISSING: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
static ASKED: AtomicUsize = AtomicUsize::new(0);
static INEXPRESSIBLE: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

fn sound(
    mode: UnlistedPaths,
    rows: &[Row],
    raws: &[String],
    asked: usize,
    max_bytes: usize,
) -> Result<(), TestCaseError> {
    let mut world = world(mode, rows);
    world.max_bytes = max_bytes;
    let addresses: [IpAddr; 3] = [
        "10.0.0.1".parse().unwrap(),
        "10.9.0.1".parse().unwrap(),
        "198.51.100.7".parse().unwrap(),
    ];
    let mode_index = usize::from(mode == UnlistedPaths::Unreachable);
    let asked = &raws[asked % raws.len()];
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
                ASKED.fetch_add(usize::from(plain), Ordering::Relaxed);
                match world.build(verb, asked) {
                    Err(reason) => {
                        prop_assert!(matches!(
                            reason,
                            Reason::PolicyInexpressible | Reason::PolicyTooLarge
                        ));
                        INEXPRESSIBLE[mode_index].fetch_add(
                            usize::from(plain && reason == Reason::PolicyInexpressible),
                            Ordering::Relaxed,
                        );
                        continue;
                    }
                    Ok(policy) => {
                        prop_assert!(iam_allows(&policy, verb, asked, addresses[0]));
                        policy
                    }
                }
            }
        };
        for raw in raws {
            for verb in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE"] {
                for from in addresses {
                    let engine = world.engine_allows(verb, raw, from);
                    let iam = iam_allows(&policy, verb, raw, from);
                    prop_assert!(
                        !iam || engine || world.is_out_of_reach(raw),
                        "{verb} {raw} from {from}\n{policy:#?}"
                    );
                    if engine
                        && verb != "HEAD"
                        && NormalPath::parse(raw).is_ok_and(|p| p.as_str() == raw)
                    {
                        PERMITTED.fetch_add(1, Ordering::Relaxed);
                        MISSING[mode_index].fetch_add(usize::from(!iam), Ordering::Relaxed);
                    }
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_a_policy_allows_the_engine_allows(
        rows in proptest::collection::vec(row(), 1..10),
        raws in proptest::collection::vec(paths(), 12..40),
        asked in any::<usize>(),
        max_bytes in prop_oneof![Just(7168_usize), Just(3000), Just(1800)],
    ) {
        sound(UnlistedPaths::Refuse, &rows, &raws, asked, max_bytes)?;
        sound(UnlistedPaths::Unreachable, &rows, &raws, asked, max_bytes)?;
    }
}

#[test]
fn completeness() {
    // Run with `--nocapture` after the property above, in one thread, to see the counts.
    println!(
        "permitted {PERMITTED:?}, missing: refuse {:?}, unreachable {:?}; asked {ASKED:?}, inexpressible: refuse {:?}, unreachable {:?}",
        MISSING[0], MISSING[1], INEXPRESSIBLE[0], INEXPRESSIBLE[1]
    );
}

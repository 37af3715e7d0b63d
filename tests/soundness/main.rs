//! Soundness of policies: whatever a policy allows, the engine allows.
//!
//! Random tables, rights and requests; the policy built for one request is read by the IAM evaluator of `doorward local`,
//! which was written apart from the builder, and compared with what the engine says of other requests. The claim holds for
//! every path whose `%` are followed by two hexadecimal digits that form UTF-8, and which holds no raw control characters:
//! globs cannot tell other texts apart, and no HTTP server passes them on.
//!
//! How often a permitted request is missing from a policy is counted and printed; see it with `--nocapture`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite: a fault in it should fail loudly"
)]

mod function;
mod refusals;
mod remembered;
mod tables;
mod world;

use std::cell::RefCell;

use doorward_engine::{
    Reason,
    layers::policy::{Condition, UnlistedPaths},
    request::path::NormalPath,
};
use proptest::{prelude::*, test_runner::TestRunner};

use tables::{Row, probe, row};
use world::{Caller, Document, LATER, NOW, World};

const CASES: u32 = 100;

/// How often a permitted request in the plain spelling is missing from a policy with room enough that was built for another
/// request, and how often no policy could be built for one that was asked for.
#[derive(Debug, Default)]
struct Completeness {
    permitted: usize,
    missing: usize,
    asked: usize,
    inexpressible: usize,
}

/// The policy for a request, checked against that request itself.
fn policy(
    world: &World,
    verb: &str,
    raw: &str,
    caller: Caller,
    for_one: bool,
    counted: &mut Completeness,
) -> Result<Option<Document>, TestCaseError> {
    let later = Caller {
        now: LATER,
        ..caller
    };
    if !world.engine_allows(verb, raw, caller) {
        // For everybody, or, where others may have it, for this address alone.
        let alone = Condition {
            addresses: Some(vec![caller.from.into()]),
            ..Condition::default()
        };
        let holds = if for_one { alone } else { Condition::default() };
        let denial = world.deny(verb, raw, &holds);
        prop_assert!(
            !denial.allows(verb, raw, caller),
            "denied, yet {verb} {raw} passes {denial:#?}"
        );
        if !world.engine_allows(verb, raw, later) {
            return Ok(Some(denial));
        }
        // A limit that is used up: the policy refuses until there is room again, and passes then.
        let Ok(policy) = world.build(verb, raw) else {
            return Ok(Some(denial));
        };
        prop_assert!(
            !policy.allows(verb, raw, caller) && policy.allows(verb, raw, later),
            "{verb} {raw} has room later {policy:#?}"
        );
        return Ok(Some(policy));
    }
    let is_plain = NormalPath::parse(raw).is_ok_and(|path| path.as_str() == raw);
    counted.asked += usize::from(is_plain);
    match world.build(verb, raw) {
        Ok(policy) => {
            prop_assert!(
                policy.allows(verb, raw, caller),
                "asked for {verb} {raw} {policy:#?}"
            );
            Ok(Some(policy))
        }
        Err(reason) => {
            prop_assert!(matches!(
                reason,
                Reason::PolicyInexpressible | Reason::PolicyTooLarge
            ));
            counted.inexpressible += usize::from(is_plain && reason == Reason::PolicyInexpressible);
            Ok(None)
        }
    }
}

fn sound(
    world: &World,
    raw_paths: &[String],
    asked: usize,
    counted: &mut Completeness,
) -> Result<(), TestCaseError> {
    let callers = [
        ("10.0.0.1", NOW),
        ("10.0.0.1", LATER),
        ("10.9.0.1", LATER),
        ("198.51.100.7", LATER),
    ]
    .map(|(from, now)| Caller {
        from: from.parse().unwrap(),
        now,
    });
    for verb in ["GET", "HEAD", "POST"] {
        let asked = &raw_paths[asked % raw_paths.len()];
        // What is refused of the first caller is refused of everybody, or of that one.
        let for_one = raw_paths.len().is_multiple_of(2);
        let Some(policy) = policy(world, verb, asked, callers[0], for_one, counted)? else {
            continue;
        };
        prop_assert!(
            policy.size() <= world.max_bytes(),
            "{} bytes {policy:#?}",
            policy.size()
        );
        prop_assert!(policy.longest_resource() <= 512);
        for raw in raw_paths {
            for verb in ["GET", "HEAD", "POST", "DELETE", "TRACE"] {
                for caller in callers {
                    let engine = world.engine_allows(verb, raw, caller);
                    let iam = policy.allows(verb, raw, caller);
                    let sound = !iam || engine || world.is_out_of_reach(raw);
                    prop_assert!(
                        sound,
                        "built for {asked}, and {verb} {raw} passes for {caller:?} {policy:#?}"
                    );
                    if engine
                        && world.max_bytes() == ROOMY
                        && NormalPath::parse(raw).is_ok_and(|path| path.as_str() == raw)
                    {
                        counted.permitted += 1;
                        counted.missing += usize::from(!iam);
                    }
                }
            }
        }
    }
    Ok(())
}

const ROOMY: usize = 7168;

fn run(mode: UnlistedPaths) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let strategy = (
        proptest::collection::vec(row(), 1..10),
        proptest::collection::vec(probe(), 8..20),
        any::<usize>(),
        prop_oneof![3 => Just(ROOMY), 1 => Just(3000), 1 => Just(1800)],
    );
    let counted = RefCell::new(Completeness::default());
    let result = runner.run(&strategy, |(rows, probes, asked, max_bytes)| {
        let raw_paths: Vec<String> = probes.iter().map(|probe| probe.raw(&rows)).collect();
        let world = World::new(mode, &rows, max_bytes);
        sound(&world, &raw_paths, asked, &mut counted.borrow_mut())
    });
    println!("{mode:?}: {:?}", counted.borrow());
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn what_a_policy_allows_the_engine_allows_with_unlisted_paths_refused() {
    run(UnlistedPaths::Refuse);
}

#[test]
fn what_a_policy_allows_the_engine_allows_with_unlisted_paths_unreachable() {
    run(UnlistedPaths::Unreachable);
}

/// An ordinary API: collections, members, and what belongs to members.
const ORDINARY: [(&str, &str); 14] = [
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("GET", "/orders/{id}"),
    ("DELETE", "/orders/{id}"),
    ("GET", "/orders/{id}/items"),
    ("POST", "/orders/{id}/items"),
    ("GET", "/orders/{id}/items/{item}"),
    ("GET", "/users/{id}"),
    ("GET", "/users/{id}/avatar"),
    ("GET", "/users/me"),
    ("GET", "/reports/{year}/{month}"),
    ("GET", "/files/{path+}"),
    ("GET", "/health"),
    ("POST", "/login"),
];

/// Asks for each route and counts which of the others the policy lets pass: allowed and expected.
fn ordinary(mode: UnlistedPaths, refused: &[&str]) -> (usize, usize) {
    let verb = |name| tables::VERBS.iter().position(|verb| *verb == name).unwrap();
    let rows = ORDINARY.map(|(name, template)| Row {
        template: template.to_owned(),
        verb: verb(name),
        permitted: !refused.contains(&template),
        allow: 0,
        deny: 0,
        later: false,
    });
    let world = World::new(mode, &rows, ROOMY);
    let caller = Caller {
        from: "10.0.0.1".parse().unwrap(),
        now: NOW,
    };
    let path = |template: &str| {
        template
            .replace('{', "4")
            .replace("+}", "/5")
            .replace('}', "")
    };
    let permitted = || {
        ORDINARY
            .into_iter()
            .filter(|(_, template)| !refused.contains(template))
    };
    let (mut allowed, mut expected) = (0, 0);
    for (verb, template) in permitted() {
        let policy = world.build(verb, &path(template)).unwrap();
        for (verb, template) in permitted() {
            expected += 1;
            allowed += usize::from(policy.allows(verb, &path(template), caller));
        }
    }
    (allowed, expected)
}

#[test]
fn an_ordinary_api_is_complete_where_unlisted_paths_are_unreachable() {
    let (allowed, expected) = ordinary(UnlistedPaths::Unreachable, &[]);
    assert_eq!(allowed, expected);
    let (allowed, expected) = ordinary(
        UnlistedPaths::Unreachable,
        &["/users/me", "/reports/{year}/{month}", "/login"],
    );
    assert_eq!(allowed, expected);
}

#[test]
fn an_ordinary_api_is_nearly_complete_where_unlisted_paths_are_refused() {
    // `/orders/{id}` needs a Deny of all that is deeper, and so excludes `/orders/{id}/items`; each is there when it, or a
    // route near it, was asked for.
    let (allowed, expected) = ordinary(UnlistedPaths::Refuse, &[]);
    println!("{allowed} of {expected}");
    assert!(allowed * 10 >= expected * 7, "{allowed} of {expected}");
}

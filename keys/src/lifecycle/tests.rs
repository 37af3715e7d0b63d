use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    max_lifetime_seconds: 1000,
    max_overlap_seconds: 100,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn fresh(number: u128) -> Fresh {
    Fresh {
        id: KeyId::from_ulid(ulid::Ulid::from_parts(1, number)),
        digest: Digest::of(&number.to_string(), None),
    }
}

fn draft(lifetime_seconds: i64) -> Draft {
    Draft {
        tenant: "acme".to_owned(),
        name: "ci".to_owned(),
        environment: "live".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        routes: Some(vec![]),
        addresses: Some(vec!["10.0.0.0/8".parse().unwrap()]),
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
        lifetime_seconds,
    }
}

fn new_key() -> KeyRecord {
    create(draft(500), fresh(0), at(0), LIMITS).unwrap()
}

#[test]
fn a_life_without_end_or_beyond_the_maximum_is_refused() {
    for lifetime in [i64::MIN, -1, 0, 1001, i64::MAX] {
        assert_eq!(
            create(draft(lifetime), fresh(0), at(0), LIMITS),
            Err(Refusal::Lifetime(1000)),
            "{lifetime}"
        );
        assert_eq!(
            rotate(&new_key(), fresh(1), lifetime, 0, at(0), LIMITS),
            Err(Refusal::Lifetime(1000)),
            "{lifetime}"
        );
    }
}

#[test]
fn an_overlap_beyond_the_bound_is_refused() {
    for overlap in [i64::MIN, -1, 101, i64::MAX] {
        assert_eq!(
            rotate(&new_key(), fresh(1), 10, overlap, at(0), LIMITS),
            Err(Refusal::Overlap(100)),
            "{overlap}"
        );
    }
}

#[test]
fn a_rotation_never_lengthens_the_old_life_and_never_widens_the_new_key() {
    let old = new_key();
    let late = rotate(&old, fresh(1), 1000, 100, at(450), LIMITS).unwrap();
    assert_eq!(late.old.expires_at, old.expires_at);
    let early = rotate(&old, fresh(1), 1000, 100, at(10), LIMITS).unwrap();
    assert_eq!(early.old.expires_at, Some(at(110)));
    assert_eq!(early.new.expires_at, Some(at(1010)));
    let as_old = KeyRecord {
        digest: old.digest.clone(),
        id: old.id.clone(),
        created_at: old.created_at,
        changed_at: old.changed_at,
        expires_at: old.expires_at,
        rotated_from: None,
        ..early.new.clone()
    };
    assert_eq!(as_old, old);
    assert_eq!(early.old.rotated_to, Some(early.new.id.clone()));
    assert_eq!(early.new.rotated_from, Some(early.old.id));
}

#[test]
fn a_rotated_key_is_not_rotated_again() {
    let old = rotate(&new_key(), fresh(1), 10, 10, at(0), LIMITS)
        .unwrap()
        .old;
    assert_eq!(
        rotate(&old, fresh(2), 10, 10, at(0), LIMITS),
        Err(Refusal::Rotated)
    );
}

#[test]
fn a_disabled_key_does_not_escape_by_rotation() {
    let disabled = disable(&new_key(), at(0)).unwrap();
    assert_eq!(
        rotate(&disabled, fresh(1), 10, 10, at(0), LIMITS),
        Err(Refusal::Disabled)
    );
}

#[test]
fn a_revoked_key_stays_revoked() {
    let revoked = revoke(&disable(&new_key(), at(0)).unwrap(), at(0)).unwrap();
    assert_eq!(enable(&revoked, at(0)), Err(Refusal::Revoked));
    assert_eq!(disable(&revoked, at(0)), Err(Refusal::Revoked));
    assert_eq!(
        revoke(&revoked, at(0)),
        Err(Refusal::Already(KeyStatus::Revoked))
    );
    assert_eq!(
        rotate(&revoked, fresh(1), 10, 10, at(0), LIMITS),
        Err(Refusal::Revoked)
    );
}

#[test]
fn a_key_is_refused_from_the_second_of_its_expiry_on() {
    let key = new_key();
    assert_eq!(standing(&key, at(499)), Standing::Usable);
    assert_eq!(standing(&key, at(500)), Standing::Expired);
    assert_eq!(standing(&key, at(i64::MAX)), Standing::Expired);
    assert_eq!(
        standing(&disable(&key, at(0)).unwrap(), at(500)),
        Standing::Disabled
    );
    assert_eq!(
        standing(&revoke(&key, at(0)).unwrap(), at(0)),
        Standing::Revoked
    );
}

#[derive(Clone, Debug)]
enum Step {
    Rotate { lifetime: i64, overlap: i64 },
    Disable,
    Enable,
    Revoke,
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<(prop::sample::Index, Step)>> {
    let step = prop_oneof![
        (-1_i64..1200, -1_i64..120)
            .prop_map(|(lifetime, overlap)| Step::Rotate { lifetime, overlap }),
        Just(Step::Disable),
        Just(Step::Enable),
        Just(Step::Revoke),
        (0_i64..300).prop_map(Step::Wait),
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), step), 0..60)
}

/// The model: what a person would keep on paper for each key.
#[derive(Clone, Debug, PartialEq)]
struct Paper {
    status: char,
    rotated: bool,
    end: i64,
    version: u64,
}

/// Applies a step to the paper of one key; answers whether it was done, and the paper of a successor.
fn on_paper(paper: &mut Paper, step: &Step, now: i64) -> (bool, Option<Paper>) {
    let (done, status) = match step {
        Step::Disable => (paper.status == 'a', 'd'),
        Step::Enable => (paper.status == 'd', 'a'),
        Step::Revoke => (paper.status != 'r', 'r'),
        Step::Rotate { lifetime, overlap } => {
            let sane = (1..=1000).contains(lifetime) && (0..=100).contains(overlap);
            (paper.status == 'a' && !paper.rotated && sane, 'a')
        }
        Step::Wait(_) => (false, paper.status),
    };
    if !done {
        return (false, None);
    }
    paper.status = status;
    paper.version += 1;
    let Step::Rotate { lifetime, overlap } = step else {
        return (true, None);
    };
    paper.rotated = true;
    paper.end = paper.end.min(now + overlap);
    let successor = Paper {
        status: 'a',
        rotated: false,
        end: now + lifetime,
        version: 1,
    };
    (true, Some(successor))
}

fn to_paper(record: &KeyRecord) -> Paper {
    Paper {
        status: match record.status {
            KeyStatus::Active => 'a',
            KeyStatus::Disabled => 'd',
            KeyStatus::Revoked => 'r',
        },
        rotated: record.rotated_to.is_some(),
        end: record.expires_at.unwrap().unix(),
        version: record.version,
    }
}

proptest! {
    #[test]
    fn random_lives_agree_with_the_paper(steps in steps()) {
        let mut now = 0;
        let mut keys = vec![new_key()];
        let mut papers = vec![to_paper(&keys[0])];
        for (number, (which, step)) in steps.iter().enumerate() {
            let which = which.index(keys.len());
            let key = keys[which].clone();
            let (done, successor) = on_paper(&mut papers[which], step, now);
            let changed = match step {
                Step::Wait(seconds) => { now += seconds; continue }
                Step::Disable => disable(&key, at(now)),
                Step::Enable => enable(&key, at(now)),
                Step::Revoke => revoke(&key, at(now)),
                Step::Rotate { lifetime, overlap } => rotate(
                    &key, fresh(number as u128 + 1), *lifetime, *overlap, at(now), LIMITS,
                ).map(|rotation| { keys.push(rotation.new); rotation.old }),
            };
            prop_assert_eq!(changed.is_ok(), done, "{:?}: {:?}", step, changed);
            papers.extend(successor);
            if let Ok(changed) = changed {
                keys[which] = changed;
            }
            let seen: Vec<Paper> = keys.iter().map(to_paper).collect();
            prop_assert_eq!(&seen, &papers);
            for (key, paper) in keys.iter().zip(&papers) {
                prop_assert_eq!(
                    standing(key, at(now)) == Standing::Usable,
                    paper.status == 'a' && now < paper.end
                );
            }
        }
    }
}

fn to_scopes(scopes: &[&str]) -> Update {
    Update {
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..Update::default()
    }
}

fn updated(key: &KeyRecord, change: Update) -> Updated {
    update(key, change, at(7), LIMITS).unwrap()
}

#[test]
fn an_update_says_what_it_changed_and_when() {
    let change = Update {
        name: Some("nightly".to_owned()),
        plan: Setting::To("gold".to_owned()),
        ..to_scopes(&["orders:read"])
    };
    let done = updated(&new_key(), change);
    assert_eq!(done.fields, ["name", "plan"]);
    assert_eq!((done.record.version, done.record.changed_at), (2, at(7)));
    assert_eq!(done.record.expires_at, new_key().expires_at);
}

#[test]
fn what_widens_is_told_from_what_narrows() {
    let key = KeyRecord {
        routes: Some(vec!["a".to_owned(), "b".to_owned()]),
        ..new_key()
    };
    let routes = |routes: &[&str]| Update {
        routes: Setting::To(routes.iter().map(|route| (*route).to_owned()).collect()),
        ..Update::default()
    };
    let from = |range: &str| Update {
        addresses: Setting::To(vec![range.parse().unwrap()]),
        ..Update::default()
    };
    let until = |end| Update {
        expires_at: Some(at(end)),
        ..Update::default()
    };
    let anywhere = Update {
        addresses: Setting::Removed,
        ..Update::default()
    };
    let of_tier = Update {
        metadata: Some([("tier".to_owned(), "gold".to_owned())].into()),
        ..Update::default()
    };
    let all_routes = Update {
        routes: Setting::Removed,
        ..Update::default()
    };
    for (change, widens) in [
        (to_scopes(&[]), false),
        (to_scopes(&["orders:write"]), true),
        (routes(&["b"]), false),
        (routes(&["a", "c"]), true),
        (all_routes, true),
        (of_tier, true),
        (from("10.1.0.0/16"), false),
        (from("192.0.2.0/24"), true),
        (from("10.0.0.0/7"), true),
        (anywhere, true),
        (until(400), false),
        (until(600), true),
    ] {
        assert_eq!(updated(&key, change.clone()).widens, widens, "{change:?}");
    }
}

#[test]
fn an_update_that_wakes_lengthens_or_changes_nothing_is_refused() {
    let until = |end| Update {
        expires_at: Some(at(end)),
        ..Update::default()
    };
    let refusal = |key: &KeyRecord, change, now| update(key, change, at(now), LIMITS).unwrap_err();
    let key = new_key();
    assert_eq!(
        refusal(&key, to_scopes(&["orders:read"]), 7),
        Refusal::Unchanged
    );
    assert_eq!(refusal(&key, Update::default(), 7), Refusal::Unchanged);
    assert_eq!(refusal(&key, until(7), 7), Refusal::Lifetime(1000));
    assert_eq!(refusal(&key, until(1008), 7), Refusal::Lifetime(1000));
    assert_eq!(refusal(&key, until(600), 500), Refusal::Expired);
    let revoked = revoke(&key, at(1)).unwrap();
    assert_eq!(refusal(&revoked, to_scopes(&[]), 7), Refusal::Revoked);
    let rotated = rotate(&key, fresh(1), 10, 50, at(0), LIMITS).unwrap().old;
    assert_eq!(refusal(&rotated, until(51), 7), Refusal::Ending);
    assert!(update(&rotated, until(20), at(7), LIMITS).is_ok());
}

#[test]
fn only_what_ended_long_enough_ago_is_deleted() {
    let key = new_key();
    assert_eq!(deletable(&key, at(499), 100), Err(Refusal::Alive));
    assert_eq!(deletable(&key, at(599), 100), Err(Refusal::Kept(100)));
    assert_eq!(deletable(&key, at(600), 100), Ok(()));
    let disabled = disable(&key, at(3)).unwrap();
    assert_eq!(deletable(&disabled, at(9999), 100), Err(Refusal::Alive));
    let revoked = revoke(&key, at(3)).unwrap();
    assert_eq!(deletable(&revoked, at(102), 100), Err(Refusal::Kept(100)));
    assert_eq!(deletable(&revoked, at(103), 100), Ok(()));
}

#[test]
fn a_decoy_gets_no_rights_and_no_successor() {
    let bare = || Draft {
        scopes: vec![],
        routes: None,
        addresses: None,
        usage_plan_key: None,
        plan: None,
        decoy: true,
        ..draft(500)
    };
    let made = |draft| create(draft, fresh(0), at(0), LIMITS);
    let decoy = made(bare()).unwrap();
    let one = || Some(vec!["a".to_owned()]);
    for draft in [
        Draft {
            scopes: one().unwrap_or_default(),
            ..bare()
        },
        Draft {
            routes: one(),
            ..bare()
        },
        Draft {
            addresses: Some(vec![]),
            ..bare()
        },
        Draft {
            plan: Some("gold".to_owned()),
            ..bare()
        },
        Draft {
            usage_plan_key: Some("k".to_owned()),
            ..bare()
        },
    ] {
        assert_eq!(made(draft), Err(Refusal::DecoyRights));
    }
    let rotated = rotate(&decoy, fresh(1), 10, 0, at(1), LIMITS);
    assert_eq!(rotated, Err(Refusal::DecoyRotated));
    for change in [
        to_scopes(&["orders:read"]),
        Update {
            routes: Setting::To(vec![]),
            ..Update::default()
        },
        Update {
            plan: Setting::To("gold".to_owned()),
            ..Update::default()
        },
    ] {
        let refused = update(&decoy, change, at(1), LIMITS).unwrap_err();
        assert_eq!(refused, Refusal::DecoyRights);
    }
    let renamed = Update {
        name: Some("backup".to_owned()),
        ..Update::default()
    };
    assert!(update(&decoy, renamed, at(1), LIMITS).unwrap().record.decoy);
    assert!(revoke(&decoy, at(1)).is_ok());
}

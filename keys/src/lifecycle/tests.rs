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
    let disabled = disable(&new_key()).unwrap();
    assert_eq!(
        rotate(&disabled, fresh(1), 10, 10, at(0), LIMITS),
        Err(Refusal::Disabled)
    );
}

#[test]
fn a_revoked_key_stays_revoked() {
    let revoked = revoke(&disable(&new_key()).unwrap()).unwrap();
    assert_eq!(enable(&revoked), Err(Refusal::Revoked));
    assert_eq!(disable(&revoked), Err(Refusal::Revoked));
    assert_eq!(revoke(&revoked), Err(Refusal::Already(KeyStatus::Revoked)));
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
        standing(&disable(&key).unwrap(), at(500)),
        Standing::Disabled
    );
    assert_eq!(standing(&revoke(&key).unwrap(), at(0)), Standing::Revoked);
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
                Step::Disable => disable(&key),
                Step::Enable => enable(&key),
                Step::Revoke => revoke(&key),
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

use super::*;
use crate::denial::Reason;

const SPANS: Spans = Spans {
    active: 30,
    refused: 10,
    recent: 300,
};

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// Active at 1000, with `exp` at `expires` and a leeway of a minute.
fn active(expires: i64, bytes: usize) -> Active {
    Active {
        subject: Subject {
            issuer_name: "a".into(),
            issuer: "a".into(),
            subject: "ann".to_owned(),
            is_client: false,
            client_id: None,
            tenant: None,
            scopes: crate::identity::Words::default(),
            roles: crate::identity::Words::default(),
            valid_until: at(expires + 60),
            expires_at: at(expires),
            context: [].into(),
            confirmation: None,
            token: crate::identity::TokenFacts::default(),
            introspected: None,
        },
        not_before: at(0),
        at: at(1000),
        bytes,
    }
}

fn key(number: u64) -> Digest {
    digest("a", &number.to_string()).unwrap()
}

fn kind(memory: &Memory, now: i64) -> &'static str {
    match memory.find(&key(1), at(now)) {
        Remembered::Fresh(_) => "fresh",
        Remembered::Refused(_) => "refused",
        Remembered::Recent(..) => "recent",
        Remembered::Nothing => "nothing",
    }
}

#[test]
fn an_active_token_is_fresh_then_recent_then_forgotten() {
    let memory = Memory::new(SPANS);
    memory.active(key(1), active(9000, 1));
    for (now, expected) in [
        (1000, "fresh"),
        (1029, "fresh"),
        (1030, "recent"),
        (1299, "recent"),
        (1300, "nothing"),
        (1000, "nothing"),
    ] {
        assert_eq!(kind(&memory, now), expected, "{now}");
    }
}

#[test]
fn nothing_is_fresh_beyond_its_expiry_or_recent_beyond_its_leeway() {
    let memory = Memory::new(SPANS);
    memory.active(key(1), active(1010, 1));
    assert_eq!(kind(&memory, 1009), "fresh");
    assert_eq!(kind(&memory, 1010), "recent");
    match memory.find(&key(1), at(1020)) {
        Remembered::Recent(_, until) => assert_eq!(until, at(1070)),
        other => panic!("{other:?}"),
    }
    assert_eq!(kind(&memory, 1070), "nothing");
}

#[test]
fn a_refused_token_is_remembered_for_less_and_is_recent_no_more() {
    let memory = Memory::new(SPANS);
    memory.active(key(1), active(9000, 1));
    memory.refused(key(1), Denial::new(Reason::TokenInactive, ""), at(1040));
    assert_eq!(kind(&memory, 1049), "refused");
    assert_eq!(kind(&memory, 1050), "nothing");
    memory.active(key(1), active(9000, 1));
    assert_eq!(kind(&memory, 1000), "fresh");
}

#[test]
fn what_another_clock_noted_is_not_believed() {
    let memory = Memory::new(SPANS);
    memory.active(key(1), active(9000, 1));
    assert_eq!(kind(&memory, 985), "fresh");
    assert_eq!(kind(&memory, 984), "nothing");
}

#[test]
fn made_up_tokens_push_out_no_real_ones_and_both_are_bounded() {
    let memory = Memory::new(SPANS);
    memory.active(key(1), active(9000, 100));
    for number in 2..3 * MAX_ENTRIES as u64 {
        let denial = Denial::new(Reason::TokenInactive, "");
        memory.refused(key(number), denial, at(1000));
    }
    assert_eq!(kind(&memory, 1000), "fresh");
    assert_eq!(memory.inner().refused.len(), MAX_ENTRIES);
    for number in 1..20 {
        memory.active(key(number), active(9000, MAX_BYTES / 10));
        memory.active(key(number), active(9000, MAX_BYTES / 10));
    }
    let inner = memory.inner();
    assert_eq!((inner.active.len(), inner.bytes), (10, MAX_BYTES / 10 * 10));
}

#[test]
fn digests_of_different_pairs_differ_however_they_run_together() {
    let pairs = [("a", "bc"), ("ab", "c"), ("", "abc"), ("abc", "")];
    let digests: std::collections::HashSet<Digest> = pairs
        .iter()
        .map(|(server, token)| digest(server, token).unwrap())
        .collect();
    assert_eq!(digests.len(), pairs.len());
}

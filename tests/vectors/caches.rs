//! What memory may and may not do: it saves work, and never a check.

use doorward_engine::{Class, Reason, layers::jwt::Algorithm};
use doorward_keys::Timestamp;
use doorward_tests::tokens::{SigningKey, key_set};
use serde_json::json;

use crate::{Gate, ISSUER, KEYS, NOW, access, toml};

fn gate(key: &SigningKey) -> Gate {
    Gate::new(&[Algorithm::Es256], &[key])
}

async fn outcome(gate: &Gate, token: &str, now: i64) -> Option<Reason> {
    gate.verify_at(token, now)
        .await
        .err()
        .map(|denial| denial.reason())
}

#[tokio::test]
async fn a_token_seen_before_is_the_same_and_needs_no_fetch() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    let token = access().signed_by(&key);
    let first = format!("{:?}", gate.accepts(&token).await);
    for _ in 0..10 {
        assert_eq!(format!("{:?}", gate.accepts(&token).await), first);
    }
    assert_eq!(gate.documents.fetches(), 1);
}

#[tokio::test]
async fn a_token_seen_before_expires_on_time() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    let token = access().signed_by(&key);
    assert_eq!(outcome(&gate, &token, NOW).await, None);
    assert_eq!(outcome(&gate, &token, NOW + 659).await, None);
    assert_eq!(
        outcome(&gate, &token, NOW + 660).await,
        Some(Reason::TokenExpired)
    );
    // And it did not hold before its time either.
    assert_eq!(outcome(&gate, &token, NOW).await, None);
    assert_eq!(
        outcome(&gate, &token, NOW - 61).await,
        Some(Reason::TokenNotYetValid)
    );
}

#[tokio::test]
async fn a_refused_token_stays_refused() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    let token = access().claim("aud", json!("other")).signed_by(&key);
    for _ in 0..3 {
        gate.refuses(&token, Reason::TokenAudience).await;
    }
}

#[tokio::test]
async fn a_withdrawn_key_stops_tokens_seen_before() {
    let (old, new) = (
        SigningKey::shared(Algorithm::Es256, "old"),
        SigningKey::shared(Algorithm::Es256, "new"),
    );
    let gate = gate(&old);
    let token = access().claim("exp", json!(NOW + 10_000)).signed_by(&old);
    assert_eq!(outcome(&gate, &token, NOW).await, None);
    gate.documents.publish(KEYS, key_set([&*new]));
    assert_eq!(outcome(&gate, &token, NOW + 3599).await, None);
    assert_eq!(
        outcome(&gate, &token, NOW + 3600).await,
        Some(Reason::TokenKeyUnknown)
    );
    // It is back when its key is.
    gate.documents.publish(KEYS, key_set([&*old, &*new]));
    assert_eq!(outcome(&gate, &token, NOW + 3630).await, None);
}

#[tokio::test]
async fn a_key_replaced_under_its_name_stops_tokens_seen_before() {
    let (old, new) = (
        SigningKey::generate(Algorithm::Es256, "k"),
        SigningKey::generate(Algorithm::Es256, "k"),
    );
    let gate = gate(&old);
    let token = access().claim("exp", json!(NOW + 10_000)).signed_by(&old);
    assert_eq!(outcome(&gate, &token, NOW).await, None);
    gate.documents.publish(KEYS, key_set([&new]));
    assert_eq!(
        outcome(&gate, &token, NOW + 3600).await,
        Some(Reason::TokenSignature)
    );
}

#[tokio::test]
async fn tokens_seen_before_stop_when_the_keys_are_too_old() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    let token = access().claim("exp", json!(NOW + 100_000)).signed_by(&key);
    assert_eq!(outcome(&gate, &token, NOW).await, None);
    gate.documents.withdraw(KEYS);
    assert_eq!(outcome(&gate, &token, NOW + 17_999).await, None);
    let denial = gate.verify_at(&token, NOW + 18_000).await.unwrap_err();
    assert_eq!(
        (denial.reason(), denial.class()),
        (Reason::KeySetUnavailable, Class::Unavailable)
    );
}

#[tokio::test]
async fn a_refresh_with_the_same_keys_keeps_what_was_seen() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    let token = access().claim("exp", json!(NOW + 100_000)).signed_by(&key);
    for hour in 0..10 {
        assert_eq!(outcome(&gate, &token, NOW + hour * 3600).await, None);
    }
    assert_eq!(gate.documents.fetches(), 10);
}

#[tokio::test]
async fn a_rotation_is_seen_at_once_by_the_first_new_token() {
    let (old, new) = (
        SigningKey::shared(Algorithm::Es256, "old"),
        SigningKey::shared(Algorithm::Es256, "new"),
    );
    let gate = gate(&old);
    gate.accepts(&access().signed_by(&old)).await;
    gate.documents.publish(KEYS, key_set([&*old, &*new]));
    assert_eq!(
        outcome(&gate, &access().signed_by(&new), NOW + 60).await,
        None
    );
    assert_eq!(
        outcome(&gate, &access().signed_by(&old), NOW + 60).await,
        None
    );
    assert_eq!(gate.documents.fetches(), 2);
}

#[tokio::test]
async fn forged_and_expired_tokens_cannot_make_us_fetch() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = gate(&key);
    gate.accepts(&access().signed_by(&key)).await;
    let old = SigningKey::generate(Algorithm::Es256, "gone");
    for second in 0..300 {
        let now = NOW + second;
        // Tokens of yesterday name a key of yesterday.
        let expired = access().claim("exp", json!(NOW - 1000)).signed_by(&old);
        assert_eq!(
            outcome(&gate, &expired, now).await,
            Some(Reason::TokenExpired)
        );
        let foreign = access().claim("aud", json!("x")).signed_by(&old);
        assert_eq!(
            outcome(&gate, &foreign, now).await,
            Some(Reason::TokenAudience)
        );
    }
    assert_eq!(gate.documents.fetches(), 1);
    for second in 0..300 {
        let forged = access()
            .header("kid", json!(format!("k{second}")))
            .signed_by(&old);
        assert!(outcome(&gate, &forged, NOW + second).await.is_some());
    }
    assert_eq!(gate.documents.fetches(), 1 + 10);
}

#[tokio::test]
async fn prefetching_reports_each_issuer_and_saves_the_first_fetch() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let named = |name: &str, keys: &str| {
        let issuer = format!("https://{name}.example");
        toml(
            &issuer,
            &[Algorithm::Es256],
            keys,
            &format!("name = \"{name}\""),
        )
    };
    let gate = Gate::of(&[
        toml(ISSUER, &[Algorithm::Es256], KEYS, "name = \"acme\""),
        named("down", "https://down.example/keys"),
    ]);
    gate.documents.publish(KEYS, key_set([&*key]));
    let outcomes = gate.issuers.prefetch(Timestamp::from_unix(NOW)).await;
    let plain: Vec<_> = outcomes
        .iter()
        .map(|(name, outcome)| (name.as_str(), outcome.is_ok()))
        .collect();
    assert_eq!(plain, [("acme", true), ("down", false)]);
    gate.accepts(&access().signed_by(&key)).await;
    assert_eq!(gate.documents.fetches(), 2);
}

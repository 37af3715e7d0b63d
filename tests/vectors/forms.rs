//! Good tokens in all their variety, and the simplest ways to be none.

use doorward_engine::{Reason, layers::jwt::Algorithm};
use doorward_tests::tokens::{SigningKey, Token, compact, key_set};
use serde_json::json;

use crate::{Gate, ISSUER, KEYS, NOW, access, toml};

#[tokio::test]
async fn takes_tokens_of_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::shared(algorithm, "k");
        let gate = Gate::new(&[algorithm], &[&key]);
        let subject = gate.accepts(&access().signed_by(&key)).await;
        assert_eq!(subject.principal(), "user|https://acme.example|user-1");
        assert_eq!(subject.issuer_name(), ISSUER);
    }
}

#[tokio::test]
async fn refuses_an_algorithm_that_the_issuer_does_not_use() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::shared(algorithm, "k");
        let others: Vec<Algorithm> = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
            .collect();
        let gate = Gate::new(&others, &[&key]);
        gate.refuses(&access().signed_by(&key), Reason::TokenAlgorithm)
            .await;
        assert_eq!(gate.documents.fetches(), 0);
    }
}

#[tokio::test]
async fn takes_both_names_of_ed25519() {
    let key = SigningKey::shared(Algorithm::Ed25519, "k");
    let gate = Gate::new(&[Algorithm::Ed25519], &[&key]);
    for name in ["EdDSA", "Ed25519"] {
        gate.accepts(&access().header("alg", json!(name)).signed_by(&key))
            .await;
    }
}

#[tokio::test]
async fn takes_unknown_members_and_odd_but_legal_json() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = Gate::new(&[Algorithm::Es256], &[&key]);
    let token = access()
        .header("x5t", json!("abc"))
        .header("new", json!({ "a": [1, null] }))
        .claim("amr", json!(["pwd"]))
        .claim("address", json!({ "country": "\u{dc}\u{1f600}" }));
    gate.accepts(&token.signed_by(&key)).await;
    // White space inside, escapes in names, fractions.
    let payload = access()
        .payload()
        .replace("\"aud\":", "\n \"a\\u0075d\" :\t");
    let payload = payload.replace(&(NOW + 600).to_string(), &format!("{}.25", NOW + 600));
    assert_ne!(payload, access().payload());
    gate.accepts(&compact(
        r#"{ "alg":"ES256", "kid":"k", "typ":"at+JWT"}"#,
        payload,
        &key,
    ))
    .await;
}

#[tokio::test]
async fn takes_a_token_without_key_name_where_one_key_fits() {
    let (one, other) = (
        SigningKey::shared(Algorithm::Es256, "one"),
        SigningKey::shared(Algorithm::Es384, "other"),
    );
    let gate = Gate::new(&[Algorithm::Es256, Algorithm::Es384], &[&one, &other]);
    gate.accepts(&access().signed_without_kid_by(&one)).await;
    gate.accepts(&access().signed_without_kid_by(&other)).await;

    let twin = SigningKey::shared(Algorithm::Es256, "twin");
    let gate = Gate::new(&[Algorithm::Es256], &[&one, &twin]);
    let token = access().signed_without_kid_by(&one);
    gate.refuses(&token, Reason::TokenKeyUnsuitable).await;
}

#[tokio::test]
async fn chooses_the_issuer_by_exact_text_and_fetches_nothing_for_others() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = Gate::new(&[Algorithm::Es256], &[&key]);
    for issuer in [
        json!("https://acme.example/"),
        json!("https://ACME.example"),
        json!("https://acme.example "),
        json!("https://\u{430}cme.example"),
        json!("http://acme.example"),
        json!("https://acme.example.evil.example"),
        json!("acme.example"),
        json!(""),
        json!(null),
        json!(["https://acme.example"]),
        json!({"https://acme.example": 1}),
    ] {
        gate.refuses(
            &access().claim("iss", issuer).signed_by(&key),
            Reason::TokenIssuer,
        )
        .await;
    }
    gate.refuses(
        &access().without_claim("iss").signed_by(&key),
        Reason::TokenIssuer,
    )
    .await;
    assert_eq!(gate.documents.fetches(), 0);
}

#[tokio::test]
async fn keeps_the_keys_of_issuers_apart() {
    let ours = SigningKey::shared(Algorithm::Es256, "k");
    let theirs = SigningKey::generate(Algorithm::Es256, "k");
    let (other, other_keys) = ("https://other.example", "https://other.example/keys");
    let gate = Gate::of(&[
        toml(ISSUER, &[Algorithm::Es256], KEYS, ""),
        toml(other, &[Algorithm::Es256], other_keys, ""),
    ]);
    gate.documents.publish(KEYS, key_set([&*ours]));
    gate.documents.publish(other_keys, key_set([&theirs]));
    gate.accepts(&access().signed_by(&ours)).await;
    gate.accepts(&Token::access(other, "api", NOW).signed_by(&theirs))
        .await;
    gate.refuses(&access().signed_by(&theirs), Reason::TokenSignature)
        .await;
    gate.refuses(
        &Token::access(other, "api", NOW).signed_by(&ours),
        Reason::TokenSignature,
    )
    .await;
}

#[tokio::test]
async fn tells_the_operator_what_was_expected_and_found() {
    let key = SigningKey::shared(Algorithm::Es256, "k");
    let gate = Gate::new(&[Algorithm::Es256], &[&key]);
    for (token, words) in [
        (access().claim("aud", json!("web")), ["`web`", "`api`"]),
        (access().header("typ", json!("JWT")), ["`JWT`", "`at+jwt`"]),
        (access().header("alg", json!("RS256")), ["`RS256`", "ES256"]),
        (
            access().header("kid", json!("new\n")),
            ["`new\\u{a}`", "`k`"],
        ),
        (
            access().claim("exp", json!(NOW - 100)),
            ["100 seconds", "60"],
        ),
        (access().without_claim("jti"), ["`jti`", "missing"]),
    ] {
        let denial = gate
            .verify_at(&token.signed_by(&key), NOW)
            .await
            .unwrap_err();
        let detail = denial.detail();
        for word in words.into_iter().chain([ISSUER]) {
            assert!(detail.contains(word), "{word}: {detail}");
        }
    }
}

//! Forged tokens: each is a way in that some library has had.

use aws_lc_rs::hmac;
use doorward_engine::{Reason, layers::jwt::Algorithm};
use doorward_tests::tokens::{SigningKey, Token, encode, key_set};
use serde_json::{Value, json};

use crate::{Gate, ISSUER, KEYS, NOW, access, toml};

pub(crate) const ALGORITHMS: [Algorithm; 3] =
    [Algorithm::Rs256, Algorithm::Es256, Algorithm::Ed25519];

/// A gate with one key of each kind, warmed by a good token of each.
pub(crate) async fn gate() -> Gate {
    let keys = ALGORITHMS.map(key);
    let keys: Vec<&SigningKey> = keys.iter().map(|key| &**key).collect();
    let gate = Gate::new(&ALGORITHMS, &keys);
    for key in keys {
        gate.accepts(&access().signed_by(key)).await;
    }
    gate
}

pub(crate) fn key(algorithm: Algorithm) -> std::sync::Arc<SigningKey> {
    SigningKey::shared(algorithm, algorithm.name())
}

#[tokio::test]
async fn refuses_tokens_without_signature() {
    let gate = gate().await;
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let token = access()
            .header("alg", json!(none))
            .header("kid", json!("RS256"));
        gate.refuses(&token.with_signature(b""), Reason::TokenAlgorithm)
            .await;
    }
    for name in ["RS256", "ES256", "EdDSA"] {
        let token = access()
            .header("alg", json!(name))
            .header("kid", json!(name));
        gate.refuses(&token.with_signature(b""), Reason::TokenSignature)
            .await;
        gate.refuses(&token.with_signature([0]), Reason::TokenSignature)
            .await;
    }
}

#[tokio::test]
async fn refuses_the_public_key_as_a_secret() {
    let gate = gate().await;
    let members = key(Algorithm::Rs256).public_members();
    let modulus = members["n"].as_str().unwrap().as_bytes().to_vec();
    for secret in [members.to_string().into_bytes(), modulus, vec![]] {
        for (name, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
            let token = access()
                .header("alg", json!(name))
                .header("kid", json!("RS256"));
            let tag = hmac::sign(
                &hmac::Key::new(algorithm, &secret),
                token.signing_input().as_bytes(),
            );
            gate.refuses(&token.with_signature(tag), Reason::TokenAlgorithm)
                .await;
        }
    }
}

#[tokio::test]
async fn refuses_a_key_used_with_another_algorithm() {
    let gate = gate().await;
    for (named, signing) in [
        ("RS256", Algorithm::Es256),
        ("ES256", Algorithm::Rs256),
        ("EdDSA", Algorithm::Es256),
    ] {
        let token = access()
            .header("kid", json!(named))
            .signed_by(&key(signing));
        gate.refuses(&token, Reason::TokenKeyUnsuitable).await;
    }
    // The same RSA key, stated for RS256 only.
    let gate = Gate::new(
        &[Algorithm::Rs256, Algorithm::Ps256],
        &[&key(Algorithm::Rs256)],
    );
    let pss = SigningKey::shared(Algorithm::Ps256, "RS256");
    gate.refuses(&access().signed_by(&pss), Reason::TokenKeyUnsuitable)
        .await;
    let renamed = access()
        .header("alg", json!("PS256"))
        .signed_by(&key(Algorithm::Rs256));
    gate.refuses(&renamed, Reason::TokenKeyUnsuitable).await;
}

#[tokio::test]
async fn refuses_a_signature_of_the_other_padding() {
    // A key that states no algorithm serves both, and each signature only its own.
    let rs = key(Algorithm::Rs256);
    let mut jwk = rs.public_members();
    jwk["kid"] = json!("RS256");
    let gate = Gate::of(&[toml(
        ISSUER,
        &[Algorithm::Rs256, Algorithm::Ps256],
        KEYS,
        "",
    )]);
    gate.documents
        .publish(KEYS, json!({ "keys": [jwk] }).to_string());
    gate.accepts(&access().signed_by(&rs)).await;
    let renamed = access().header("alg", json!("PS256")).signed_by(&rs);
    gate.refuses(&renamed, Reason::TokenSignature).await;
}

#[tokio::test]
async fn refuses_psychic_signatures() {
    // CVE-2022-21449: r and s of zero.
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        let key = SigningKey::shared(algorithm, "k");
        let gate = Gate::new(&[algorithm], &[&key]);
        let good = key.sign(b"x");
        let token = access()
            .header("alg", json!(algorithm.name()))
            .header("kid", json!("k"));
        for byte in [0_u8, 0xff] {
            let forged = vec![byte; good.len()];
            gate.refuses(&token.with_signature(forged), Reason::TokenSignature)
                .await;
        }
        let mut one = vec![0; good.len()];
        *one.last_mut().unwrap() = 1;
        gate.refuses(&token.with_signature(one), Reason::TokenSignature)
            .await;
    }
}

#[tokio::test]
async fn refuses_ecdsa_signatures_of_another_form() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let token = access()
        .header("alg", json!("ES256"))
        .header("kid", json!("ES256"));
    let signature = key.sign(token.signing_input().as_bytes());
    gate.accepts(&token.with_signature(&signature)).await;
    let (r, s) = signature.split_at(32);
    let integer = |number: &[u8]| [&[2, 33, 0], number].concat();
    let der = [&[0x30, 70][..], &integer(r), &integer(s)].concat();
    let longer = [r, s, &[0]].concat();
    let padded = [&[0], r, &[0], s].concat();
    for forged in [der, longer, padded, r.to_vec(), [s, r].concat()] {
        gate.refuses(&token.with_signature(forged), Reason::TokenSignature)
            .await;
    }
}

#[tokio::test]
async fn refuses_keys_of_another_curve() {
    let p384 = SigningKey::shared(Algorithm::Es384, "ES256");
    let gate = Gate::new(&[Algorithm::Es256, Algorithm::Es384], &[&p384]);
    let token = access().header("alg", json!("ES256")).signed_by(&p384);
    gate.refuses(&token, Reason::TokenKeyUnsuitable).await;
    let gate = self::gate().await;
    gate.refuses(&access().signed_by(&p384), Reason::TokenAlgorithm)
        .await;
}

#[tokio::test]
async fn refuses_small_rsa_keys() {
    let gate = Gate::of(&[toml(ISSUER, &[Algorithm::Rs256], KEYS, "")]);
    let jwk = json!({ "kty": "RSA", "kid": "small", "e": "AQAB", "n": encode([0xff; 128]) });
    gate.documents
        .publish(KEYS, json!({ "keys": [jwk] }).to_string());
    let token = access()
        .header("alg", json!("RS256"))
        .header("kid", json!("small"));
    gate.refuses(&token.with_signature([1; 128]), Reason::TokenKeyUnsuitable)
        .await;
}

#[tokio::test]
async fn refuses_an_exponent_of_one() {
    // With e = 1 the "signature" is the padded digest itself.
    let gate = Gate::of(&[toml(ISSUER, &[Algorithm::Rs256], KEYS, "")]);
    let jwk = json!({ "kty": "RSA", "kid": "one", "e": "AQ", "n": encode([0xff; 256]) });
    gate.documents
        .publish(KEYS, json!({ "keys": [jwk] }).to_string());
    let token = access()
        .header("alg", json!("RS256"))
        .header("kid", json!("one"));
    gate.refuses(&token.with_signature([1; 256]), Reason::TokenKeyUnsuitable)
        .await;
}

#[tokio::test]
async fn refuses_keys_that_the_token_brings_along() {
    let gate = gate().await;
    let mine = SigningKey::generate(Algorithm::Es256, "ES256");
    for token in [
        access().header("jwk", mine.jwk()),
        access().header("jku", json!("https://evil.example/keys")),
        access().header("x5u", json!("https://evil.example/cert")),
        access().header("x5c", json!(["MIIB"])),
    ] {
        let before = gate.documents.fetches();
        gate.refuses(&token.signed_by(&mine), Reason::TokenSignature)
            .await;
        assert_eq!(gate.documents.fetches(), before);
        gate.accepts(&token.signed_by(&key(Algorithm::Es256))).await;
    }
    let unknown = access()
        .header("jwk", mine.jwk())
        .header("kid", json!("mine"));
    gate.refuses(&unknown.signed_by(&mine), Reason::TokenKeyUnknown)
        .await;
}

#[tokio::test]
async fn takes_key_names_for_nothing_but_names() {
    let gate = gate().await;
    let mine = SigningKey::generate(Algorithm::Es256, "ES256");
    for name in [
        "../../../dev/null",
        "/etc/passwd",
        "x' UNION SELECT 'secret",
        "| /bin/true",
        "https://evil.example/keys",
        "ES256\0",
        "es256",
        "ES256 ",
        "__proto__",
        "",
    ] {
        let token = access().header("kid", json!(name)).signed_by(&mine);
        gate.refuses(&token, Reason::TokenKeyUnknown).await;
    }
    // The one fetch to begin with has started the cool-down.
    assert_eq!(gate.documents.fetches(), 1);
    for name in [
        json!(["ES256"]),
        json!(0),
        json!(null),
        json!({}),
        json!("k".repeat(257)),
    ] {
        let token = access()
            .header("kid", name)
            .signed_by(&key(Algorithm::Es256));
        gate.refuses(&token, Reason::TokenMalformed).await;
    }
}

#[tokio::test]
async fn refuses_critical_extensions_and_unencoded_payloads() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    for token in [
        access().header("crit", json!(["exp"])),
        access().header("crit", json!([])),
        access()
            .header("crit", json!(["b64"]))
            .header("b64", json!(false)),
        access().header("b64", json!(false)),
    ] {
        gate.refuses(&token.signed_by(&key), Reason::TokenCritical)
            .await;
    }
}

#[tokio::test]
async fn refuses_a_good_token_with_another_tokens_parts() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    let mine = access().signed_by(&key);
    let admin = access()
        .claim("sub", json!("admin"))
        .signed_by(&SigningKey::generate(Algorithm::Es256, "ES256"));
    let part = |token: &str, nth: usize| token.split('.').nth(nth).unwrap().to_owned();
    let mixed = format!("{}.{}.{}", part(&mine, 0), part(&admin, 1), part(&mine, 2));
    gate.refuses(&mixed, Reason::TokenSignature).await;
}

#[tokio::test]
async fn refuses_tokens_made_for_another_purpose() {
    let gate = gate().await;
    let key = key(Algorithm::Es256);
    for (token, reason) in [
        (access().without_header("typ"), Reason::TokenType),
        (access().header("typ", json!("JWT")), Reason::TokenType),
        (access().header("typ", json!("dpop+jwt")), Reason::TokenType),
        (access().claim("aud", json!("other")), Reason::TokenAudience),
        (access().without_claim("aud"), Reason::TokenAudience),
        (access().claim("exp", json!(NOW - 60)), Reason::TokenExpired),
        (access().without_claim("exp"), Reason::TokenClaim),
        (
            access().claim("exp", json!("9999999999")),
            Reason::TokenClaim,
        ),
        (
            access().claim("nbf", json!(NOW + 61)),
            Reason::TokenNotYetValid,
        ),
        (
            access().claim("iat", json!(NOW + 61)),
            Reason::TokenNotYetValid,
        ),
        (
            access().claim("cnf", json!({ "jkt": "x" })),
            Reason::TokenBound,
        ),
        (access().claim("sub", Value::Null), Reason::TokenClaim),
    ] {
        gate.refuses(&token.signed_by(&key), reason).await;
    }
}

#[tokio::test]
async fn refuses_a_name_with_two_keys_in_any_order() {
    let one = SigningKey::shared(Algorithm::Es256, "k");
    let other = SigningKey::generate(Algorithm::Es256, "k");
    for keys in [[&*one, &other], [&other, &*one]] {
        let gate = Gate::of(&[toml(ISSUER, &[Algorithm::Es256], KEYS, "")]);
        gate.documents.publish(KEYS, key_set(keys));
        for key in keys {
            gate.refuses(&access().signed_by(key), Reason::TokenKeyUnsuitable)
                .await;
        }
    }
}

#[tokio::test]
async fn never_believes_a_token_of_nobody() {
    let gate = gate().await;
    for token in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        "null.null.null",
        "\u{0}",
        "\u{1f600}",
    ] {
        let denial = gate.verify_at(token, NOW).await.unwrap_err();
        assert_eq!(denial.class().as_str(), "unauthenticated", "{token}");
    }
    let nobody = Token::default()
        .header("alg", json!("ES256"))
        .with_signature([0; 64]);
    gate.refuses(&nobody, Reason::TokenIssuer).await;
}

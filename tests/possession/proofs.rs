//! `DPoP` (RFC 9449): the twelve checks of section 4.3, each refused by a proof that is wrong in nothing else.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use doorward_backends::memory::MemoryReplays;
use doorward_engine::layers::jwt::Algorithm;
use doorward_tests::{
    faulty::{Fault, Faulty},
    proofs::{proof, signed, thumbprint},
    tokens::{SigningKey, Token, compact, encode},
};
use serde_json::{Value, json};

use crate::gate::{Asked, DOMAIN, Gate, Kind, NOW, get, token};

const ADDRESS: &str = "https://api.example.com/token";

fn client() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "client")
}

/// One token for all proofs: signed again it would be another.
fn bound() -> String {
    static BOUND: OnceLock<String> = OnceLock::new();
    let made = || token(Some(json!({"jkt": thumbprint(&client())})));
    BOUND.get_or_init(made).clone()
}

fn configuration(dpop: &Value) -> Value {
    json!({
        "dpop": dpop,
        "policy": {"gateway_cache": "off"},
        "routes": [
            {"route": "ANY /token", "credentials": ["jwt"]},
            {"route": "GET /other", "credentials": ["jwt"]},
        ],
    })
}

fn gate() -> Gate {
    Gate::new(&configuration(&json!({})))
}

fn with(kind: Kind, token: &str, proof: &str) -> Asked {
    get(kind, "/token")
        .header("authorization", &format!("DPoP {token}"))
        .header("dpop", proof)
}

fn plain() -> Token {
    proof("GET", ADDRESS, &bound(), NOW)
}

#[tokio::test]
async fn a_whole_proof_opens_once_on_every_kind_of_api() {
    let gate = gate();
    for kind in Kind::ALL {
        let asked = with(kind, &bound(), &signed(plain(), &client()));
        assert_eq!(gate.outcome(&asked).await, "allow", "{}", gate.line());
        assert_eq!(gate.outcome(&asked).await, "proof_replayed");
    }
}

#[tokio::test]
async fn every_usual_algorithm_proves() {
    let gate = gate();
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Ed25519,
        Algorithm::Ps256,
    ] {
        let key = SigningKey::shared(algorithm, "client");
        let bound = token(Some(json!({"jkt": thumbprint(&key)})));
        let proof = signed(proof("GET", ADDRESS, &bound, NOW), &key);
        let found = gate.outcome(&with(Kind::Rest, &bound, &proof)).await;
        assert_eq!(found, "allow", "{algorithm:?} {}", gate.line());
    }
}

/// Each proof with its fault and what becomes of it.
#[expect(clippy::too_many_lines, reason = "a table")]
fn faulty() -> Vec<(&'static str, String, &'static str)> {
    let key = client();
    let made = |proof: Token| signed(proof, &key);
    let claim = |name: &str, value: Value| made(plain().claim(name, value));
    let private = {
        let mut jwk = key.public_members();
        jwk["d"] = json!(encode([1; 32]));
        plain().header("jwk", jwk).signed_without_kid_by(&key)
    };
    let secret = json!({"kty": "oct", "k": encode([1; 32])});
    let other = SigningKey::shared(Algorithm::Es256, "another client");
    let rsa = SigningKey::shared(Algorithm::Rs256, "client");
    let good = made(plain());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let swapped = format!(
        "{}.{}",
        made(plain()).rsplit_once('.').unwrap().0,
        signature
    );
    vec![
        ("2 not a token", "nonsense".to_owned(), "proof_malformed"),
        ("2 five parts", "a.b.c.d.e".to_owned(), "proof_malformed"),
        ("2 padded", format!("{good}="), "proof_malformed"),
        (
            "2 too long",
            format!("{input}.{}", "A".repeat(9000)),
            "proof_malformed",
        ),
        (
            "2 a claim twice",
            compact(
                json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_members()}).to_string(),
                format!(r#"{{"jti":"a","jti":"b","htm":"GET","htu":"{ADDRESS}","iat":{NOW}}}"#),
                &key,
            ),
            "proof_malformed",
        ),
        (
            "3 no jti",
            made(plain().without_claim("jti")),
            "proof_malformed",
        ),
        ("3 empty jti", claim("jti", json!("")), "proof_malformed"),
        (
            "3 long jti",
            claim("jti", json!("j".repeat(513))),
            "proof_malformed",
        ),
        ("3 jti a number", claim("jti", json!(1)), "proof_malformed"),
        (
            "3 no htm",
            made(plain().without_claim("htm")),
            "proof_malformed",
        ),
        (
            "3 no htu",
            made(plain().without_claim("htu")),
            "proof_malformed",
        ),
        (
            "3 no iat",
            made(plain().without_claim("iat")),
            "proof_malformed",
        ),
        (
            "3 iat a text",
            claim("iat", json!(NOW.to_string())),
            "proof_malformed",
        ),
        (
            "3 iat in milliseconds",
            claim("iat", json!(NOW * 1000)),
            "proof_malformed",
        ),
        (
            "4 no typ",
            made(plain().without_header("typ")),
            "proof_malformed",
        ),
        (
            "4 another typ",
            made(plain().header("typ", json!("JWT"))),
            "proof_malformed",
        ),
        (
            "4 an access token",
            made(plain().header("typ", json!("at+jwt"))),
            "proof_malformed",
        ),
        (
            "5 none",
            plain()
                .header("alg", json!("none"))
                .header("jwk", key.public_members())
                .with_signature(b""),
            "proof_algorithm",
        ),
        (
            "5 symmetric",
            plain()
                .header("alg", json!("HS256"))
                .header("jwk", secret.clone())
                .with_signature([0; 32]),
            "proof_algorithm",
        ),
        (
            "5 not on the list",
            signed(plain(), &rsa),
            "proof_algorithm",
        ),
        (
            "6 signed by another",
            plain()
                .header("jwk", key.public_members())
                .signed_without_kid_by(&other),
            "proof_signature",
        ),
        ("6 a signature of another proof", swapped, "proof_signature"),
        (
            "6 no jwk",
            plain().signed_without_kid_by(&key),
            "proof_malformed",
        ),
        ("7 a private key", private, "proof_malformed"),
        (
            "7 a secret",
            plain()
                .header("jwk", secret)
                .header("alg", json!("ES256"))
                .with_signature([0; 64]),
            "proof_malformed",
        ),
        (
            "crit",
            made(plain().header("crit", json!(["exp"]))),
            "proof_malformed",
        ),
        (
            "8 another method",
            claim("htm", json!("POST")),
            "proof_target",
        ),
        (
            "8 in lower case",
            claim("htm", json!("get")),
            "proof_target",
        ),
        (
            "9 another path",
            claim("htu", json!("https://api.example.com/other")),
            "proof_target",
        ),
        (
            "9 another host",
            claim("htu", json!("https://evil.example/token")),
            "proof_target",
        ),
        (
            "9 not https",
            claim("htu", json!("http://api.example.com/token")),
            "proof_target",
        ),
        (
            "9 another port",
            claim("htu", json!("https://api.example.com:8443/token")),
            "proof_target",
        ),
        (
            "9 a path alone",
            claim("htu", json!("/token")),
            "proof_target",
        ),
        ("11 too old", claim("iat", json!(NOW - 61)), "proof_time"),
        (
            "11 from the future",
            claim("iat", json!(NOW + 6)),
            "proof_time",
        ),
        (
            "12 no ath",
            made(plain().without_claim("ath")),
            "proof_token",
        ),
        (
            "12 ath of another token",
            claim("ath", json!(encode([7; 32]))),
            "proof_token",
        ),
        (
            "12 ath no digest",
            claim("ath", json!("x")),
            "proof_malformed",
        ),
        ("12 another key", signed(plain(), &other), "proof_key"),
    ]
}

#[tokio::test]
async fn a_proof_with_one_fault_is_refused_for_it() {
    let gate = gate();
    for (name, proof, expected) in faulty() {
        for kind in Kind::ALL {
            let found = gate.outcome(&with(kind, &bound(), &proof)).await;
            assert_eq!(found, expected, "{name} {kind:?} {}", gate.line());
            let line = gate.line().to_string();
            let head = proof.get(..30);
            assert!(head.is_none_or(|head| !line.contains(head)), "{line}");
        }
    }
}

#[tokio::test]
async fn a_proof_may_be_written_in_every_way_that_means_the_same() {
    let gate = gate();
    for address in [
        "HTTPS://API.EXAMPLE.COM:443/token",
        "https://api.example.com/%74oken",
        "https://api.example.com/token?a=b#c",
        "https://api.example.com/token/",
    ] {
        let proof = signed(proof("GET", address, &bound(), NOW), &client());
        let found = gate.outcome(&with(Kind::Http2, &bound(), &proof)).await;
        assert_eq!(found, "allow", "{address} {}", gate.line());
    }
    let fraction = serde_json::from_str(&format!("{NOW}.5")).unwrap();
    for (iat, kind) in [
        (json!(NOW - 60), "dpop+jwt"),
        (json!(NOW + 5), "DPoP+JWT"),
        (fraction, "dpop+jwt"),
    ] {
        let proof = signed(
            plain().claim("iat", iat).header("typ", json!(kind)),
            &client(),
        );
        assert_eq!(
            gate.outcome(&with(Kind::Rest, &bound(), &proof)).await,
            "allow"
        );
    }
}

#[tokio::test]
async fn a_bound_token_opens_nothing_as_a_bearer_nor_without_its_one_proof() {
    let gate = gate();
    let proof = || signed(plain(), &client());
    for kind in Kind::ALL {
        let bearer =
            |token: &str| get(kind, "/token").header("authorization", &format!("Bearer {token}"));
        let twice = with(kind, &bound(), &proof()).header("dpop", &proof());
        for (asked, expected) in [
            (bearer(&bound()), "proof_missing"),
            (bearer(&bound()).header("dpop", &proof()), "proof_missing"),
            (
                get(kind, "/token").header("authorization", &format!("DPoP {}", bound())),
                "proof_missing",
            ),
            (twice, "proof_malformed"),
            (with(kind, &token(None), &proof()), "proof_unbound"),
            (
                with(
                    kind,
                    &token(Some(json!({"x5t#S256": encode([7; 32])}))),
                    &proof(),
                ),
                "proof_unbound",
            ),
            // What is not bound needs no proof, and one beside it is not read.
            (bearer(&token(None)).header("dpop", "nonsense"), "allow"),
        ] {
            assert_eq!(
                gate.outcome(&asked).await,
                expected,
                "{asked:?} {}",
                gate.line()
            );
        }
    }
}

#[tokio::test]
async fn the_address_is_what_the_configuration_says_where_the_event_cannot_know() {
    let base = json!({"public_urls": ["https://front.example/v1", "https://api.example.com/v2"]});
    let gate = Gate::new(&configuration(&base));
    for (address, expected) in [
        ("https://front.example/v1/token", "allow"),
        ("https://api.example.com/v2/token", "allow"),
        (ADDRESS, "proof_target"),
        ("https://front.example/v2/token", "proof_target"),
    ] {
        let proof = signed(proof("GET", address, &bound(), NOW), &client());
        assert_eq!(
            gate.outcome(&with(Kind::Http2, &bound(), &proof)).await,
            expected,
            "{address}"
        );
    }
    assert_eq!(DOMAIN, "api.example.com");
}

#[tokio::test]
async fn what_was_refused_uses_no_proof_up() {
    let gate = gate();
    let proof = signed(plain(), &client());
    let early = gate
        .outcome_at(&with(Kind::Rest, &bound(), &proof), NOW - 10)
        .await;
    assert_eq!(early, "proof_time");
    assert_eq!(
        gate.outcome(&with(Kind::Rest, &bound(), &proof)).await,
        "allow"
    );
    assert_eq!(
        gate.outcome(&with(Kind::Rest, &bound(), &proof)).await,
        "proof_replayed"
    );
    // For as long as the proof is recent enough to be accepted.
    let last = gate
        .outcome_at(&with(Kind::Rest, &bound(), &proof), NOW + 60)
        .await;
    assert_eq!(last, "proof_replayed");
    let after = gate
        .outcome_at(&with(Kind::Rest, &bound(), &proof), NOW + 61)
        .await;
    assert_eq!(after, "proof_time");
}

#[tokio::test]
async fn one_jti_of_two_keys_is_two_proofs() {
    let gate = gate();
    for name in ["one", "two"] {
        let key = SigningKey::shared(Algorithm::Es256, name);
        let bound = token(Some(json!({"jkt": thumbprint(&key)})));
        let made = proof("GET", ADDRESS, &bound, NOW).claim("jti", json!("same"));
        let proof = signed(made, &key);
        assert_eq!(
            gate.outcome(&with(Kind::Rest, &bound, &proof)).await,
            "allow",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_refuses_in_time_unless_chosen_otherwise() {
    let store = |fault| Arc::new(Faulty::new(Arc::new(MemoryReplays::new()), fault));
    for fault in [Fault::Down, Fault::Slow(Duration::from_mins(1))] {
        let closed = Gate::remembering(&configuration(&json!({})), store(fault));
        let proof = || signed(plain(), &client());
        let asked = with(Kind::Rest, &bound(), &proof());
        let in_time = tokio::time::timeout(Duration::from_secs(5), closed.outcome(&asked)).await;
        assert_eq!(
            in_time.as_deref(),
            Ok("replay_store_unavailable"),
            "{fault:?}"
        );
        let open = json!({"danger_local_replays": true});
        let open = Gate::remembering(&configuration(&open), store(fault));
        let asked = with(Kind::Rest, &bound(), &proof());
        assert_eq!(open.outcome(&asked).await, "allow", "{fault:?}");
        assert_eq!(open.outcome(&asked).await, "proof_replayed", "{fault:?}");
    }
}

#[tokio::test]
async fn where_nonces_are_configured_a_proof_needs_one_of_ours() {
    let dpop = json!({"nonce_secret": "env:NONCE", "nonce_seconds": 60});
    let gate = Gate::new(&configuration(&dpop));
    let asked = |nonce: Option<&str>| {
        let proof = match nonce {
            Some(nonce) => plain().claim("nonce", json!(nonce)),
            None => plain(),
        };
        with(Kind::Rest, &bound(), &signed(proof, &client()))
    };
    let refused = gate.ask_at(&asked(None), NOW).await.unwrap();
    assert_eq!(gate.line()["reason"], "proof_nonce");
    assert_eq!(
        refused["policyDocument"]["Statement"][0]["Effect"], "Deny",
        "{refused}"
    );
    let nonce = refused["context"]["dpopNonce"].as_str().unwrap();
    assert_eq!(gate.outcome(&asked(Some("made-up"))).await, "proof_nonce");
    let allowed = gate.ask_at(&asked(Some(nonce)), NOW).await.unwrap();
    assert_eq!(gate.line()["decision"], "allow", "{}", gate.line());
    assert!(allowed["context"]["dpopNonce"].is_string(), "{allowed}");
    let later = signed(
        plain()
            .claim("nonce", json!(nonce))
            .claim("iat", json!(NOW + 61)),
        &client(),
    );
    let late = gate
        .outcome_at(&with(Kind::Rest, &bound(), &later), NOW + 61)
        .await;
    assert_eq!(late, "proof_nonce");
    // Who lacks the key of the token learns no nonce.
    let stranger = SigningKey::shared(Algorithm::Es256, "stranger");
    let strange = with(Kind::Rest, &bound(), &signed(plain(), &stranger));
    assert_eq!(gate.outcome(&strange).await, "proof_key");
}

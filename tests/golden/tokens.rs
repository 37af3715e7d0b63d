//! The tokens of the table and the keys that sign them.

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_engine::layers::jwt::Algorithm;
use doorward_tests::tokens::{SigningKey, Token};
use serde_json::{Value, json};

use crate::world::NOW;

pub(crate) const PEOPLE: &str = "https://people.example";
pub(crate) const MACHINES: &str = "https://machines.example";
pub(crate) const REMOTE: &str = "https://remote.example";

/// The key of the people.
pub(crate) fn people() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "people")
}

/// A key that is published for encryption.
fn sealed() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "sealed")
}

fn machines() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Ed25519, "machines")
}

/// The issuers of the configuration.
pub(crate) fn issuers() -> Value {
    let mut of_sealed = sealed().jwk();
    of_sealed["use"] = json!("enc");
    json!([
        {
            "name": "people", "issuer": PEOPLE, "algorithms": ["ES256"], "audiences": ["api"],
            "claims": {"roles": "roles", "tenant": "tenant"},
            "jwks": {"keys": [people().jwk(), of_sealed]},
        },
        {
            "name": "machines", "issuer": MACHINES, "algorithms": ["EdDSA"], "audiences": ["api"],
            "max_lifetime_seconds": 300, "jwks": {"keys": [machines().jwk()]},
        },
        {
            "name": "remote", "issuer": REMOTE, "algorithms": ["ES256"], "audiences": ["api"],
            "jwks_uri": "https://remote.example/keys",
        },
    ])
}

fn access() -> Token {
    Token::access(PEOPLE, "api", NOW)
}

/// A good token.
pub(crate) fn good() -> String {
    access().signed_by(&people())
}

/// A good token with these claims beside its own.
pub(crate) fn with(claims: &[(&str, Value)]) -> String {
    let token = claims.iter().fold(access(), |token, (name, value)| {
        token.claim(name, value.clone())
    });
    token.signed_by(&people())
}

/// Tokens that do not hold, each with its name.
pub(crate) fn bad() -> Vec<(&'static str, String)> {
    let (people, machines) = (people(), machines());
    let signed = |token: Token| token.signed_by(&people);
    let good = good();
    let (head, _) = good.rsplit_once('.').unwrap();
    vec![
        (
            "token of 9,000 bytes",
            with(&[("padding", json!("p".repeat(9000)))]),
        ),
        ("token, payload no JSON", {
            let header = json!({"alg": "ES256", "kid": "people", "typ": "at+jwt"});
            doorward_tests::tokens::compact(header.to_string(), "{", &people)
        }),
        (
            "token with `crit`",
            signed(access().header("crit", json!(["exp"]))),
        ),
        (
            "token of a stranger",
            signed(access().claim("iss", json!("https://evil.example"))),
        ),
        ("token without `iss`", signed(access().without_claim("iss"))),
        ("token with `none`", {
            let token = access()
                .header("alg", json!("none"))
                .header("kid", json!("people"));
            token.with_signature(b"")
        }),
        (
            "token, unknown `kid`",
            access().header("kid", json!("gone")).signed_by(&people),
        ),
        ("token, key not for signing", access().signed_by(&sealed())),
        ("token, signed by another", {
            let other = SigningKey::shared(Algorithm::Es256, "other");
            access().header("kid", json!("people")).signed_by(&other)
        }),
        ("token, signature of zeros", {
            format!("{head}.{}", doorward_tests::tokens::encode([0; 64]))
        }),
        ("id token", signed(access().header("typ", json!("JWT")))),
        (
            "token, other audience",
            signed(access().claim("aud", json!("shop"))),
        ),
        (
            "token, expired",
            signed(access().claim("exp", json!(NOW - 61))),
        ),
        (
            "token, expired, in leeway",
            signed(access().claim("exp", json!(NOW - 59))),
        ),
        (
            "token, not valid yet",
            signed(access().claim("nbf", json!(NOW + 61))),
        ),
        (
            "token, lives too long",
            Token::access(MACHINES, "api", NOW).signed_by(&machines),
        ),
        (
            "token without `client_id`",
            signed(access().without_claim("client_id")),
        ),
        ("token, roles of numbers", with(&[("roles", json!([1]))])),
        ("token, bound", with(&[("cnf", json!({"jkt": "x"}))])),
        (
            "token, key set down",
            Token::access(REMOTE, "api", NOW).signed_by(&people),
        ),
    ]
}

/// The key that signs identity tokens: the private part, and the public part as KMS tells it.
pub(crate) fn signing_key() -> (String, String) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    (
        STANDARD.encode(pair.to_pkcs8v1().unwrap()),
        STANDARD.encode(public.as_ref()),
    )
}

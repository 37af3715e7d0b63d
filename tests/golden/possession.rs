//! Certificates and proofs of the table, and what is configured for them.

use std::sync::{Arc, OnceLock};

use doorward_engine::layers::jwt::Algorithm;
use doorward_keys::Timestamp;
use doorward_tests::{
    certificates::{Authority, Client},
    proofs::{proof, signed, thumbprint},
    tokens::{SigningKey, Token, encode},
};
use serde_json::{Value, json};

use crate::{
    cases::Case,
    events::Gateway,
    tokens,
    world::{NOW, Possession, State},
};

/// The custom domain of the API.
pub(crate) const DOMAIN: &str = "api.example.com";

const AT: Timestamp = Timestamp::from_unix(NOW);

struct Authorities {
    partners: Authority,
    strangers: Authority,
}

fn authorities() -> &'static Authorities {
    static MADE: OnceLock<Authorities> = OnceLock::new();
    MADE.get_or_init(|| Authorities {
        partners: Authority::new("partners", AT),
        strangers: Authority::new("strangers", AT),
    })
}

pub(crate) fn certificates(possession: Possession) -> Value {
    let mut partners = json!({
        "certificate": authorities().partners.pem, "revoked_serials": ["07"],
    });
    if possession == Possession::NoList {
        partners["crl"] = json!("s3://lists/partners.crl");
    }
    json!({
        "authorities": {"partners": partners},
        "clients": [{"identity": "dns:*.partners.example"}, {"identity": "cn:plain"}],
    })
}

pub(crate) fn dpop(possession: Possession) -> Value {
    let mut dpop = json!({"public_urls": [format!("https://{DOMAIN}")]});
    if possession == Possession::Nonce {
        dpop["nonce_secret"] = json!("env:NONCE");
    }
    dpop
}

fn key() -> Arc<SigningKey> {
    SigningKey::shared(Algorithm::Es256, "client")
}

/// One token for all proofs: signed again it would be another.
fn bound() -> String {
    static BOUND: OnceLock<String> = OnceLock::new();
    let made = || tokens::with(&[("cnf", json!({"jkt": thumbprint(&key())}))]);
    BOUND.get_or_init(made).clone()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut all = with_certificates();
    all.extend(with_proofs());
    all
}

/// The key that opaque tokens are bound to, as `jkt`.
pub(crate) fn thumbprint_of_client() -> String {
    thumbprint(&key())
}

/// Opaque tokens with a proof that opens nothing: by another client, and for a token that is bound to nothing. One that opens
/// something would do so once, and each row is asked twice.
pub(crate) fn opaque_cases() -> Vec<Case> {
    let other = SigningKey::shared(Algorithm::Es256, "another client");
    let case = |name: &str, token: &str, key: &SigningKey| {
        let address = format!("https://{DOMAIN}/opaque/42");
        let shown = signed(proof("GET", &address, token, NOW), key);
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", authorization.as_str()), ("dpop", &shown)];
        Case::new(name, &headers, "opaque").in_state(State::Servers)
    };
    vec![
        case("opaque token, another's proof", "bound", &other),
        case("opaque token and a proof", "active", &key()),
    ]
}

fn with_certificates() -> Vec<Case> {
    let partner = || Client::named("dns:a.partners.example", AT);
    let issue = |client: &Client| authorities().partners.issue(client);
    let case = |name: &str, pem: &str, possession| Case {
        certificate: Some(pem.to_owned()),
        gateways: &Gateway::WITH_CERTIFICATES,
        ..Case::new(name, &[], "certificate").in_state(State::Possession(possession))
    };
    let well = |name: &str, pem: &str| case(name, pem, Possession::Well);
    let good = issue(&partner());
    let bound = tokens::with(&[("cnf", json!({"x5t#S256": encode([7; 32])}))]);
    vec![
        well("certificate", &good),
        well("certificate, no PEM", "certificate"),
        well(
            "certificate of a stranger",
            &authorities().strangers.issue(&partner()),
        ),
        well(
            "certificate, expired",
            &issue(&partner().between(AT.plus(-9), AT.plus(-1))),
        ),
        well(
            "certificate, not valid yet",
            &issue(&partner().between(AT.plus(1), AT.plus(9))),
        ),
        well("certificate, revoked", &issue(&partner().serial(&[7]))),
        well("certificate of nobody", &issue(&Client::new("nobody", AT))),
        well(
            "certificate, two names",
            &issue(&partner().with("dns:b.partners.example")),
        ),
        case("certificate", &good, Possession::NoList),
        Case {
            domain: "a1b2c3.execute-api.eu-west-1.amazonaws.com",
            ..well("certificate, default endpoint", &good)
        },
        Case {
            certificate: None,
            ..well("none", "")
        },
        Case::bearer("token, no certificate", &bound, "token")
            .in_state(State::Possession(Possession::Well)),
        Case {
            certificate: Some(good),
            gateways: &Gateway::WITH_CERTIFICATES,
            ..Case::bearer("token, another certificate", &bound, "token")
                .in_state(State::Possession(Possession::Well))
        },
    ]
}

fn with_proofs() -> Vec<Case> {
    let address = format!("https://{DOMAIN}/token/42");
    let plain = || proof("GET", &address, &bound(), NOW);
    let case = |name: &str, token: &str, proof: &str, possession| {
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", authorization.as_str()), ("dpop", proof)];
        Case::new(name, &headers, "token").in_state(State::Possession(possession))
    };
    let well =
        |name: &str, proof: Token| case(name, &bound(), &signed(proof, &key()), Possession::Well);
    let good = || signed(plain(), &key());
    let other = SigningKey::shared(Algorithm::Es256, "another client");
    let rsa = SigningKey::shared(Algorithm::Rs256, "client");
    let forged = plain()
        .header("jwk", key().public_members())
        .signed_without_kid_by(&other);
    vec![
        Case::bearer("bound token as a bearer", &bound(), "token")
            .in_state(State::Possession(Possession::Well)),
        case(
            "proof, token not bound",
            &tokens::good(),
            &good(),
            Possession::Well,
        ),
        case("proof, no token", &bound(), "proof", Possession::Well),
        case(
            "proof, RS256",
            &bound(),
            &signed(plain(), &rsa),
            Possession::Well,
        ),
        case("proof, forged", &bound(), &forged, Possession::Well),
        case(
            "proof, another key",
            &bound(),
            &signed(plain(), &other),
            Possession::Well,
        ),
        well("proof, another method", plain().claim("htm", json!("PUT"))),
        well("proof, too old", plain().claim("iat", json!(NOW - 61))),
        well(
            "proof, another token",
            plain().claim("ath", json!(encode([7; 32]))),
        ),
        case("proof", &bound(), &good(), Possession::Again),
        case("proof", &bound(), &good(), Possession::StoreDown),
        case("proof", &bound(), &good(), Possession::Nonce),
    ]
}

//! Tokens that are bound to a certificate (RFC 8705 section 3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_keys::Timestamp;
use doorward_tests::{
    certificates::{Authority, Client},
    tokens::encode,
};
use serde_json::{Value, json};

use crate::gate::{Gate, Kind, NOW, get, token};

const AT: Timestamp = Timestamp::from_unix(NOW);

/// SHA-256 over the DER, by the text of the PEM alone.
pub(crate) fn thumbprint(pem: &str) -> String {
    let inner: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    encode(digest(&SHA256, &STANDARD.decode(inner).unwrap()))
}

fn routes() -> Value {
    json!([{"route": "GET /token", "credentials": ["jwt"]}])
}

/// The certificate of RFC 8705 appendix A.
const PUBLISHED: &str = "-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----";

#[tokio::test]
async fn the_published_certificate_has_the_published_thumbprint() {
    let gate = Gate::new(&json!({"routes": routes()}));
    let cnf = json!({"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"});
    assert_eq!(thumbprint(PUBLISHED), cnf["x5t#S256"]);
    let bearer = format!("Bearer {}", token(Some(cnf)));
    let asked = get(Kind::Rest, "/token")
        .header("authorization", &bearer)
        .shows(PUBLISHED);
    // It matches, and is past its time.
    assert_eq!(gate.outcome(&asked).await, "certificate_expired");
}

#[tokio::test]
async fn a_bound_token_opens_with_its_certificate_and_with_nothing_else() {
    let authority = Authority::new("any", AT);
    let own = authority.issue(&Client::new("a", AT));
    let other = authority.issue(&Client::new("a", AT));
    let gate = Gate::new(&json!({"routes": routes()}));
    let cnf = json!({"x5t#S256": thumbprint(&own)});
    let bound = token(Some(cnf));
    for kind in Kind::ALL {
        let bearer = get(kind, "/token").header("authorization", &format!("Bearer {bound}"));
        for (asked, expected) in [
            (bearer.clone().shows(&own), "allow"),
            (bearer.clone().shows(&other), "token_certificate"),
            (bearer.clone(), "token_certificate"),
            (bearer.clone().shows("nonsense"), "certificate_malformed"),
            // What is not bound is not looked at.
            (
                get(kind, "/token")
                    .header("authorization", &format!("Bearer {}", token(None)))
                    .shows("nonsense"),
                "allow",
            ),
        ] {
            assert_eq!(gate.outcome(&asked).await, expected, "{asked:?}");
        }
    }
}

#[tokio::test]
async fn where_certificates_are_configured_a_bound_token_needs_one_that_holds() {
    let (known, strange) = (Authority::new("known", AT), Authority::new("strange", AT));
    let gate = Gate::new(&json!({
        "certificates": {
            "authorities": {"known": {"certificate": known.pem, "revoked_serials": ["07"]}},
            "clients": [{"identity": "cn:somebody-else"}],
        },
        "routes": [
            {"route": "GET /token", "credentials": ["jwt"]},
            {"route": "GET /both", "credentials": ["certificate + jwt"]},
        ],
    }));
    let past = Client::new("a", AT).between(AT.plus(-20), AT.plus(-10));
    for (pem, path, expected) in [
        // Whose it is does not matter where the route asks for a token alone.
        (known.issue(&Client::new("a", AT)), "/token", "allow"),
        (
            known.issue(&Client::new("a", AT)),
            "/both",
            "certificate_unknown",
        ),
        (
            known.issue(&Client::new("somebody-else", AT)),
            "/both",
            "allow",
        ),
        (
            known.issue(&Client::new("a", AT).serial(&[7])),
            "/token",
            "certificate_revoked",
        ),
        (known.issue(&past), "/token", "certificate_expired"),
        (
            strange.issue(&Client::new("a", AT)),
            "/token",
            "certificate_issuer",
        ),
    ] {
        let bound = token(Some(json!({"x5t#S256": thumbprint(&pem)})));
        let asked = get(Kind::Http2, path)
            .header("authorization", &format!("Bearer {bound}"))
            .shows(&pem);
        assert_eq!(
            gate.outcome(&asked).await,
            expected,
            "{path} {}",
            gate.line()
        );
    }
}

#[tokio::test]
async fn a_token_bound_in_another_way_is_refused() {
    let gate = Gate::new(&json!({"routes": routes()}));
    let digest = encode([7; 32]);
    for cnf in [
        json!({"x5t#S256": digest, "jkt": digest}),
        json!({"x5t": digest}),
        json!({"kid": "a"}),
        json!({"x5t#S256": "short"}),
        json!({}),
        // Bound to a key, and no proofs are configured.
        json!({"jkt": digest}),
    ] {
        let bearer = format!("Bearer {}", token(Some(cnf.clone())));
        let asked = get(Kind::Rest, "/token").header("authorization", &bearer);
        assert_eq!(gate.outcome(&asked).await, "token_bound", "{cnf}");
    }
    let asked = get(Kind::Rest, "/token").header("authorization", &format!("DPoP {}", token(None)));
    assert_eq!(gate.outcome(&asked).await, "credential_unsupported");
}

#[tokio::test]
async fn an_identity_token_ends_with_the_certificate_that_the_token_is_bound_to() {
    let authority = Authority::new("any", AT);
    let gate = Gate::new(&json!({
        "identity_token": {
            "issuer": "gate", "audience": "backend", "signing_key": "env:SIGNING_KEY", "lifetime_seconds": 60,
        },
        "routes": routes(),
    }));
    for (ends, lives) in [(20, 21), (600, 60)] {
        let pem = authority.issue(&Client::new("a", AT).between(AT.plus(-60), AT.plus(ends)));
        let bound = token(Some(json!({"x5t#S256": thumbprint(&pem)})));
        let asked = get(Kind::Rest, "/token")
            .header("authorization", &format!("Bearer {bound}"))
            .shows(&pem);
        let answer = gate.ask_at(&asked, NOW).await.unwrap();
        let minted = answer["context"]["identityToken"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD
            .decode(minted.split('.').nth(1).unwrap())
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["exp"], NOW + lives, "{claims}");
    }
}

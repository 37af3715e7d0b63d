//! Opaque tokens are bound as JWTs are: the server says to what (RFC 7662 with RFC 8705 section 3.2 and RFC 9449 section 6.2).

use doorward_engine::layers::jwt::Algorithm;
use doorward_keys::Timestamp;
use doorward_tests::{
    authorities::Spoken,
    certificates::{Authority, Client},
    proofs::{proof, signed, thumbprint},
    tokens::SigningKey,
};
use serde_json::{Value, json};

use crate::{
    bound,
    gate::{Gate, Kind, NOW, get},
};

fn configuration() -> Value {
    json!({
        "dpop": {},
        "policy": {"gateway_cache": "off"},
        "introspection": [{
            "name": "servers", "issuer": "https://servers.example", "audiences": ["api"], "default": true,
            "endpoint": "https://servers.example/introspect", "client": {"id": "gate", "secret": "env:CLIENT_SECRET"},
        }],
        "routes": [{"route": "ANY /token", "credentials": ["opaque"]}],
    })
}

#[tokio::test]
async fn one_that_is_bound_to_a_key_opens_with_its_proof_once_and_never_as_a_bearer() {
    let key = SigningKey::shared(Algorithm::Es256, "client");
    let other = SigningKey::shared(Algorithm::Es256, "another client");
    let spoken = Spoken::default();
    spoken.activate("held", NOW, &[("cnf", json!({"jkt": thumbprint(&key)}))]);
    let gate = Gate::asking(&configuration(), spoken);
    for kind in Kind::ALL {
        let bearer = get(kind, "/token").header("authorization", "Bearer held");
        assert_eq!(gate.outcome(&bearer).await, "proof_missing", "{kind:?}");
        let with = |key: &SigningKey| {
            let shown = proof("GET", "https://api.example.com/token", "held", NOW);
            get(kind, "/token")
                .header("authorization", "DPoP held")
                .header("dpop", &signed(shown, key))
        };
        assert_eq!(gate.outcome(&with(&other)).await, "proof_key", "{kind:?}");
        let good = with(&key);
        assert_eq!(gate.outcome(&good).await, "allow", "{}", gate.line());
        assert_eq!(gate.outcome(&good).await, "proof_replayed", "{kind:?}");
    }
}

#[tokio::test]
async fn one_that_is_bound_to_a_certificate_opens_with_it_and_with_no_other() {
    let at = Timestamp::from_unix(NOW);
    let authority = Authority::new("any", at);
    let own = authority.issue(&Client::new("a", at));
    let other = authority.issue(&Client::new("a", at));
    let spoken = Spoken::default();
    let cnf = json!({"x5t#S256": bound::thumbprint(&own)});
    spoken.activate("held", NOW, &[("cnf", cnf)]);
    let gate = Gate::asking(&configuration(), spoken);
    for kind in Kind::ALL {
        let bearer = get(kind, "/token").header("authorization", "Bearer held");
        for (asked, expected) in [
            (bearer.clone().shows(&own), "allow"),
            (bearer.clone().shows(&other), "token_certificate"),
            (bearer, "token_certificate"),
        ] {
            assert_eq!(gate.outcome(&asked).await, expected, "{asked:?}");
        }
    }
}

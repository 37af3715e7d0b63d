//! The servers of the table that know opaque tokens, and what they say.

use doorward_tests::{authorities::Spoken, tokens::Token};
use serde_json::{Value, json};

use crate::{
    possession::{self, thumbprint_of_client},
    tokens,
    world::{NOW, Possession, State},
};

/// Opaque tokens, each with its name.
pub(crate) const TOKENS: [(&str, &str); 9] = [
    ("opaque token", "active"),
    ("opaque token with dots", "a.b.c"),
    ("opaque token, unknown", "unknown"),
    ("opaque token, expired", "expired"),
    ("opaque token, other audience", "elsewhere"),
    ("opaque token, bound", "bound"),
    ("refresh token", "refresh"),
    ("opaque token, server down", "down"),
    ("opaque token, server garbled", "garbled"),
];

/// The header that says of which issuer a token is.
pub(crate) const HEADER: &str = "x-token-issuer";

/// Headers with the issuer of the active token, each with its name and the route that is asked for.
pub(crate) const HINTS: [(&str, &[&str], &str); 7] = [
    (
        "opaque token, its issuer",
        &["https://servers.example"],
        "opaque",
    ),
    (
        "opaque token, another issuer",
        &["https://other.example"],
        "opaque",
    ),
    (
        "opaque token, unknown issuer",
        &["https://unknown.example"],
        "opaque",
    ),
    (
        "opaque token, two issuers",
        &["https://servers.example", "https://other.example"],
        "opaque",
    ),
    ("opaque token, no issuer", &[], "opaque"),
    (
        "opaque token, issuer of route",
        &["https://other.example"],
        "opaque-elsewhere",
    ),
    (
        "opaque token, default issuer",
        &["https://servers.example"],
        "opaque-elsewhere",
    ),
];

/// Opaque tokens on a route with an exchange, each with its name.
pub(crate) const SWAPS: [(&str, &str); 5] = [
    ("opaque token", "active"),
    ("opaque token, no exchange", "kept"),
    ("opaque token, exchange down", "stuck"),
    ("opaque token, exchange large", "large"),
    ("opaque token, client refused", "refused"),
];

pub(crate) fn routes() -> Vec<(&'static str, Value)> {
    vec![
        ("opaque", json!({"credentials": ["opaque"]})),
        (
            "opaque-admin",
            json!({"credentials": ["opaque"], "scopes": ["orders:admin"]}),
        ),
        (
            "opaque-elsewhere",
            json!({"credentials": ["opaque"], "introspection": "other"}),
        ),
        (
            "swap",
            json!({"credentials": ["jwt", "opaque"], "exchange": "backend"}),
        ),
    ]
}

/// Adds the servers to a configuration.
pub(crate) fn configure(config: &mut Value, state: State) {
    if state == State::IssuerHeader {
        config["tokens"] = json!({"issuer_header": HEADER});
    }
    config["introspection"] = introspection();
    config["exchanges"] = exchanges();
    config["dpop"] = possession::dpop(Possession::Well);
}

fn client() -> Value {
    json!({"id": "gate", "secret": "env:CLIENT_SECRET"})
}

fn introspection() -> Value {
    let server = |name: &str, host: &str| {
        json!({
            "name": name, "issuer": format!("https://{host}.example"), "audiences": ["api"],
            "endpoint": format!("https://{host}.example/introspect"), "client": client(),
        })
    };
    let mut first = server("servers", "servers");
    first["default"] = json!(true);
    json!([first, server("other", "other")])
}

fn exchanges() -> Value {
    json!([{
        "name": "backend", "token_endpoint": "https://servers.example/token", "client": client(),
        "audiences": ["backend"],
    }])
}

/// What the servers say.
pub(crate) fn spoken() -> Spoken {
    let spoken = Spoken::default();
    for token in ["active", "a.b.c", "kept", "stuck", "large"] {
        spoken.activate(token, NOW, &[]);
    }
    spoken.activate("expired", NOW, &[("exp", json!(NOW - 61))]);
    spoken.activate("elsewhere", NOW, &[("aud", json!("shop"))]);
    spoken.activate(
        "bound",
        NOW,
        &[("cnf", json!({"jkt": thumbprint_of_client()}))],
    );
    spoken.activate("refresh", NOW, &[("token_type", json!("refresh_token"))]);
    spoken.break_off("down");
    spoken.say("garbled", 200, "<html>");
    spoken.say("refused", 401, "");
    spoken.break_off("exchange stuck");
    let issued = |token: &str| {
        let kind = "urn:ietf:params:oauth:token-type:access_token";
        json!({"access_token": token, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 300})
            .to_string()
    };
    let small =
        Token::access("https://servers.example", "backend", NOW).signed_by(&tokens::people());
    spoken.say("exchange active", 200, issued(&small));
    let large = tokens::with(&[("padding", json!("p".repeat(9000)))]);
    spoken.say("exchange large", 200, issued(&large));
    spoken
}

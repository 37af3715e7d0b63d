//! What it takes to sign an identity token: decisions about a route that is open to anybody, so that little else is done,
//! without a token, with a fresh one each time, and with one that is a few seconds old.
//!
//! The authorizer of the Lambda is called in this process. Each call must be let in; a refusal ends the run with an error.
//!
//! ```sh
//! cargo run --release -p doorward-bench --bin identity-tokens
//! ```

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_authorizer::{Call, Event, clock, settings::Environment, wiring::Service};
use doorward_engine::limits::Span;
use serde_json::json;

const CALLS: u64 = 5000;
/// Longer than the same facts get the same token.
const APART: u64 = 6;

const ROUTE: &str = "[[routes]]\nroute = 'GET /orders'\ncredentials = ['anonymous']\n";
const TOKENS: &str = "[identity_token]\nissuer = 'https://gate.example'\naudience = 'https://backend.example'\n\
                      signing_key = 'env:DOORWARD_SECRET_SIGNING_KEY'\n";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let es256 = STANDARD.encode(es256.to_pkcs8v1()?);
    let eddsa = STANDARD.encode(Ed25519KeyPair::generate()?.to_pkcs8v1()?);
    println!("{CALLS} decisions each, in microseconds\n");
    println!("{:<28} {:>8} {:>8}", "", "median", "99 %");
    for (name, key, apart) in [
        ("no identity token", None, APART),
        ("ES256, a fresh one each time", Some(&es256), APART),
        ("EdDSA, a fresh one each time", Some(&eddsa), APART),
        ("ES256, the same", Some(&es256), 0),
    ] {
        let mut took = measured(key, apart).await.context(name)?;
        took.sort_unstable();
        let at = |percent: usize| {
            let index = took.len().saturating_mul(percent).div_euclid(100);
            took.get(index).map_or(0, Duration::as_micros)
        };
        println!("{name:<28} {:>8} {:>8}", at(50), at(99));
    }
    Ok(())
}

/// How long each decision took, with so many seconds from one to the next.
async fn measured(key: Option<&String>, apart: u64) -> anyhow::Result<Vec<Duration>> {
    let tokens = key.map_or("", |_| TOKENS);
    let config = format!("{tokens}{ROUTE}");
    let key = key.map(|key| ("DOORWARD_SECRET_SIGNING_KEY", key.as_str()));
    let variables = [("DOORWARD_CONFIG", config.as_str())]
        .into_iter()
        .chain(key);
    let environment: Environment = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let service = Service::start(environment, Arc::new(|_| {})).await;
    let event = json!({
        "type": "REQUEST", "resource": "/orders", "path": "/orders", "httpMethod": "GET", "headers": {},
        "methodArn": "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/prod/GET/orders",
        "requestContext": {
            "apiId": "a1b2c3", "stage": "prod", "httpMethod": "GET", "resourcePath": "/orders", "path": "/prod/orders",
        },
    });
    let text = event.to_string();
    let event = Event::parse(text.as_bytes());
    let mut call = Call {
        request_id: "bench".to_owned(),
        trace_id: None,
        received_at: clock::moment(),
        time_left: None,
    };
    let mut took = Vec::new();
    for _ in 0..CALLS {
        call.received_at = call.received_at.plus(Span::from_seconds(apart));
        let began = clock::stopwatch();
        let explained = service.authorizer().decide(&event, &call).await;
        took.push(clock::stopwatch().saturating_sub(began));
        let decision = explained.verdict.decision;
        let doorward_engine::Decision::Allow(grant) = &decision else {
            anyhow::bail!("a call was refused: {decision:?}");
        };
        ensure!(
            grant.identity_token().is_some() != tokens.is_empty(),
            "a token is missing, or there is one too many"
        );
    }
    Ok(took)
}

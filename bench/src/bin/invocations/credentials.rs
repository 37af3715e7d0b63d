//! Tokens and keys, and the events that carry them.

use anyhow::anyhow;
use doorward::local::issuer::{Algorithm, DemoKeys, TokenRequest};
use doorward_authorizer::clock;
use doorward_backends::dynamodb::TableNames;
use doorward_bench::keys;
use serde_json::{Map, json};

/// `iss` of all tokens.
pub(crate) const ISSUER: &str = "http://issuer.test";

/// The address that no candidate lets in.
pub(crate) const DENIED: &str = "198.51.100.66";

const ADDRESS: &str = "203.0.113.7";

/// What callers present.
pub(crate) struct Credentials {
    pub(crate) key_set: String,
    pub(crate) rs256: Vec<String>,
    pub(crate) es256: Vec<String>,
    pub(crate) keys: Vec<String>,
}

impl Credentials {
    /// So many of each; the keys are in the table.
    pub(crate) async fn make(
        count: usize,
        client: &aws_sdk_dynamodb::Client,
        tables: &TableNames,
    ) -> anyhow::Result<Self> {
        let issuer = DemoKeys::generate()?;
        let mint = |algorithm| -> anyhow::Result<Vec<String>> {
            (0..count)
                .map(|number| token(&issuer, algorithm, number))
                .collect()
        };
        Ok(Self {
            key_set: issuer.key_set()?.to_string(),
            rs256: mint(Algorithm::Rs256)?,
            es256: mint(Algorithm::Es256)?,
            keys: keys::make(client, tables, count, &["orders:read"]).await?,
        })
    }
}

/// A token of caller `number`.
pub(crate) fn token(
    issuer: &DemoKeys,
    algorithm: Algorithm,
    number: usize,
) -> anyhow::Result<String> {
    let request = TokenRequest {
        issuer: ISSUER.to_owned(),
        subject: format!("user-{number}"),
        client_id: "app".to_owned(),
        audiences: vec!["api".to_owned()],
        scopes: vec!["orders:read".to_owned(), "profile".to_owned()],
        roles: vec![],
        claims: Map::new(),
        token_type: "at+jwt".to_owned(),
        issued_at: clock::wall().plus(-60),
        lifetime: 7200,
        algorithm,
    };
    Ok(issuer.mint(&request)?.expose().clone())
}

/// A key of the right form that is in no table.
pub(crate) fn strange_key(number: u64) -> anyhow::Result<String> {
    let mut seed = [7; 32];
    for (byte, of_number) in seed.iter_mut().zip(number.to_be_bytes()) {
        *byte = of_number;
    }
    let minted = keys::format()
        .mint("live", seed)
        .map_err(|error| anyhow!("{error}"))?;
    Ok(minted.printed.expose().clone())
}

/// The event for `GET /orders/42`, as REST APIs send it to an authorizer of the type REQUEST.
pub(crate) fn event(authorization: &str, address: Option<&str>) -> String {
    let headers = json!({
        "accept": "application/json", "authorization": authorization, "host": "a1b2c3.execute-api.us-east-1.amazonaws.com",
        "user-agent": "bench/1.0", "x-forwarded-for": "203.0.113.7", "x-forwarded-port": "443", "x-forwarded-proto": "https",
    });
    let many: Map<String, serde_json::Value> = headers
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    json!({
        "type": "REQUEST", "resource": "/orders/{id}", "path": "/orders/42", "httpMethod": "GET",
        "methodArn": "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/v1/GET/orders/42",
        "headers": headers, "multiValueHeaders": many,
        "queryStringParameters": {}, "multiValueQueryStringParameters": {}, "pathParameters": {"id": "42"}, "stageVariables": {},
        "requestContext": {
            "accountId": "111122223333", "apiId": "a1b2c3", "stage": "v1", "httpMethod": "GET", "resourceId": "x1y2z3",
            "resourcePath": "/orders/{id}", "path": "/v1/orders/42", "protocol": "HTTP/1.1", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "domainName": "a1b2c3.execute-api.us-east-1.amazonaws.com", "requestTimeEpoch": 1_795_428_000_000_i64,
            "identity": {"sourceIp": address.unwrap_or(ADDRESS), "userAgent": "bench/1.0"},
        },
    })
    .to_string()
}

//! Tokens and keys, and the events that carry them.

use doorward::local::issuer::{Algorithm, DemoKeys, TokenRequest};
use doorward_authorizer::clock;
use doorward_backends::dynamodb::TableNames;
use doorward_bench::keys;
use doorward_micro::{front, house::ADDRESS};
use serde_json::Map;

/// `iss` of all tokens.
pub(crate) const ISSUER: &str = "http://issuer.test";

/// The address that no candidate lets in.
pub(crate) const DENIED: &str = "198.51.100.66";

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

/// An event with this header `Authorization`, from `address` or from where everybody is let in.
pub(crate) fn event(authorization: &str, address: Option<&str>) -> String {
    front::event(authorization, address.unwrap_or(ADDRESS))
}

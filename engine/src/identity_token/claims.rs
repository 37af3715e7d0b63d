//! What a token says.

use aws_lc_rs::digest::{Context as Hasher, SHA256};
use doorward_keys::Timestamp;
use serde_json::{Map, Value, json};

use super::{Bearer, IdentityTokenConfig};
use crate::context;

/// The claims without the times: the identity contract, and who says it to whom.
pub(super) fn of(config: &IdentityTokenConfig, bearer: Bearer<'_>) -> Map<String, Value> {
    let facts = bearer.context.iter();
    let facts = facts.filter(|(name, _)| context::is_identity(name));
    let mut claims: Map<String, Value> = facts
        .map(|(name, value)| (name.to_string(), json!(value)))
        .collect();
    claims.insert("iss".to_owned(), json!(config.issuer));
    claims.insert("aud".to_owned(), json!(config.audience));
    claims.insert("sub".to_owned(), json!(bearer.principal));
    claims
}

/// What tells one set of claims from another, with the end of the credential: two tokens with the same digest differ in their
/// times only.
pub(super) fn digest(claims: &Map<String, Value>, valid_until: Option<Timestamp>) -> [u8; 32] {
    let mut hasher = Hasher::new(&SHA256);
    let end = valid_until.map(Timestamp::unix);
    hasher.update(json!([claims, end]).to_string().as_bytes());
    let mut digest = [0; 32];
    digest.copy_from_slice(hasher.finish().as_ref());
    digest
}

/// The payload (RFC 7519 section 4.1).
pub(super) fn at(mut claims: Map<String, Value>, now: Timestamp, expires_at: Timestamp) -> String {
    claims.insert("iat".to_owned(), json!(now.unix()));
    claims.insert("exp".to_owned(), json!(expires_at.unix()));
    Value::Object(claims).to_string()
}

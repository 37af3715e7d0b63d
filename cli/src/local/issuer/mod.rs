//! The demo issuer: key pairs of its own, discovery and key set on a loopback port, tokens in the profile of RFC 9068.
//!
//! It proves nothing about anybody. Whoever can read its key file can mint any token that the local gateway accepts.

mod der;
mod dpop;
mod keys;
mod server;

use doorward_keys::Timestamp;
use serde_json::{Map, Value, json};

pub use dpop::{DpopKey, ProofRequest, certificate_thumbprint};
pub use keys::{Algorithm, DemoKeys, KeysError};
pub use server::{IDENTITY_KEY_SET, serve};

/// What to say in a token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRequest {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `client_id`.
    pub client_id: String,
    /// `aud`; a text when there is one, else a list.
    pub audiences: Vec<String>,
    /// `scope`, joined by spaces.
    pub scopes: Vec<String>,
    /// `roles`; left out when empty.
    pub roles: Vec<String>,
    /// Claims besides these; they win over all others, so that odd tokens can be made.
    pub claims: Map<String, Value>,
    /// `typ` of the header.
    pub token_type: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// Seconds from `iat` to `exp`; negative for a token that has expired.
    pub lifetime: i64,
    /// How it is signed.
    pub algorithm: Algorithm,
}

impl TokenRequest {
    /// The claims (RFC 9068 section 2.2).
    pub(super) fn claims(&self, token_id: &str) -> Value {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": self.subject,
            "client_id": self.client_id,
            "aud": match self.audiences.as_slice() {
                [one] => json!(one),
                several => json!(several),
            },
            "scope": self.scopes.join(" "),
            "iat": self.issued_at.unix(),
            "exp": self.issued_at.plus(self.lifetime).unix(),
            "jti": token_id,
        });
        if let Value::Object(members) = &mut claims {
            if !self.roles.is_empty() {
                members.insert("roles".to_owned(), json!(self.roles));
            }
            members.extend(self.claims.clone());
        }
        claims
    }
}

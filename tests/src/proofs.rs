//! Proofs of possession in the making: any header member and any claim can be set or left out.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::tokens::{SigningKey, Token, encode};

/// A whole proof for `method` on `address`, made at `now` for `token`, with a `jti` of its own.
pub fn proof(method: &str, address: &str, token: &str, now: i64) -> Token {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    Token::default()
        .header("typ", json!("dpop+jwt"))
        .claim("jti", json!(format!("proof-{number}")))
        .claim("htm", json!(method))
        .claim("htu", json!(address))
        .claim("iat", json!(now))
        .claim("ath", json!(encode(digest(&SHA256, token.as_bytes()))))
}

/// The proof with the public key in its header, signed with it.
pub fn signed(proof: Token, key: &SigningKey) -> String {
    proof
        .header("jwk", key.public_members())
        .signed_without_kid_by(key)
}

/// The thumbprint of a key (RFC 7638 section 3), for `jkt`.
pub fn thumbprint(key: &SigningKey) -> String {
    // The members of a map of this library are in the order of their names, which is what the RFC asks for.
    let members: std::collections::BTreeMap<String, Value> =
        serde_json::from_value(key.public_members()).unwrap_or_default();
    let text = serde_json::to_string(&members).unwrap_or_default();
    encode(digest(&SHA256, text.as_bytes()))
}

//! Public keys as the key set publishes them.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::key::unarmoured;

/// A `SubjectPublicKeyInfo` of P-256 up to the point (RFC 5480 section 2): the sequence, `id-ecPublicKey` with the curve, and
/// the head of the bit string.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key that the library took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    numbers: Numbers,
    id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Numbers {
    P256 { x: String, y: String },
    Ed25519 { x: String },
}

impl PublicKey {
    /// The key of an uncompressed point on P-256 (SEC 1 section 2.3.3).
    pub fn p256(point: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        if y.len() != 32 {
            return None;
        }
        Some(Self::of(Numbers::P256 {
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }))
    }

    /// The key of 32 bytes (RFC 8032 section 5.1.5).
    pub fn ed25519(bytes: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(&ED25519, bytes).ok()?;
        let x = URL_SAFE_NO_PAD.encode(bytes);
        (bytes.len() == 32).then(|| Self::of(Numbers::Ed25519 { x }))
    }

    /// Reads the public part of a P-256 key that is kept elsewhere: a `SubjectPublicKeyInfo`, as PEM or as its base64.
    pub fn parse(text: &str) -> Option<Self> {
        let der = unarmoured(text, "PUBLIC KEY")?;
        Self::p256(der.strip_prefix(&P256_SPKI)?)
    }

    /// The same key under another name.
    #[must_use]
    pub fn named(self, id: String) -> Self {
        Self { id, ..self }
    }

    /// `kid`: unless named otherwise the SHA-256 thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `alg`.
    pub const fn algorithm(&self) -> &'static str {
        match self.numbers {
            Numbers::P256 { .. } => "ES256",
            Numbers::Ed25519 { .. } => "EdDSA",
        }
    }

    /// The entry of a key set (RFC 7517 section 4).
    pub fn jwk(&self) -> Value {
        let mut jwk = self.numbers.jwk();
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), json!(self.id));
            members.insert("alg".to_owned(), json!(self.algorithm()));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }

    fn of(numbers: Numbers) -> Self {
        Self {
            id: numbers.thumbprint(),
            numbers,
        }
    }
}

impl Numbers {
    /// The members that a thumbprint is made of, in the order that it wants (RFC 7638 section 3.2, RFC 8037 section 2).
    fn jwk(&self) -> Value {
        match self {
            Self::P256 { x, y } => json!({"crv": "P-256", "kty": "EC", "x": x, "y": y}),
            Self::Ed25519 { x } => json!({"crv": "Ed25519", "kty": "OKP", "x": x}),
        }
    }

    fn thumbprint(&self) -> String {
        // Values are base64url and names sorted, so the text is the one that the standard prescribes.
        let text = match self {
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
    }
}

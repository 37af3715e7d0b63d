//! A signing key that the process holds itself.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::PublicKey;

/// A key pair for ES256 (RFC 7518 section 3.4) or `EdDSA` on Ed25519 (RFC 8037 section 3.1).
pub struct OwnKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl fmt::Debug for OwnKey {
    /// The public part only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl OwnKey {
    /// Reads a private key in PKCS #8, as PEM or as the base64 of it without the lines around (RFC 7468 section 10); `None`
    /// for anything else, and for keys of other curves.
    pub fn parse(text: &str) -> Option<Self> {
        let der = unarmoured(text, "PRIVATE KEY")?;
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der) {
            let public = PublicKey::p256(pair.public_key().as_ref())?;
            return Some(Self {
                pair: Pair::P256(pair),
                public,
            });
        }
        // Keys as OpenSSL writes them lack the public part, which follows from the private one.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
        let public = PublicKey::ed25519(pair.public_key().as_ref())?;
        Some(Self {
            pair: Pair::Ed25519(pair),
            public,
        })
    }

    /// The public part.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of `text`.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), text),
            Pair::Ed25519(pair) => pair.try_sign(text),
        };
        let signature = signature.map_err(|_| "the crypto library refused".to_owned())?;
        Ok(signature.as_ref().to_vec())
    }
}

/// What stands between the lines of a PEM text with `label`, or the text itself where it has no such lines.
pub(super) fn unarmoured(text: &str, label: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let body = if text.starts_with("-----") {
        let text = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
        text.strip_suffix(&format!("-----END {label}-----"))?
    } else {
        text
    };
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

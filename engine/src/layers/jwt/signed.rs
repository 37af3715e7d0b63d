//! What the signature of a token is about (RFC 7515 section 5.2): digested once, to be looked up by and to be verified.

use aws_lc_rs::{
    digest::{Digest, SHA256, digest},
    signature::ParsedPublicKey,
};

use super::{algorithm::Algorithm, compact::Compact};

/// What was signed, and the signature that is said to be of it. No `Debug`: whoever holds a token may use it.
pub(super) struct Signed<'t> {
    pub(super) parts: Compact<'t>,
    /// The SHA-256 of what was signed.
    digest: Digest,
}

impl<'t> Signed<'t> {
    /// The two of a token.
    pub(super) fn of(parts: Compact<'t>) -> Self {
        Self {
            digest: digest(&SHA256, parts.signing_input.as_bytes()),
            parts,
        }
    }

    /// The SHA-256 of what was signed.
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }

    /// The SHA-256 of the signature, as it is written.
    pub(super) fn signature_digest(&self) -> Digest {
        digest(&SHA256, self.parts.signature.as_bytes())
    }

    /// The length of the token.
    pub(super) const fn bytes(&self) -> usize {
        let signed = self.parts.signing_input.len().saturating_add(1);
        signed.saturating_add(self.parts.signature.len())
    }

    /// Whether `signature`, which stands in the token, was made with the private half of `key` by `algorithm`. An algorithm that
    /// begins with SHA-256 takes the digest that there is.
    pub(super) fn is_by(
        &self,
        key: &ParsedPublicKey,
        algorithm: Algorithm,
        signature: &[u8],
    ) -> bool {
        let verified = if algorithm.begins_with_sha256() {
            key.verify_digest_sig(&self.digest, signature)
        } else {
            key.verify_sig(self.parts.signing_input.as_bytes(), signature)
        };
        verified.is_ok()
    }
}

//! What is stored in place of a key: a digest of its whole printed form.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// A secret kept outside the table. With it, the stored digest is HMAC-SHA-256 instead of SHA-256, so that a copy
/// of the table alone proves nothing.
#[derive(Clone, Debug)]
pub struct Pepper(Secret<Vec<u8>>);

impl Pepper {
    /// The fewest bytes a pepper may have: the output of the hash (RFC 2104 section 3).
    pub const MIN_BYTES: usize = 32;

    /// Takes the pepper; `None` when it is shorter than [`Pepper::MIN_BYTES`].
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= Self::MIN_BYTES).then(|| Self(Secret::new(bytes)))
    }

    pub(crate) fn mac(&self, label: &[u8], text: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length (RFC 2104 section 2), so this branch never ends in the empty digest;
        // if it did, no key would match it.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose()) else {
            return [0; 32];
        };
        mac.update(label);
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// The 256-bit digest of a whole printed key. Compared in constant time, printed nowhere.
#[derive(Clone)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests the whole printed key: SHA-256, or HMAC-SHA-256 where a pepper is set.
    pub fn of(printed_key: &str, pepper: Option<&Pepper>) -> Self {
        Self(match pepper {
            None => Sha256::digest(printed_key.as_bytes()).into(),
            Some(pepper) => pepper.mac(b"doorward:key:", printed_key.as_bytes()),
        })
    }

    /// Takes over a stored digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for the store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[digest]")
    }
}

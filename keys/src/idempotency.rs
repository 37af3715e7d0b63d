//! Repeating a request without repeating its effect.
//!
//! A caller names a request by a text of their choice. The first time, the text and the content of the request are stored
//! (as digests) in the same transaction as the change. A repeat with the same content answers the id of the key that
//! was made then; its secret was shown once, is stored nowhere and cannot be shown again: rotate the key if it was lost.
//! A repeat with other content is refused. The memory lasts for [`Idempotency::MEMORY_SECONDS`].

use sha2::{Digest as _, Sha256};

use crate::{digest::hex, record::KeyId, store::Earlier, time::Timestamp};

/// The name of a request and what it asked for, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Hexadecimal SHA-256 of operation, scope and the caller's text: the name under which the request is remembered.
    pub name: String,
    /// Hexadecimal SHA-256 of the content of the request.
    pub content: String,
    /// When the request was made.
    pub made_at: Timestamp,
}

impl Idempotency {
    /// How long a request is remembered: a day.
    pub const MEMORY_SECONDS: i64 = 24 * 60 * 60;

    /// The request named `text` by its caller. `scope` is what the operation works on (a tenant, a key), so that the
    /// names of one tenant never meet those of another.
    pub fn new(operation: &str, scope: &str, text: &str, content: &str, now: Timestamp) -> Self {
        Self {
            name: fingerprint(&[operation, scope, text]),
            content: fingerprint(&[content]),
            made_at: now,
        }
    }

    /// When the request is forgotten.
    pub const fn expires_at(&self) -> Timestamp {
        self.made_at.plus(Self::MEMORY_SECONDS)
    }

    /// What a remembered request means for this one: one that `made` a key, asked for `content` and is remembered until
    /// `forgotten_at`.
    pub fn compare(&self, content: &str, made: KeyId, forgotten_at: Timestamp) -> Option<Earlier> {
        if forgotten_at <= self.made_at {
            None
        } else if content == self.content {
            Some(Earlier::Same(made))
        } else {
            Some(Earlier::Different)
        }
    }
}

fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length before each part makes the joining unambiguous.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_operations_scopes_and_joinings_do_not_meet() {
        let name = |operation, scope, text| {
            Idempotency::new(operation, scope, text, "{}", Timestamp::from_unix(0)).name
        };
        let names = [
            name("create", "acme", "n1"),
            name("rotate", "acme", "n1"),
            name("create", "acmen", "1"),
            name("create", "acm", "en1"),
            name("create", "acme", "n2"),
        ];
        for (index, left) in names.iter().enumerate() {
            assert_eq!(left.len(), 64);
            for right in names.iter().skip(index + 1) {
                assert_ne!(left, right);
            }
        }
    }
}

//! Nonces (RFC 9449 section 9): a time with a keyed digest over it. No store is needed: every sandbox with the secret knows
//! its own nonces, and how old they are.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_keys::{Secret, Timestamp};

/// What the digest is over, beside the time, so that the secret cannot be used for something else by mistake.
const PURPOSE: &[u8] = b"doorward dpop nonce\0";

/// The bytes of the time in a nonce; those of the digest follow.
const TIME_BYTES: usize = 8;

/// The bytes of the digest that are kept: nobody can guess 128 bits.
const DIGEST_BYTES: usize = 16;

/// How far the clock of another sandbox may be ahead, in seconds.
const LEEWAY: i64 = 30;

/// Makes and recognises nonces.
#[derive(Clone)]
pub(super) struct Nonces {
    key: Secret<Vec<u8>>,
    /// How long a nonce is accepted, in seconds.
    max_age: i64,
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces")
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

impl Nonces {
    pub(super) const fn new(key: Secret<Vec<u8>>, max_age: i64) -> Self {
        Self { key, max_age }
    }

    /// A nonce of now.
    pub(super) fn fresh(&self, now: Timestamp) -> String {
        let time = now.unix().to_be_bytes();
        let digest = hmac::sign(&self.key(), &message(time));
        let mut nonce = time.to_vec();
        nonce.extend(digest.as_ref().iter().take(DIGEST_BYTES));
        URL_SAFE_NO_PAD.encode(nonce)
    }

    /// Whether `nonce` is one of ours and recent.
    pub(super) fn accepts(&self, nonce: &str, now: Timestamp) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else {
            return false;
        };
        if bytes.len() != TIME_BYTES + DIGEST_BYTES {
            return false;
        }
        let Some((time, found)) = bytes.split_first_chunk::<TIME_BYTES>() else {
            return false;
        };
        let digest = hmac::sign(&self.key(), &message(*time));
        let kept: Vec<u8> = digest.as_ref().iter().take(DIGEST_BYTES).copied().collect();
        let is_ours = aws_lc_rs::constant_time::verify_slices_are_equal(&kept, found).is_ok();
        let age = now.since(Timestamp::from_unix(i64::from_be_bytes(*time)));
        is_ours && (-LEEWAY..=self.max_age).contains(&age)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.key.expose())
    }
}

fn message(time: [u8; TIME_BYTES]) -> Vec<u8> {
    [PURPOSE, &time].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_its_own_for_a_time_and_nothing_else() {
        let nonces = Nonces::new(
            Secret::new(b"a secret of at least 32 bytes, as".to_vec()),
            300,
        );
        let now = Timestamp::from_unix(1_800_000_000);
        let nonce = nonces.fresh(now);
        for (later, expected) in [
            (-31, false),
            (-30, true),
            (0, true),
            (300, true),
            (301, false),
        ] {
            assert_eq!(nonces.accepts(&nonce, now.plus(later)), expected, "{later}");
        }
        let other = Nonces::new(
            Secret::new(b"another secret of 32 bytes or more".to_vec()),
            300,
        );
        assert!(!nonces.accepts(&other.fresh(now), now));
        let longer = format!("{nonce}A");
        let changed = nonce.replacen('A', "B", 1);
        for bad in ["", "A", "====", longer.as_str(), changed.as_str()] {
            assert!(!nonces.accepts(bad, now), "{bad}");
        }
        assert!(!format!("{nonces:?}").contains("secret of"));
    }
}

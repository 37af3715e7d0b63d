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

    /// The digest under which a key is kept of which a former system knew only `hash`, made as `name` says.
    pub(crate) fn of_former(name: &str, hash: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in [b"doorward:former:", name.as_bytes(), b":", hash] {
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// Takes over a stored digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for the store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Sixty-four lower-case hexadecimal digits, for the key of a stored item. Never for a log or an answer.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads what [`Digest::to_hex`] wrote; `None` for anything else, upper case included.
    pub fn from_hex(text: &str) -> Option<Self> {
        bytes_of_hex(text)?.try_into().ok().map(Self)
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}

/// Reads what [`hex`] wrote; `None` for anything else, upper case included.
pub(crate) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((nibble(*high)? << 4) | nibble(*low)?),
            _ => None,
        })
        .collect()
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
#[expect(
    clippy::string_slice,
    reason = "the texts are ASCII, and a test may panic"
)]
mod tests {
    use super::*;

    fn pepper(byte: u8) -> Pepper {
        Pepper::new(vec![byte; 32]).unwrap()
    }

    #[test]
    fn a_short_pepper_is_refused() {
        assert!(Pepper::new(vec![1; 31]).is_none());
    }

    #[test]
    fn the_plain_digest_is_sha_256_of_the_whole_text() {
        // FIPS 180-2 appendix B.1.
        assert_eq!(
            Digest::of("abc", None).to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_digest_of_another_pepper_or_of_none_is_another() {
        let digests = [
            Digest::of("ck_live_x", None),
            Digest::of("ck_live_x", Some(&pepper(1))),
            Digest::of("ck_live_x", Some(&pepper(2))),
            Digest::of("ck_test_x", Some(&pepper(2))),
        ];
        for (index, left) in digests.iter().enumerate() {
            for right in digests.iter().skip(index + 1) {
                assert_ne!(left, right);
            }
        }
    }

    #[test]
    fn hexadecimal_of_wrong_length_case_or_alphabet_is_refused() {
        let digest = Digest::of("abc", None);
        let hex = digest.to_hex();
        assert_eq!(Digest::from_hex(&hex), Some(digest));
        for bad in [
            hex.to_uppercase(),
            hex[1..].to_owned(),
            format!("{hex}0"),
            format!("g{}", &hex[1..]),
            format!("\u{e9}{}", &hex[2..]),
            String::new(),
        ] {
            assert_eq!(Digest::from_hex(&bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_shows_neither_digest_nor_pepper() {
        let digest = Digest::of("abc", None);
        assert_eq!(format!("{digest:?}"), "[digest]");
        assert_eq!(format!("{:?}", pepper(7)), "Pepper([secret])");
    }
}

//! The printed form of a key: `{prefix}_{environment}_{secret}{checksum}`.
//!
//! - `prefix` and `environment` are words of 1 to 20 ASCII letters and digits ([`is_word`]); no `_`, so that a key has
//!   exactly three parts and one reading.
//! - `secret` is 43 base62 characters (`0-9A-Za-z`) of 256 random bits.
//! - `checksum` is 6 base62 characters, zero-padded, over all before it: CRC-32 (IEEE 802.3), or, where a pepper is set,
//!   the first 32 bits of HMAC-SHA-256 under that pepper, so that a made-up key dies without a read. The checksum proves
//!   nothing; it only spares work.
//!
//! A secret scanner finds the keys of a product with prefix `ck` and environments `live` and `test` by
//! `\bck_(?:live|test)_[0-9A-Za-z]{49}\b`; [`KeyFormat::pattern`] prints the expression for any format.
//!
//! Peppers: the checksum tells which of the two peppers made a key, so that exactly one digest is looked up. A key whose
//! checksum fits both (one in 2^32) is read as one of the newer pepper, not found, and refused. A format with a pepper
//! refuses keys made without one: setting the first pepper means making all keys anew.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{
    base62,
    digest::{Digest, Pepper},
    secret::Secret,
};

/// The longest prefix and the longest environment, in characters.
pub const MAX_WORD: usize = 20;
const TAIL: usize = base62::LEN_256 + base62::LEN_32;
/// Two words of one character, two separators and the tail.
const MIN_KEY: usize = 1 + 1 + 1 + 1 + TAIL;
const MAX_KEY: usize = MAX_WORD + 1 + MAX_WORD + 1 + TAIL;

/// Which printed keys are ours.
#[derive(Clone, Debug)]
pub struct KeyFormat {
    /// First word, such as `ck`.
    pub prefix: String,
    /// Second words that are accepted here, such as `live`.
    pub environments: Vec<String>,
    /// The pepper in force.
    pub pepper: Option<Pepper>,
    /// The pepper before it, while keys made with it still live.
    pub previous_pepper: Option<Pepper>,
}

/// Why a text is not one of our keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatFault {
    /// Wrong length, alphabet or number of words.
    #[error("not of the form of a key")]
    Malformed,
    /// A key of another product.
    #[error("the prefix is not ours")]
    Foreign,
    /// A key of ours for another environment.
    #[error("the environment is not accepted here")]
    Environment,
    /// The checksum does not match: mistyped, cut or made up.
    #[error("the checksum does not match")]
    Checksum,
}

/// A fresh key, shown once.
#[derive(Debug)]
pub struct MintedKey {
    /// The whole printed key.
    pub printed: Secret<String>,
    /// What is stored of it.
    pub digest: Digest,
}

/// Whether `text` may be a prefix or an environment: 1 to [`MAX_WORD`] ASCII letters and digits.
pub fn is_word(text: &str) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl KeyFormat {
    /// Whether `text` begins as our keys do. Routes a credential to the validator of keys and says no more.
    pub fn owns(&self, text: &str) -> bool {
        text.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.starts_with('_'))
    }

    /// Reads a printed key and answers the digest under which it is stored, without I/O. The text is taken as it is:
    /// nothing is trimmed, folded or normalised. Checked in this order: length, alphabet, prefix, environment, checksum.
    pub fn parse(&self, text: &str) -> Result<Digest, FormatFault> {
        if !(MIN_KEY..=MAX_KEY).contains(&text.len())
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(FormatFault::Malformed);
        }
        let mut words = text.split('_');
        let (Some(prefix), Some(environment), Some(tail), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(FormatFault::Malformed);
        };
        if prefix != self.prefix {
            return Err(FormatFault::Foreign);
        }
        if !is_word(environment) || tail.len() != TAIL {
            return Err(FormatFault::Malformed);
        }
        if !self.environments.iter().any(|known| known == environment) {
            return Err(FormatFault::Environment);
        }
        let (body, checksum) = text
            .split_at_checked(text.len() - base62::LEN_32)
            .ok_or(FormatFault::Malformed)?;
        let fits = |pepper: Option<&Pepper>| -> bool {
            checksum_of(body, pepper).ct_eq(checksum.as_bytes()).into()
        };
        let in_force = self.pepper.as_ref();
        let previous = self.previous_pepper.as_ref();
        if fits(in_force) {
            Ok(Digest::of(text, in_force))
        } else if previous.is_some() && fits(previous) {
            Ok(Digest::of(text, previous))
        } else {
            Err(FormatFault::Checksum)
        }
    }

    /// Prints a fresh key for `environment` from 256 bits of `entropy`, which must come from the generator of the system
    /// and be used once. Checksum and digest are made with the pepper in force.
    ///
    /// [`FormatFault::Environment`] when `environment` is not one of ours, [`FormatFault::Malformed`] when prefix or
    /// environment is not a word.
    pub fn mint(&self, environment: &str, mut entropy: [u8; 32]) -> Result<MintedKey, FormatFault> {
        if !self.environments.iter().any(|known| known == environment) {
            return Err(FormatFault::Environment);
        }
        if !is_word(&self.prefix) || !is_word(environment) {
            return Err(FormatFault::Malformed);
        }
        let mut secret = base62::encode_256(entropy);
        entropy.zeroize();
        // One allocation of the final size, so that no shorter copy of the secret stays behind in memory.
        let mut printed = String::with_capacity(MAX_KEY);
        for part in [&self.prefix, "_", environment, "_", &secret] {
            printed.push_str(part);
        }
        secret.zeroize();
        let pepper = self.pepper.as_ref();
        let checksum = checksum_of(&printed, pepper);
        printed.extend(checksum.into_iter().map(char::from));
        let digest = Digest::of(&printed, pepper);
        Ok(MintedKey {
            printed: Secret::new(printed),
            digest,
        })
    }

    /// A regular expression for secret scanners: every key of this format matches, and hardly anything else.
    pub fn pattern(&self) -> String {
        format!(
            r"\b{}_(?:{})_[0-9A-Za-z]{{{TAIL}}}\b",
            self.prefix,
            self.environments.join("|")
        )
    }
}

fn checksum_of(body: &str, pepper: Option<&Pepper>) -> [u8; base62::LEN_32] {
    let bits = match pepper {
        None => crc32fast::hash(body.as_bytes()),
        Some(pepper) => {
            let [first, second, third, fourth, ..] =
                pepper.mac(b"doorward:checksum:", body.as_bytes());
            u32::from_be_bytes([first, second, third, fourth])
        }
    };
    base62::encode_32(bits)
}

#[cfg(test)]
#[expect(
    clippy::string_slice,
    reason = "the texts are ASCII, and a test may panic"
)]
mod tests;

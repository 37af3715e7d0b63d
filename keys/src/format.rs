//! The printed form of a key: `{prefix}_{environment}_{secret}{checksum}`.
//!
//! `secret` is 43 base62 characters of 256 random bits, `checksum` 6 base62 characters over all before it: CRC-32, or
//! keyed with the pepper where one is set, so that a made-up key dies without a read. The checksum proves nothing.

use crate::{
    digest::{Digest, Pepper},
    secret::Secret,
};

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

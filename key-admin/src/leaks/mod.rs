//! Keys that somebody has who should not.
//!
//! A decoy ([`decoy`]) is a key that opens nothing and is planted where nobody honest looks for one: whoever presents it has
//! been there. The authorizer refuses it like a key that nobody knows and says in its log which decoy it was; CloudWatch Logs
//! hands that line to key administration, which tells the owner once.
//!
//! GitHub scans what is public for keys, and reports those it finds: the report is verified with its public keys
//! ([`PublicKeys`]), read (`report`), and each key in it is stopped as the configuration says and its owner told (`response`).

pub mod decoy;
mod notice;
pub(crate) mod public_keys;
pub(crate) mod report;
pub(crate) mod response;
mod rotation;

pub(crate) use notice::Notice;
pub use public_keys::PublicKeys;

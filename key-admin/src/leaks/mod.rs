//! Keys that somebody has who should not.
//!
//! A decoy ([`decoy`]) is a key that opens nothing and is planted where nobody honest looks for one: whoever presents it has
//! been there. The authorizer refuses it like a key that nobody knows and says in its log which decoy it was; CloudWatch Logs
//! hands that line to key administration, which tells the owner once.

pub mod decoy;
mod notice;

pub(crate) use notice::Notice;

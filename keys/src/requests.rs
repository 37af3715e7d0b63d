//! What the access log of the gateway adds to the use of a key, and the narrow trait behind which it is kept.

use async_trait::async_trait;

use crate::{hour::Hour, record::KeyId, store::StoreError, time::Timestamp, usage::Requests};

/// The requests under one key in one hour that one piece of the access log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// Whose.
    pub key: KeyId,
    /// When.
    pub hour: Hour,
    /// What to add.
    pub requests: Requests,
    /// When the counts of this hour may be forgotten.
    pub expires_at: Timestamp,
}

/// A piece of the access log: counted as a whole, and once, however often it is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPiece {
    /// A name that no other piece has: up to 64 letters, digits and `-`.
    pub name: String,
    /// What to add: at least one count and at most [`LogPiece::MAX_COUNTS`], no two of one key and hour.
    pub counts: Vec<RequestCount>,
    /// When it may be forgotten that the piece was counted.
    pub expires_at: Timestamp,
}

impl LogPiece {
    /// How many counts fit beside the name: a transaction of `DynamoDB` holds 100 writes
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
    pub const MAX_COUNTS: usize = 99;
}

/// What came of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieced {
    /// It is counted.
    Now,
    /// It was counted before; nothing was added now.
    Before,
}

/// What the reader of the access log may do: count a piece.
#[async_trait]
pub trait RequestSink: Send + Sync {
    /// Adds all counts of `piece` and remembers its name, or does neither. A piece whose answer was lost may be handed over
    /// again as it is. [`StoreError::Corrupt`] when a count meets an item that is not of ours: the piece will not be counted
    /// later either.
    async fn count(&self, piece: &LogPiece) -> Result<Pieced, StoreError>;
}

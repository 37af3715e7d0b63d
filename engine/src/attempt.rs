//! The three outcomes of looking for a credential.

use crate::denial::Denial;

/// What became of one kind of credential. Malformed is `Rejected`, never `Absent`, and a rejection ends the journey:
/// no other kind is tried after it.
#[derive(Debug)]
pub enum Attempt<T> {
    /// The caller presented no credential of this kind.
    Absent,
    /// The caller presented one and it holds.
    Verified(T),
    /// The caller presented one and it does not hold.
    Rejected(Denial),
}

impl<T> Attempt<T> {
    /// The evidence if there is any, or the denial that ends the journey.
    pub fn into_result(self) -> Result<Option<T>, Denial> {
        match self {
            Self::Absent => Ok(None),
            Self::Verified(evidence) => Ok(Some(evidence)),
            Self::Rejected(denial) => Err(denial),
        }
    }
}

impl<T> From<Result<T, Denial>> for Attempt<T> {
    fn from(result: Result<T, Denial>) -> Self {
        match result {
            Ok(evidence) => Self::Verified(evidence),
            Err(denial) => Self::Rejected(denial),
        }
    }
}

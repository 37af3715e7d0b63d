//! What comes of many keys at once.

use serde::Serialize;

use super::{KeyView, Reply};
use crate::error::{AdminError, ErrorBody};

/// What came of one of many keys.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Each {
    /// It was done.
    Done(Box<Reply>),
    /// It was not done.
    Failed(ErrorBody),
}

impl From<Result<Reply, AdminError>> for Each {
    fn from(outcome: Result<Reply, AdminError>) -> Self {
        match outcome {
            Ok(reply) => Self::Done(Box::new(reply)),
            Err(error) => Self::Failed(error.for_caller()),
        }
    }
}

/// A key as exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Under which digest it is stored, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

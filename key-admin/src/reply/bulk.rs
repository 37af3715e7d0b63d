//! What comes of many keys at once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{KeyView, Reply};
use crate::error::AdminError;

/// What came of one of many keys.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Each {
    /// It was not done.
    Failed {
        /// The kind of the error in one word, for machines.
        error: Cow<'static, str>,
        /// What is wrong, for people.
        detail: String,
    },
    /// It was done.
    Done(Box<Reply>),
}

impl From<Result<Reply, AdminError>> for Each {
    fn from(outcome: Result<Reply, AdminError>) -> Self {
        match outcome {
            Ok(reply) => Self::Done(Box::new(reply)),
            Err(error) => Self::Failed {
                error: error.code().into(),
                detail: match error {
                    AdminError::Invalid(_) => error.to_string(),
                    other => other.detail(),
                },
            },
        }
    }
}

/// A key as exported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Under which digest it is stored, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

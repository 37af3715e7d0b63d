//! What comes of many keys at once.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{KeyView, Reply};
use crate::error::AdminError;

/// What came of one of many keys.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Each {
    /// It was not done.
    Failed {
        /// The kind of the error in one word, for machines.
        error: Cow<'static, str>,
        /// What is wrong, for people.
        detail: String,
    },
    /// It was done.
    Done(#[cfg_attr(feature = "schema", schemars(schema_with = "of_one"))] Box<Reply>),
}

/// The replies that there are of one of many.
#[cfg(feature = "schema")]
fn of_one(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let names = ["Created", "Repeated", "Imported"];
    let replies =
        names.map(|name| serde_json::json!({"$ref": format!("#/components/schemas/{name}")}));
    schemars::json_schema!({"anyOf": replies})
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExportedKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Under which digest it is stored, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

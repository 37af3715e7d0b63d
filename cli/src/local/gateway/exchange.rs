//! What the operator learns of one request.

use std::{sync::Arc, time::Duration};

use doorward_keys::Timestamp;

/// How the authorizer took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was not asked: no such route, a route without authorizer, or an identity source is missing.
    No,
    /// It was asked.
    Yes,
    /// An earlier answer was used again.
    Cached,
}

/// One request and what became of it. Holds no credential and no query string.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the gateway calls the request.
    pub request_id: String,
    /// When it came in.
    pub at: Timestamp,
    /// The verb.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The status that the client got.
    pub status: u16,
    /// How the authorizer took part.
    pub asked: Asked,
    /// What was decided and why, for the operator.
    pub note: String,
    /// The key that the context of the answer names, used again or not.
    pub key_id: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// Is told of every request once it has been answered.
pub type Observer = Arc<dyn Fn(&Exchange) + Send + Sync>;

//! Where key sets come from.

use async_trait::async_trait;

/// What may be fetched from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// https to public names only.
    Public,
    /// http and private addresses too. Only behind a `danger_` setting.
    Anywhere,
}

/// A fetched document.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The body, within the size limit.
    pub body: Vec<u8>,
    /// `max-age` of the Cache-Control header in seconds, if any (RFC 9111 section 5.2.2.1).
    pub max_age: Option<u64>,
}

/// Why a document could not be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is not one that may be fetched.
    #[error("`{0}` must not be fetched: {1}")]
    Forbidden(String, &'static str),
    /// No answer in time, a failed connection, a bad status, a redirect, a body over the limit.
    #[error("`{0}` cannot be fetched: {1}")]
    Failed(String, String),
}

/// Fetches key sets and discovery documents. Implementations bound time and size, follow no redirects and refuse
/// addresses that [`Origin`] does not allow.
#[async_trait]
pub trait KeySetSource: Send + Sync {
    /// The document at `url`.
    async fn fetch(&self, url: &str, origin: Origin) -> Result<Fetched, FetchError>;
}

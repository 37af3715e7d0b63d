//! Authorization servers: what is sent to them, what comes back, and how one that fails is spared. Introspection and
//! token exchange both ask through here.
//!
//! 1. One request is one form by POST (RFC 7662 section 2.1, RFC 8693 section 2.1), with the client authentication of the
//!    configuration ([`Client`]). What goes over the wire is the business of [`TokenEndpoints`].
//! 2. Each endpoint has a circuit breaker ([`breaker`]): pure arithmetic, with the time as an argument. `Contact` keeps its
//!    state, and shares it with other sandboxes where that is configured ([`BreakerStore`]).
//! 3. Whatever the shared state costs is part of the time that the request has left.
//! 4. A server that refuses the secret (401) is asked once more with the other one, where two are configured, so that a
//!    secret can be rotated without a gap.

pub mod breaker;
mod config;
mod contact;
mod shared;
mod signing;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use doorward_keys::Timestamp;

pub use config::{Assertion, Client, ClientAuth, Endpoint, Secrets};
pub(crate) use config::{BreakerConfig, EndpointAt, RawBreaker, RawClient, RawEndpoint};
pub(crate) use contact::{Contact, Health, Timing, refuses_client};
pub use shared::{BreakerStore, BreakerStoreError};
pub use signing::SigningKey;

/// One request to an authorization server.
pub struct Call<'c> {
    /// Where it goes, and who asks.
    pub endpoint: &'c Endpoint,
    /// Whether the secret before the present one is used.
    pub previous_secret: bool,
    /// The form, without client authentication. Values may be secrets.
    pub form: &'c [(&'c str, &'c str)],
    /// The media type that is asked for.
    pub accept: &'static str,
    /// The time, for assertions.
    pub now: Timestamp,
    /// How long it may take in all.
    pub within: Duration,
}

/// What came back, whatever its status. No `Debug`: the body may hold a token.
#[derive(Clone)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The media type without parameters, in lower case; empty where none was sent.
    pub media_type: String,
    /// The body, within the limit of the endpoint.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The address is not one that may be asked.
    #[error("`{0}` must not be asked: {1}")]
    Forbidden(String, &'static str),
    /// No connection, or one that broke.
    #[error("`{0}` cannot be asked: {1}")]
    Failed(String, String),
    /// No answer in time.
    #[error("`{0}` gave no whole answer within {1} ms")]
    Late(String, u128),
    /// The answer is over the limit.
    #[error("the answer of `{0}` is longer than {1} bytes")]
    TooLong(String, usize),
}

/// Sends forms to authorization servers. Implementations bound time and size, follow no redirects and refuse addresses that
/// the origin of the endpoint does not allow.
#[async_trait]
pub trait TokenEndpoints: Send + Sync {
    /// The answer to `call`, whatever its status.
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError>;
}

/// A breaker that changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerChange {
    /// The configured name of the server or exchange.
    pub server: String,
    /// The state before.
    pub from: &'static str,
    /// The state now: `closed`, `open` or `half_open`.
    pub to: &'static str,
    /// What made it change, for the operator. No secret.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// Is told of every change of a breaker.
pub type Watch = Arc<dyn Fn(&BreakerChange) + Send + Sync>;

/// What asking authorization servers needs from outside.
#[derive(Clone)]
pub struct Authorities {
    /// The way to them.
    pub endpoints: Arc<dyn TokenEndpoints>,
    /// Where breakers with `shared` keep their state; `None` where no table is named.
    pub breakers: Option<Arc<dyn BreakerStore>>,
    /// Is told of breakers that change.
    pub watch: Watch,
}

impl Authorities {
    /// For configurations that ask nobody: whatever is asked all the same fails.
    pub fn none() -> Self {
        Self {
            endpoints: Arc::new(Nobody),
            breakers: None,
            watch: Arc::new(|_| {}),
        }
    }
}

struct Nobody;

#[async_trait]
impl TokenEndpoints for Nobody {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        let why = "there is no way to authorization servers here".to_owned();
        Err(CallError::Failed(call.endpoint.url.clone(), why))
    }
}

//! What stands behind the gateway: the built-in echo, or a server.

mod echo;
mod proxy;

use axum::{body::Body, http::Response};

use super::{context::Context, incoming::Incoming, refusal::Refusal};

pub use proxy::{Upstream, UpstreamError};

/// The longest body that API Gateway passes on, either way (API Gateway Developer Guide, *Quotas*).
pub(super) const MAX_BODY: usize = 10 * 1024 * 1024;

/// What stands behind the gateway.
#[derive(Clone, Debug)]
pub enum Backend {
    /// Answers what it was sent, without the credentials.
    Echo,
    /// Another server.
    Upstream(Upstream),
}

impl Backend {
    pub(super) async fn answer(
        &self,
        incoming: &Incoming,
        context: &Context,
        body: Vec<u8>,
    ) -> Result<Response<Body>, Refusal> {
        let mut headers = incoming.headers.clone();
        context.overwrite(&mut headers);
        match self {
            Self::Echo => Ok(echo::answer(incoming, context, &headers, &body)),
            Self::Upstream(upstream) => upstream.answer(incoming, headers, body).await,
        }
    }
}

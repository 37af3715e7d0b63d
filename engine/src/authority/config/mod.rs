//! The configuration of an endpoint: as written, and checked.

mod check;
mod raw;

use std::{sync::Arc, time::Duration};

use doorward_keys::Secret;

use super::SigningKey;
use crate::layers::jwt::Origin;

pub(crate) use check::EndpointAt;
pub(crate) use raw::{RawBreaker, RawClient, RawEndpoint};

/// One endpoint of one server, and who asks there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address.
    pub url: String,
    /// What the address may be.
    pub origin: Origin,
    /// Who asks.
    pub client: Client,
    /// Certificates of authorities, as PEM, that are trusted in place of the public ones.
    pub authority: Option<String>,
    /// How long a call may take, connecting and a second try included.
    pub timeout: Duration,
    /// The longest answer that is read, in bytes.
    pub max_bytes: usize,
}

/// Who asks, and how that is proved.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// The proof.
    pub auth: ClientAuth,
}

impl Client {
    /// Whether there is a secret before the present one.
    pub const fn has_two_secrets(&self) -> bool {
        match &self.auth {
            ClientAuth::Basic(secrets) | ClientAuth::Post(secrets) => secrets.previous.is_some(),
            ClientAuth::PrivateKeyJwt(_) | ClientAuth::Certificate(_) => false,
        }
    }
}

/// Client authentication (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2).
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// `client_secret_basic`.
    Basic(Secrets),
    /// `client_secret_post`.
    Post(Secrets),
    /// `private_key_jwt`.
    PrivateKeyJwt(Arc<Assertion>),
    /// `tls_client_auth` and `self_signed_tls_client_auth`: certificates and private key as PEM.
    Certificate(Secret<String>),
}

/// The secret, and the one before while it is being replaced.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The present one.
    pub current: Secret<String>,
    /// The one before.
    pub previous: Option<Secret<String>>,
}

impl Secrets {
    /// The one before, where there is one and it is asked for; else the present one.
    pub fn choose(&self, previous: bool) -> &str {
        let before = self.previous.as_ref().filter(|_| previous);
        before.unwrap_or(&self.current).expose()
    }
}

/// What signs assertions.
#[derive(Debug)]
pub struct Assertion {
    /// The key.
    pub key: SigningKey,
    /// `kid`.
    pub key_id: Option<String>,
    /// `aud`.
    pub audience: String,
}

/// When a breaker opens, and who is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BreakerConfig {
    pub(crate) failures: u32,
    pub(crate) open_seconds: u32,
    pub(crate) shared: bool,
}

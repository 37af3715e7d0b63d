//! The identity token: what the gate found out about a caller, signed for the backend.
//!
//! The context of an answer reaches a backend as plain text, so a backend that can be reached around the gateway cannot tell a
//! real context from an invented one. With `identity_token` configured the gate mints a short-lived JWT (RFC 7519) beside the
//! context, under the name [`NAME`]; a backend that verifies it with the published key set refuses whoever came round.
//!
//! 1. The claims are the facts of [`crate::context`] that say who is calling, by the same names and as the same texts,
//!    whatever the credential was, beside `iss`, `aud`, `sub` (the principal), `iat` and `exp`. Limits and mapped claims stay
//!    in the context.
//! 2. It never outlives the credential: `exp` is the earlier of `lifetime_seconds` from now and the time from which the
//!    credential is refused here.
//! 3. It stands with every context that may reach a backend: with an Allow, and with a kept refusal that lets the caller
//!    through to other routes.
//! 4. A token that cannot be had refuses the request ([`Reason::IdentityTokenUnavailable`]), and one that does not fit into
//!    the context, beside the token of an exchange where there is one, too ([`Reason::IdentityTokenTooLarge`]): without it the backend would refuse, and nobody would know why.
//! 5. The same facts get the same token for [`REUSE_SECONDS`], so that a busy caller costs one signature and not many. The
//!    decision itself is taken anew each time.
//!
//! The gateway keeps the context of an answer for the time to live of its authorizer, the token with it: a token must live
//! longer than that. Why it is like this: `docs/decisions/0003-identity-token.md`.

mod claims;
mod config;
mod key;
mod public_key;
mod recent;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_keys::{Secret, Timestamp};
use serde_json::json;

pub(crate) use config::RawIdentityToken;
pub use config::{IdentityTokenConfig, Signer};
pub use key::OwnKey;
pub use public_key::PublicKey;

use self::recent::Recent;
use crate::{
    decision::Context,
    denial::{Denial, Reason},
};

/// The name of the token among the facts of the context.
pub const NAME: &str = "identityToken";

/// `typ` of the header (RFC 8725 section 3.11), so that no other kind of token passes for one.
pub const TYPE: &str = "doorward-identity+jwt";

/// For how long the same facts get the same token, in seconds.
pub const REUSE_SECONDS: u32 = 5;

/// How much longer than an answer is kept a token must live, in seconds: it may be as old as [`REUSE_SECONDS`] when the gateway
/// gets it, and is on its way to the backend for a while.
pub const MARGIN_SECONDS: u32 = 10;

/// What is kept of the context for facts that no token replaces, in bytes: that a limit is used up, and that facts were left
/// out.
const RESERVED_BYTES: usize = 128;

/// A minted token.
#[derive(Clone, Debug)]
pub struct IdentityToken {
    text: Secret<String>,
    expires_at: Timestamp,
}

impl IdentityToken {
    /// The token in compact form (RFC 7515 section 7.1). Whoever has it is believed by the backend.
    pub const fn text(&self) -> &Secret<String> {
        &self.text
    }

    /// Its `exp`.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Signs with a key that never leaves where it is kept.
#[async_trait]
pub trait RemoteSigner: Send + Sync {
    /// The ES256 signature by `key` of the SHA-256 `digest`: r and s of full length, one after the other (RFC 7518 section
    /// 3.4). The error says why there is none, for the operator.
    async fn sign(&self, key: &str, digest: &[u8]) -> Result<Vec<u8>, String>;
}

/// Mints the tokens of one configuration.
pub(crate) struct IdentityTokens {
    config: Arc<IdentityTokenConfig>,
    header: String,
    remote: Option<Arc<dyn RemoteSigner>>,
    recent: Recent,
    max_bytes: usize,
}

/// For whom a token is minted.
#[derive(Clone, Copy)]
pub(crate) struct Bearer<'a> {
    /// Who it is, as [`crate::identity::Authenticated::principal`] says.
    pub(crate) principal: &'a str,
    /// When the earliest of the credentials stops working.
    pub(crate) valid_until: Option<Timestamp>,
    /// The facts for the backend.
    pub(crate) context: &'a Context,
    /// What the token of an exchange takes of the context, in bytes.
    pub(crate) carried_bytes: usize,
}

impl IdentityTokens {
    /// Mints as `config` says, for contexts of at most `max_bytes`. `remote` signs where the key is kept elsewhere.
    pub(crate) fn new(
        config: Arc<IdentityTokenConfig>,
        remote: Option<Arc<dyn RemoteSigner>>,
        max_bytes: usize,
    ) -> Self {
        let header = json!({"alg": config.algorithm(), "typ": TYPE, "kid": config.key_id()});
        Self {
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            config,
            remote,
            recent: Recent::default(),
            max_bytes,
        }
    }

    /// The token for `bearer` at `now`, where the context has room for it.
    pub(crate) async fn mint(
        &self,
        bearer: Bearer<'_>,
        now: Timestamp,
    ) -> Result<IdentityToken, Denial> {
        let token = self.minted(bearer, now).await?;
        let bytes = NAME.len().saturating_add(token.text.expose().len());
        let carried = bearer.carried_bytes;
        let wanted = bytes.saturating_add(carried);
        if wanted.saturating_add(RESERVED_BYTES) <= self.max_bytes {
            return Ok(token);
        }
        let max = self.max_bytes;
        let beside = match carried {
            0 => String::new(),
            bytes => format!(" and the token of the exchange {bytes}"),
        };
        let detail = format!(
            "the identity token takes {bytes} bytes{beside} of a context of {max}, of which {RESERVED_BYTES} are kept for others"
        );
        Err(Denial::new(Reason::IdentityTokenTooLarge, detail))
    }

    async fn minted(&self, bearer: Bearer<'_>, now: Timestamp) -> Result<IdentityToken, Denial> {
        let claims = claims::of(&self.config, bearer);
        let about = claims::digest(&claims, bearer.valid_until);
        if let Some(token) = self.recent.find(&about, now) {
            return Ok(token);
        }
        let lives_until = now.plus(i64::from(self.config.lifetime_seconds));
        let expires_at = bearer.valid_until.unwrap_or(lives_until).min(lives_until);
        let payload = claims::at(claims, now, expires_at);
        let signed = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(payload));
        let signature = self.sign(&signed).await.map_err(|why| {
            Denial::new(
                Reason::IdentityTokenUnavailable,
                format!("no identity token can be signed: {why}"),
            )
        })?;
        let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let token = IdentityToken {
            text: Secret::new(text),
            expires_at,
        };
        self.recent.keep(about, token.clone(), now);
        Ok(token)
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, String> {
        match (&self.config.signer, &self.remote) {
            (Signer::Own(key), _) => key.sign(text.as_bytes()),
            (Signer::Kms(key), Some(remote)) => {
                let digest = digest(&SHA256, text.as_bytes());
                remote.sign(key, digest.as_ref()).await
            }
            (Signer::Kms(_), None) => Err("nothing here can call KMS".to_owned()),
        }
    }
}

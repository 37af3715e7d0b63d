//! Proof of possession: a token that is bound to a key or a certificate opens nothing without it.
//!
//! What a token is bound to stands in its `cnf` (RFC 7800) and is read where its other claims are ([`Confirmation`]). After
//! the token is verified:
//!
//! 1. **Bound to a certificate** (`x5t#S256`, RFC 8705 section 3): the client must have shown that certificate to the
//!    gateway, or [`TokenCertificate`](Reason::TokenCertificate). Where `certificates` are configured it must hold there too:
//!    authority, times, revocation; whose it is does not matter.
//! 2. **Bound to a key** (`jkt`, RFC 9449 section 6): the token must come with the scheme `DPoP` and one proof in the header
//!    `DPoP`, or [`ProofMissing`](Reason::ProofMissing); as a bearer it is refused (section 7.2). The proof must stand up to
//!    the twelve checks of section 4.3:
//!
//! | check | refused as |
//! |---|---|
//! | 1 one header | [`ProofMissing`](Reason::ProofMissing), [`ProofMalformed`](Reason::ProofMalformed) when there are several |
//! | 2 one well-formed JWT, 3 all claims, 4 `typ`, 7 no private key | [`ProofMalformed`](Reason::ProofMalformed) |
//! | 5 `alg` is on the list | [`ProofAlgorithm`](Reason::ProofAlgorithm) |
//! | 6 signed with the key in it | [`ProofSignature`](Reason::ProofSignature) |
//! | 8 `htm`, 9 `htu` | [`ProofTarget`](Reason::ProofTarget) |
//! | 10 a nonce of ours, where they are configured | [`ProofNonce`](Reason::ProofNonce) |
//! | 11 `iat` is recent | [`ProofTime`](Reason::ProofTime) |
//! | 12 `ath` is of this token, and the token is bound to this key | [`ProofToken`](Reason::ProofToken), [`ProofKey`](Reason::ProofKey) |
//!
//! 3. **A proof works once** (section 11.1): after all other checks the digest of key and `jti` is remembered in the store,
//!    until the proof would be too old anyway. A second sight is [`ProofReplayed`](Reason::ProofReplayed); a store that does
//!    not answer is [`ReplayStoreUnavailable`](Reason::ReplayStoreUnavailable).
//! 4. **Not bound**: with the scheme `DPoP` it is refused as [`ProofUnbound`](Reason::ProofUnbound), because a server that let
//!    it pass would tell the client that its token is bound when it is not (section 7.1). As a bearer it passes; a proof
//!    beside it is not read.
//!
//! # Caveats
//!
//! - A proof is for one request, and the gateway keeps answers for more than one. What rests on a proof or a certificate is
//!   therefore allowed for a moment only: see [`crate::layers::policy`] and `docs/proof-of-possession.md`.
//! - `htu` is compared with the address of the request as far as the event states it: see `target`.

mod config;
mod confirmation;
mod dpop;
mod nonce;
mod replay;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use doorward_keys::Timestamp;

use self::{dpop::Proof, replay::Replays};
use crate::{
    denial::{Denial, Reason},
    identity::Subject,
    layers::{
        certificate::{self, Certificates},
        rate_limit::Pause,
    },
    request::{Lookup, Request},
};

pub use config::DpopConfig;
pub(crate) use config::RawDpop;
pub use confirmation::Confirmation;
pub use replay::{Remembered, ReplayDigest, ReplayStore, ReplayStoreError};

/// Checks proofs of possession.
pub struct Proofs {
    config: Option<Arc<DpopConfig>>,
    replays: Replays,
}

/// The evidence that whatever a token is bound to was shown. Writing an answer demands it.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    /// What the token is bound to; `None` for a token that is not, and where there is no token.
    pub(crate) by: Option<Confirmation>,
    /// When what it is bound to stops working.
    pub(crate) until: Option<Timestamp>,
    /// A fresh nonce for the next proof, where nonces are configured and a proof was shown.
    pub(crate) nonce: Option<String>,
}

/// A token that was verified, and how it was presented.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) subject: &'a Subject,
    /// The token as it was sent.
    pub(crate) token: &'a str,
    /// Whether it was sent with the scheme `DPoP`.
    pub(crate) by_dpop: bool,
}

impl Proofs {
    /// A checker. Without `config` no proof is accepted, and so no token that is bound to a key.
    pub fn new(config: Option<Arc<DpopConfig>>, store: Arc<dyn ReplayStore>, pause: Pause) -> Self {
        Self {
            config,
            replays: Replays::new(store, pause),
        }
    }

    /// Checks that what the token is bound to was shown with `request`.
    pub(crate) async fn check(
        &self,
        request: &Request,
        shown: Shown<'_>,
        certificates: Option<&Certificates>,
        now: Timestamp,
    ) -> Result<Option<Proven>, Denial> {
        match (&shown.subject.confirmation, shown.by_dpop) {
            (None, false) => Ok(None),
            (None, true) => Err(Denial::new(
                Reason::ProofUnbound,
                "the token is bound to no key, and came with the scheme `DPoP`",
            )),
            (Some(Confirmation::Certificate(_)), true) => Err(Denial::new(
                Reason::ProofUnbound,
                "the token is bound to a certificate, and came with the scheme `DPoP`",
            )),
            (Some(bound @ Confirmation::Certificate(wanted)), false) => {
                let shown = Box::pin(by_certificate(request, wanted, certificates, now));
                let until = shown.await?;
                Ok(Some(Proven {
                    by: Some(bound.clone()),
                    until: Some(until),
                    nonce: None,
                }))
            }
            (Some(Confirmation::Key(_)), false) if self.config.is_some() => Err(Denial::new(
                Reason::ProofMissing,
                "the token is bound to a key, and came as a bearer",
            )),
            (Some(bound @ Confirmation::Key(wanted)), _) => {
                let config = self.config.as_ref().ok_or_else(|| {
                    let detail = "the token is bound to a key, and proofs are not configured";
                    Denial::new(Reason::TokenBound, detail)
                })?;
                let proof = Proof::read(one_header(request)?, config)?;
                proof.check(request, (shown.token, wanted), config, now)?;
                Box::pin(self.replays.first_sight(&proof, config, now)).await?;
                Ok(Some(Proven {
                    by: Some(bound.clone()),
                    until: None,
                    nonce: config.nonce.as_ref().map(|nonce| nonce.fresh(now)),
                }))
            }
        }
    }
}

impl Proven {
    /// Where no token was presented, or one that is bound to nothing.
    pub(crate) const fn nothing() -> Self {
        Self {
            by: None,
            until: None,
            nonce: None,
        }
    }
}

/// When the certificate that the token is bound to stops working, if the client showed it and it holds.
async fn by_certificate(
    request: &Request,
    wanted: &[u8; 32],
    certificates: Option<&Certificates>,
    now: Timestamp,
) -> Result<Timestamp, Denial> {
    let refused = |detail| Err(Denial::new(Reason::TokenCertificate, detail));
    let Some(pem) = &request.certificate else {
        return refused("the token is bound to a certificate, and the client showed none");
    };
    let (thumbprint, until) = certificate::examine(pem, now)?;
    if thumbprint != *wanted {
        return refused("the token is bound to another certificate than the client showed");
    }
    if let Some(certificates) = certificates {
        certificates.holds(pem, now).await?;
    }
    Ok(until)
}

/// Check 1. HTTP APIs join repeated headers by a comma, which no proof has.
fn one_header(request: &Request) -> Result<&str, Denial> {
    match request.headers.one("dpop") {
        Lookup::One(proof) => Ok(proof),
        Lookup::Absent => Err(Denial::new(
            Reason::ProofMissing,
            "there is no `DPoP` header",
        )),
        Lookup::Conflict => Err(Denial::new(
            Reason::ProofMalformed,
            "the `DPoP` header occurs more than once",
        )),
    }
}

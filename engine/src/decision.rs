//! What comes out: a decision and the trail that led to it.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use doorward_keys::{KeyId, Secret, Timestamp};

use crate::{
    denial::{Denial, Reason},
    identity_token::IdentityToken,
    layers::{policy::Policy, rate_limit::Visited},
    limits::LimitReport,
};

/// The whole answer of the engine. Deciding cannot fail; a fault inside is a denial.
#[derive(Debug)]
pub struct Verdict {
    /// Allow or deny.
    pub decision: Decision,
    /// Which layers were visited, and what came of each.
    pub trail: Trail,
}

/// Allow or deny, each with all that the encoders need.
#[derive(Debug)]
pub enum Decision {
    /// The caller may do what was asked.
    Allow(Grant),
    /// The caller may not.
    Deny(Denial),
}

/// Flat facts for the backend; keys are `[A-Za-z][A-Za-z0-9_]*`, values printable ASCII.
pub type Context = BTreeMap<Cow<'static, str>, String>;

/// The proof that a request may pass. Only [`crate::layers::policy`] makes one.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(crate) principal: Arc<str>,
    pub(crate) policy: Option<Policy>,
    pub(crate) context: Arc<Context>,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) by_address: bool,
    pub(crate) momentary: bool,
    pub(crate) one_credential: bool,
    pub(crate) usage_plan_key: Option<String>,
    pub(crate) limit: Option<LimitReport>,
    pub(crate) downstream_token: Option<Secret<String>>,
    pub(crate) identity_token: Option<IdentityToken>,
}

impl Grant {
    /// Who was let in: kind, issuer and subject, joined unambiguously.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// Everything this caller may do, not only what was asked; `None` where the front is told yes or no.
    pub const fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// A token for the backend, beside the facts and under [`crate::layers::exchange::CONTEXT_NAME`]. It fits.
    pub fn downstream_token(&self) -> Option<&str> {
        let token = self.downstream_token.as_ref()?;
        Some(token.expose())
    }

    /// Facts for the backend.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The facts signed for the backend, where the configuration wants it. Not part of [`Grant::context`], which may be shown.
    pub const fn identity_token(&self) -> Option<&IdentityToken> {
        self.identity_token.as_ref()
    }

    /// When the earliest of the credentials stops working (leeway included).
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Whether the address of the caller was looked at, so that the answer holds for nobody elsewhere.
    pub const fn by_address(&self) -> bool {
        self.by_address
    }

    /// Whether a certificate or proof decided that the gateway may not look at again, so that the answer holds for this request
    /// only. Its policy ends with the moment.
    pub const fn is_momentary(&self) -> bool {
        self.momentary
    }

    /// Whether one credential is all that the decision used: no second one, no header that says whose it is, no address, no limit and no proof. Where a cache
    /// has that credential alone as its key, only such an Allow may be kept.
    pub const fn by_credential_alone(&self) -> bool {
        self.one_credential && !self.by_address && !self.momentary && self.limit.is_none()
    }

    /// The usage-plan key of the API key, from the store only; the penalty key of the configuration where a limit is used
    /// up and the gateway is to refuse.
    pub fn usage_plan_key(&self) -> Option<&str> {
        self.usage_plan_key.as_deref()
    }

    /// The strictest of the limits that apply, where any do. With a `retry_after` it is used up, and whoever stands behind
    /// the gateway, or the gateway itself, is to refuse.
    pub const fn limit(&self) -> Option<&LimitReport> {
        self.limit.as_ref()
    }
}

/// What came of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The layer let the request on.
    Passed,
    /// The layer had nothing to look at.
    Absent,
    /// The layer refused.
    Refused(Reason),
}

/// One step of the trail.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The name of the layer.
    pub layer: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, since the layer before was done.
    pub took: Duration,
}

/// Which layers were visited, and the public facts that were learned on the way. No secrets.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The layers in the order of the visit.
    pub visits: Vec<Visit>,
    /// The route that matched, as written in the configuration.
    pub route: Option<String>,
    /// The name of the issuer, once the token was verified.
    pub issuer: Option<Arc<str>>,
    /// The public id of the key, once it was found under the digest of what was presented, whatever came of it then.
    pub key_id: Option<KeyId>,
    /// The subject and serial number of the client certificate, once verified: cleaned and cut.
    pub certificate: Option<(String, String)>,
    /// The subject or client, once verified.
    pub principal: Option<Arc<str>>,
    /// The address the decision used.
    pub address: Option<std::net::IpAddr>,
    /// The limits that were asked, in the order of the visit.
    pub limits: Vec<Visited>,
}

//! Refusals that came before anybody was recognised: who is calling is found out all the same, so that what the gateway
//! keeps does not shut them out of what they may do.
//!
//! 1. Only where the gateway may keep the answer, and something could be said of the caller ([`policy::lacks_policy`]).
//! 2. Credentials are verified as ever: one look at a key, in memory or in the store, or one check of a signature. If they do
//!    not hold the refusal stays as it is, so that an address that is refused learns nothing of them. Nothing is spent from a
//!    limit that is shared, and nothing is written to a store.
//!    A token that is blocked does not hold.
//! 3. Whoever shows a certificate, a token that is bound to something or an opaque token is not recognised here: what those
//!    prove hangs on the route.
//! 4. A caller over the limit of addresses, and a refused address that would be, is recognised only if they are remembered:
//!    whoever is stopped by that limit causes no read and no signature check.

use std::sync::Arc;

use super::{Engine, Walk};
use crate::{
    decision::Outcome,
    denial::{Denial, Reason},
    identity::{Authenticated, Client, Known, Subject},
    layers::{
        entitlements, ip_allow,
        policy::{self, Bounds, Case, Policy},
    },
    request::{Located, Request, credentials::Presented},
};

/// How much may be done to find out who is calling.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// What it takes to decide.
    Full,
    /// Nothing beyond a look into memory.
    Memory,
}

impl Engine {
    /// `denial` with what the caller may do, where that is missing and can be known.
    pub(super) async fn accompanied(
        &self,
        denial: Denial,
        request: &Request,
        walk: &mut Walk,
    ) -> Denial {
        let address = ip_allow::address(request, &self.config.addresses);
        if !policy::lacks_policy(&denial, &self.config, request, address) {
            return denial;
        }
        let is_over = || {
            self.rate_limits
                .admit(address, request.received_at)
                .is_err()
        };
        let effort = match denial.reason() {
            Reason::RateLimited => Effort::Memory,
            // Refused before it was counted.
            Reason::AddressRefused if is_over() => Effort::Memory,
            _ => Effort::Full,
        };
        let Some(caller) = self.recognised(request, effort).await else {
            walk.note("refusal", Outcome::Absent);
            return denial;
        };
        let located = Located::of(request).ok();
        let case = Case {
            config: &self.config,
            limits: &self.rate_limits,
            policies: &self.policies,
            request,
            located: located.as_ref(),
            route: located.as_ref().and_then(|l| self.config.routes.find(l)),
            caller: &caller,
            address,
            bounds: Bounds::default(),
        };
        let kept = case.refuse(denial.clone());
        if !kept.policy().is_some_and(Policy::allows_something) {
            walk.note("refusal", Outcome::Absent);
            return denial;
        }
        walk.know(&caller);
        walk.note("refusal", Outcome::Passed);
        kept
    }

    /// The caller, if their credentials hold.
    async fn recognised(&self, request: &Request, effort: Effort) -> Option<Authenticated> {
        let presented = Presented::find(request, &self.config).ok()?;
        // What a certificate or a proof would have to say here is for the route asked for, and an opaque token is known to the
        // server of a route. Such callers get the plain refusal.
        let shows_certificate = self.certificates.is_some() && request.certificate.is_some();
        if presented.opaque.is_some() || presented.by_dpop || shows_certificate {
            return None;
        }
        let mut routes = self.config.routes.routes().iter();
        if !routes.any(|route| entitlements::opens(route, presented.kinds())) {
            return None;
        }
        let client = match presented.api_key {
            None => None,
            Some(key) => Some(self.client_recognised(key, request, effort).await?),
        };
        let subject = match presented.jwt {
            None => None,
            Some(token) => Some(self.subject_recognised(token, request, effort).await?),
        };
        if subject.as_ref().is_some_and(|s| s.confirmation.is_some()) {
            return None;
        }
        Some(Authenticated {
            client,
            subject,
            certificate: None,
        })
    }

    async fn client_recognised(
        &self,
        key: &str,
        request: &Request,
        effort: Effort,
    ) -> Option<Client> {
        let now = request.received_at.timestamp();
        let api_keys = self.api_keys.as_ref()?;
        match effort {
            Effort::Full => api_keys.recognise(key, now, &mut None).await.ok(),
            Effort::Memory => api_keys.recall(key, now),
        }
    }

    async fn subject_recognised(
        &self,
        token: &str,
        request: &Request,
        effort: Effort,
    ) -> Option<Arc<Known<Subject>>> {
        let at = request.received_at;
        let now = at.timestamp();
        let subject = match effort {
            Effort::Full => self.issuers.verify(token, now).await.ok()?,
            Effort::Memory => self.issuers.recall(token, now)?,
        };
        let Some(list) = &self.block_list else {
            return Some(subject);
        };
        let checked = match effort {
            Effort::Full => list.check(&subject, at, request.time_left).await,
            Effort::Memory => list.recall(&subject, at),
        };
        checked.ok().map(|()| subject)
    }
}

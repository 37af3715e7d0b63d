//! The layers in which callers prove who they are.

use std::{net::IpAddr, sync::Arc, time::Duration};

use doorward_keys::{KeyId, Timestamp};

use super::{Engine, Walk};
use crate::{
    attempt::Attempt,
    denial::{Denial, Reason},
    identity::{Authenticated, Certificate, Client, Known, Subject},
    layers::{
        entitlements, introspection,
        policy::GatewayCache,
        proof::{Proven, Shown},
    },
    limits::Moment,
    request::{Request, credentials::Presented},
    routes::{Kind, Route},
};

/// What there is to prove with, and for what.
#[derive(Clone, Copy)]
pub(super) struct Proving<'a> {
    pub(super) request: &'a Request,
    pub(super) route: &'a Route,
    pub(super) presented: &'a Presented<'a>,
    pub(super) address: Option<IpAddr>,
}

impl Engine {
    /// Who is calling, and what they proved beside their credentials. The first credential that does not hold ends it; nothing
    /// is tried as another kind.
    pub(super) async fn authenticated(
        &self,
        proving: Proving<'_>,
        walk: &mut Walk,
    ) -> Result<(Authenticated, Proven), Denial> {
        let Proving {
            request,
            route,
            presented,
            address,
        } = proving;
        let now = request.received_at.timestamp();

        let certificate = self.certificate(request, route, now).await;
        let certificate = walk.attempt("certificate", certificate)?;
        walk.trail.certificate = certificate.as_deref().map(Certificate::told);

        let found = &mut walk.trail.key_id;
        let client = self.client(presented, address, now, found).await;
        let client = walk.attempt("api_key", client)?;

        let subject = self.subject(presented, now).await;
        let subject = walk.attempt("jwt", subject)?;

        let within = walk.left_for_servers(request.time_left);
        let opaque = self
            .opaque(presented, route, request.received_at, within)
            .await;
        let opaque = walk.attempt("introspection", opaque)?;

        let caller = Authenticated {
            client,
            subject: subject.or(opaque),
            certificate,
        };
        walk.know(&caller);
        self.not_blocked(&caller, request, walk).await?;

        let proven = self
            .proven(request, presented, caller.subject.as_deref(), now)
            .await;
        let proven = walk.attempt("proof", proven)?;
        let proven = proven.unwrap_or_else(Proven::nothing);
        walk.bound(&proven);
        Ok((caller, proven))
    }

    /// Refuses a token that must die before its time.
    async fn not_blocked(
        &self,
        caller: &Authenticated,
        request: &Request,
        walk: &mut Walk,
    ) -> Result<(), Denial> {
        let (Some(list), Some(subject)) = (&self.block_list, &caller.subject) else {
            return Ok(());
        };
        let time_left = walk.left_for_servers(request.time_left);
        let checked = list.check(subject, request.received_at, time_left).await;
        walk.visit("block_list", checked)
    }

    async fn client(
        &self,
        presented: &Presented<'_>,
        address: Option<IpAddr>,
        now: Timestamp,
        found: &mut Option<KeyId>,
    ) -> Attempt<Client> {
        match (presented.api_key, &self.api_keys) {
            (None, _) => Attempt::Absent,
            (Some(_), None) => Attempt::Rejected(Denial::new(
                Reason::CredentialUnsupported,
                "API keys are not configured",
            )),
            (Some(key), Some(api_keys)) => api_keys.verify(key, address, now, found).await.into(),
        }
    }

    /// The certificate, where the route asks for one, or where the gateway tells callers apart by it, so that an answer for this
    /// route also covers those that do. There, one that does not hold is as good as none.
    async fn certificate(
        &self,
        request: &Request,
        route: &Route,
        now: Timestamp,
    ) -> Attempt<Box<Certificate>> {
        let (Some(certificates), Some(pem)) = (&self.certificates, &request.certificate) else {
            return Attempt::Absent;
        };
        if route.names_certificate() {
            let verified = Box::pin(certificates.verify(pem, now)).await;
            return verified.map(Box::new).into();
        }
        let routes = self.config.routes.routes();
        let is_wanted = self.config.policy.gateway_cache == GatewayCache::ByCertificate
            && routes.iter().any(Route::names_certificate);
        if !is_wanted {
            return Attempt::Absent;
        }
        let verified = Box::pin(certificates.verify(pem, now)).await;
        verified.map_or(Attempt::Absent, |held| Attempt::Verified(Box::new(held)))
    }

    async fn proven(
        &self,
        request: &Request,
        presented: &Presented<'_>,
        subject: Option<&Known<Subject>>,
        now: Timestamp,
    ) -> Attempt<Proven> {
        let (Some(subject), Some(token)) = (subject, presented.token()) else {
            return Attempt::Absent;
        };
        let shown = Shown {
            subject,
            token,
            by_dpop: presented.by_dpop,
        };
        let certificates = self.certificates.as_ref();
        match self.proofs.check(request, shown, certificates, now).await {
            Ok(None) => Attempt::Absent,
            Ok(Some(proven)) => Attempt::Verified(proven),
            Err(denial) => Attempt::Rejected(denial),
        }
    }

    async fn subject(
        &self,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Attempt<Arc<Known<Subject>>> {
        match presented.jwt {
            None => Attempt::Absent,
            Some(token) => self.issuers.verify(token, now).await.into(),
        }
    }

    /// Refuses credentials that could not open the route whatever they are, before anything is looked up for them.
    pub(super) fn suits<'a>(
        &self,
        request: &Request,
        route: &Route,
        presented: Presented<'a>,
    ) -> Result<Presented<'a>, Denial> {
        if route.demands_certificate() && request.entrance.is_default_endpoint() {
            let detail = format!("`{}` wants {}", route.key, route.wanted());
            return Err(Denial::new(Reason::DefaultEndpoint, detail));
        }
        let certificate = (self.certificates.is_some() && request.certificate.is_some())
            .then_some(Kind::Certificate);
        if entitlements::opens(route, presented.kinds().chain(certificate)) {
            return Ok(presented);
        }
        let wanted = || format!("`{}` wants {}", route.key, route.wanted());
        Err(match presented.kinds().count() {
            0 => Denial::new(Reason::CredentialMissing, wanted()),
            1 => Denial::new(Reason::CredentialInsufficient, wanted()),
            _ => Denial::new(Reason::CredentialRepeated, wanted()),
        })
    }

    async fn opaque(
        &self,
        presented: &Presented<'_>,
        route: &Route,
        now: Moment,
        within: Option<Duration>,
    ) -> Attempt<Arc<Known<Subject>>> {
        let asked = introspection::Asked {
            route,
            hint: presented.issuer_hint,
            now,
            within,
        };
        match presented.opaque {
            None => Attempt::Absent,
            Some(token) => {
                let subject = Box::pin(self.introspection.verify(token, asked)).await;
                subject.map(|subject| Arc::new(subject.into())).into()
            }
        }
    }
}

//! **The order** of all layers, in one straight function: [`Engine::decide`].

use std::{
    future::{Future, pending, poll_fn},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use doorward_keys::{KeyLookup, Timestamp};

use crate::{
    attempt::Attempt,
    config::Config,
    decision::{Decision, Grant, Outcome, Trail, Verdict, Visit},
    denial::{Denial, Reason},
    identity::{Authenticated, Certificate, Client, Subject},
    layers::{
        api_key::ApiKeys,
        certificate::{Certificates, CrlSource},
        entitlements, ip_allow,
        jwt::{FetchError, Issuers, KeySetSource},
        policy::{self, Elapsed, GatewayCache},
        proof::{Proofs, Proven, ReplayStore, Shown},
        rate_limit::{Asked, Pause, RateLimits},
    },
    limits::{LimitStore, Moment},
    request::{Located, Request, credentials::Presented},
    routes::{Kind, Route},
};

/// Everything the engine reaches out to, as traits.
#[derive(Clone)]
pub struct Sources {
    /// API keys.
    pub keys: Arc<dyn KeyLookup>,
    /// Key sets and discovery documents.
    pub key_sets: Arc<dyn KeySetSource>,
    /// Lists of revoked certificates.
    pub crls: Arc<dyn CrlSource>,
    /// Proofs of possession that were seen.
    pub replays: Arc<dyn ReplayStore>,
    /// Buckets of limits.
    pub limits: Arc<dyn LimitStore>,
    /// Sleeps: for a slot in a leaky bucket, and to give up on a store that does not answer.
    pub pause: Pause,
    /// A monotonic clock for the trail: time since some fixed moment.
    pub stopwatch: fn() -> Duration,
}

/// Decides. One for the life of a configuration; shared between concurrent requests.
pub struct Engine {
    config: Config,
    api_keys: Option<ApiKeys>,
    issuers: Issuers,
    certificates: Option<Certificates>,
    proofs: Proofs,
    rate_limits: RateLimits,
    stopwatch: fn() -> Duration,
}

impl Engine {
    /// An engine for `config`.
    pub fn new(config: Config, sources: Sources) -> Self {
        let api_keys = config
            .api_keys
            .clone()
            .map(|keys| ApiKeys::new(keys, sources.keys));
        let issuers = Issuers::new(
            config.issuers.clone(),
            config.tokens.max_bytes,
            sources.key_sets,
        );
        let certificates = config
            .certificates
            .clone()
            .map(|certificates| Certificates::new(certificates, sources.crls));
        let proofs = Proofs::new(config.dpop.clone(), sources.replays, sources.pause);
        let rate_limits = RateLimits::new(
            config.limits.clone(),
            sources.limits,
            sources.pause,
            sources.stopwatch,
        );
        Self {
            config,
            api_keys,
            issuers,
            certificates,
            proofs,
            rate_limits,
            stopwatch: sources.stopwatch,
        }
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Fetches the key sets of all issuers at once; says for each issuer what came of it.
    pub async fn prefetch(&self, now: Timestamp) -> Vec<(String, Result<(), FetchError>)> {
        self.issuers.prefetch(now).await
    }

    /// Fetches the lists of revoked certificates that are due; says for each authority what came of it.
    pub async fn refresh_crls(&self, now: Timestamp) -> Vec<(String, Result<(), String>)> {
        match &self.certificates {
            Some(certificates) => certificates.refresh(now).await,
            None => Vec::new(),
        }
    }

    /// Gives back what is leased of limits. For the end of the process.
    pub async fn return_leases(&self, now: Moment) {
        self.rate_limits.return_leases(now).await;
    }

    /// Decides `request`. Cannot fail: whatever is not a proven Allow is a denial.
    pub async fn decide(&self, request: &Request) -> Verdict {
        self.decide_before(request, pending()).await
    }

    /// Decides `request` before `late` is ready. A decision that is not there by then is a denial for
    /// [`Reason::TimeExhausted`], with the trail as far as it went.
    pub async fn decide_before(
        &self,
        request: &Request,
        late: impl Future<Output = ()> + Send,
    ) -> Verdict {
        let mut walk = Walk {
            trail: Trail::default(),
            stopwatch: self.stopwatch,
            started: (self.stopwatch)(),
        };
        let decision = match before(late, self.journey(request, &mut walk)).await {
            Some(Ok(grant)) => Decision::Allow(grant),
            Some(Err(denial)) => Decision::Deny(denial),
            None => Decision::Deny(walk.late()),
        };
        Verdict {
            decision,
            trail: walk.trail,
        }
    }

    /// The journey of a request. Each step hands its evidence to the next; the first denial ends it.
    async fn journey(&self, request: &Request, walk: &mut Walk) -> Result<Grant, Denial> {
        let began = walk.began();
        let admitted = ip_allow::admit(request, &self.config.addresses);
        let admitted = walk.visit("ip_allow", began, admitted)?;
        walk.trail.address = admitted.address();

        let began = walk.began();
        let now = request.received_at;
        let calm = self.rate_limits.admit(admitted.address(), now);
        walk.visit("address_limit", began, calm)?;

        let began = walk.began();
        let route = self.route(request);
        let (located, route) = walk.visit("route", began, route)?;
        walk.trail.route = Some(route.key.clone());

        let began = walk.began();
        let presented =
            Presented::find(request, &self.config).and_then(|p| self.suits(request, route, p));
        let presented = walk.visit("credentials", began, presented)?;

        let began = walk.began();
        let certificate = self.certificate(request, route, now.timestamp()).await;
        let certificate = walk.attempt("certificate", began, certificate)?;
        walk.trail.certificate = certificate.as_ref().map(Certificate::told);

        let began = walk.began();
        let client = self
            .client(&presented, admitted.address(), now.timestamp())
            .await;
        let client = walk.attempt("api_key", began, client)?;
        walk.trail.key_id = client.as_ref().map(|client| client.record().id.to_string());

        let began = walk.began();
        let subject = self.subject(&presented, now.timestamp()).await;
        let subject = walk.attempt("jwt", began, subject)?;
        walk.trail.issuer = subject
            .as_ref()
            .map(|subject| subject.issuer_name().to_owned());

        let began = walk.began();
        let proven = self
            .proven(request, &presented, subject.as_ref(), now.timestamp())
            .await;
        let proven = walk.attempt("proof", began, proven)?;

        let caller = Authenticated {
            client,
            subject,
            certificate,
        };
        walk.trail.principal = Some(caller.principal());
        let asked = Asked {
            route,
            caller: &caller,
            address: admitted.address(),
            now,
            time_left: walk.left_of(request.time_left),
        };
        let writer = policy::Writer::new(
            &self.config,
            &self.rate_limits,
            request,
            &located,
            asked,
            policy::Seen {
                admitted,
                proven: proven.unwrap_or_else(Proven::nothing),
                elapsed: walk.elapsed(),
            },
        );

        let began = walk.began();
        let quota = self.rate_limits.spend(&asked, &mut walk.trail.limits).await;
        let quota = quota.and_then(|quota| writer.within(quota));
        let quota = walk.visit("rate_limit", began, quota)?;

        let began = walk.began();
        let entitled = entitlements::check(route, &caller, admitted.address());
        let entitled = walk.visit("entitlements", began, entitled);
        entitled.map_err(|denial| writer.refuse(denial))?;

        let began = walk.began();
        let grant = writer.grant(&quota);
        walk.visit("policy", began, grant)
    }

    fn route(&self, request: &Request) -> Result<(Located, &Route), Denial> {
        let located = Located::of(request)?;
        let route = self.config.routes.find(&located);
        route
            .map(|route| (located.clone(), route))
            .ok_or_else(|| Denial::new(Reason::RouteUnknown, format!("no route for {located}")))
    }

    async fn client(
        &self,
        presented: &Presented<'_>,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Attempt<Client> {
        match (presented.api_key, &self.api_keys) {
            (None, _) => Attempt::Absent,
            (Some(_), None) => Attempt::Rejected(Denial::new(
                Reason::CredentialUnsupported,
                "API keys are not configured",
            )),
            (Some(key), Some(api_keys)) => api_keys.verify(key, address, now).await.into(),
        }
    }

    /// The certificate, where the route asks for one, or where the gateway tells callers apart by it, so that an answer for this
    /// route also covers those that do. There, one that does not hold is as good as none.
    async fn certificate(
        &self,
        request: &Request,
        route: &Route,
        now: Timestamp,
    ) -> Attempt<Certificate> {
        let (Some(certificates), Some(pem)) = (&self.certificates, &request.certificate) else {
            return Attempt::Absent;
        };
        if route.names_certificate() {
            return certificates.verify(pem, now).await.into();
        }
        let routes = self.config.routes.routes();
        let is_wanted = self.config.policy.gateway_cache == GatewayCache::ByCertificate
            && routes.iter().any(Route::names_certificate);
        if !is_wanted {
            return Attempt::Absent;
        }
        let verified = certificates.verify(pem, now).await;
        verified.map_or(Attempt::Absent, Attempt::Verified)
    }

    async fn proven(
        &self,
        request: &Request,
        presented: &Presented<'_>,
        subject: Option<&Subject>,
        now: Timestamp,
    ) -> Attempt<Proven> {
        let (Some(subject), Some(token)) = (subject, presented.jwt) else {
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

    async fn subject(&self, presented: &Presented<'_>, now: Timestamp) -> Attempt<Subject> {
        match presented.jwt {
            None => Attempt::Absent,
            Some(token) => self.issuers.verify(token, now).await.into(),
        }
    }

    /// Refuses credentials that could not open the route whatever they are, before anything is looked up for them.
    fn suits<'a>(
        &self,
        request: &Request,
        route: &Route,
        presented: Presented<'a>,
    ) -> Result<Presented<'a>, Denial> {
        if route.demands_certificate() && request.entrance.is_default_endpoint() {
            let detail = format!("`{}` wants {}", route.key, route.wanted());
            return Err(Denial::new(Reason::DefaultEndpoint, detail));
        }
        let kinds: Vec<Kind> = presented.kinds().collect();
        let certificate = (self.certificates.is_some() && request.certificate.is_some())
            .then_some(Kind::Certificate);
        let all: Vec<Kind> = kinds.iter().copied().chain(certificate).collect();
        if entitlements::opens(route, &all) {
            return Ok(presented);
        }
        let wanted = || format!("`{}` wants {}", route.key, route.wanted());
        Err(match kinds.len() {
            0 => Denial::new(Reason::CredentialMissing, wanted()),
            1 => Denial::new(Reason::CredentialInsufficient, wanted()),
            _ => Denial::new(Reason::CredentialRepeated, wanted()),
        })
    }
}

/// The output of `work`, or `None` when `late` is ready first.
async fn before<T>(late: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    let (mut late, mut work) = (pin!(late), pin!(work));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => late.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Fills the trail: every layer is visited through here.
struct Walk {
    trail: Trail,
    stopwatch: fn() -> Duration,
    started: Duration,
}

impl Walk {
    /// What is left of the time that the request had.
    fn left_of(&self, time_left: Option<Duration>) -> Option<Duration> {
        let elapsed = (self.stopwatch)().saturating_sub(self.started);
        time_left.map(|left| left.saturating_sub(elapsed))
    }

    const fn elapsed(&self) -> Elapsed {
        Elapsed {
            stopwatch: self.stopwatch,
            started: self.started,
        }
    }

    fn began(&self) -> Duration {
        (self.stopwatch)()
    }

    /// The refusal of a request whose time ran out. What keeps a request waiting is outside, so the layer that was not
    /// done is the one that asked for it.
    fn late(&self) -> Denial {
        let done = self.trail.visits.last().map_or("nothing", |v| v.layer);
        Denial::new(
            Reason::TimeExhausted,
            format!("the time of the function ran out; the last step done was `{done}`"),
        )
    }

    fn note(&mut self, layer: &'static str, began: Duration, outcome: Outcome) {
        let took = (self.stopwatch)().saturating_sub(began);
        self.trail.visits.push(Visit {
            layer,
            outcome,
            took,
        });
    }

    fn visit<T>(
        &mut self,
        layer: &'static str,
        began: Duration,
        result: Result<T, Denial>,
    ) -> Result<T, Denial> {
        self.note(
            layer,
            began,
            result.as_ref().map_or_else(
                |denial| Outcome::Refused(denial.reason()),
                |_| Outcome::Passed,
            ),
        );
        result
    }

    fn attempt<T>(
        &mut self,
        layer: &'static str,
        began: Duration,
        attempt: Attempt<T>,
    ) -> Result<Option<T>, Denial> {
        let outcome = match &attempt {
            Attempt::Absent => Outcome::Absent,
            Attempt::Verified(_) => Outcome::Passed,
            Attempt::Rejected(denial) => Outcome::Refused(denial.reason()),
        };
        self.note(layer, began, outcome);
        attempt.into_result()
    }
}

//! **The order** of all layers, in one straight function: [`Engine::decide`].

mod credentials;
mod refusal;
mod rehashing;

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use doorward_keys::{BlockReader, KeyLookup, Timestamp};

use self::credentials::Proving;
use crate::{
    attempt::Attempt,
    authority::{Authorities, Timing},
    config::Config,
    decision::{Decision, Grant, Outcome, Trail, Verdict, Visit},
    denial::{Denial, Reason},
    identity::Authenticated,
    identity_token::{Bearer, IdentityTokens, RemoteSigner},
    layers::{
        api_key::ApiKeys,
        block_list::BlockList,
        certificate::{Certificates, CrlSource},
        entitlements,
        exchange::{self, Exchanges},
        introspection::Introspection,
        ip_allow,
        jwt::{FetchError, Issuers, KeySetSource},
        policy::{self, Elapsed},
        proof::{Proofs, ReplayStore},
        rate_limit::{Asked, Pause, RateLimits, Reach},
    },
    limits::{LimitStore, LimitStoreError, Moment},
    request::{Located, Request, credentials::Presented},
    routes::Route,
    waiting::{before, both},
};

/// Everything the engine reaches out to, as traits.
#[derive(Clone)]
pub struct Sources {
    /// API keys.
    pub keys: Arc<dyn KeyLookup>,
    /// Blocks of tokens.
    pub blocks: Arc<dyn BlockReader>,
    /// Key sets and discovery documents.
    pub key_sets: Arc<dyn KeySetSource>,
    /// Lists of revoked certificates.
    pub crls: Arc<dyn CrlSource>,
    /// Proofs of possession that were seen.
    pub replays: Arc<dyn ReplayStore>,
    /// Authorization servers, for introspection and exchange.
    pub authorities: Authorities,
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
    introspection: Introspection,
    block_list: Option<BlockList>,
    exchanges: Exchanges,
    rate_limits: RateLimits,
    policies: policy::Policies,
    identity_tokens: Option<IdentityTokens>,
    stopwatch: fn() -> Duration,
}

impl Engine {
    /// An engine for `config`.
    pub fn new(config: Config, sources: Sources) -> Self {
        let api_keys = config
            .api_keys
            .clone()
            .map(|keys| ApiKeys::new(keys, sources.keys));
        let timing = Timing {
            stopwatch: sources.stopwatch,
            pause: sources.pause,
        };
        let introspection = Introspection::new(
            &config.introspection,
            &config.tokens,
            &sources.authorities,
            &sources.key_sets,
            timing,
        );
        let exchanges = Exchanges::new(
            &config.exchanges,
            config.answers.max_context_bytes,
            &sources.authorities,
            timing,
        );
        let issuers = Issuers::new(
            config.issuers.clone(),
            config.tokens.max_bytes,
            sources.key_sets,
            sources.pause,
        );
        let block_list = config
            .block_list
            .map(|list| BlockList::new(list, sources.blocks, sources.pause));
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
        let mut engine = Self {
            policies: policy::Policies::new(&config),
            config,
            api_keys,
            issuers,
            certificates,
            proofs,
            introspection,
            block_list,
            exchanges,
            rate_limits,
            identity_tokens: None,
            stopwatch: sources.stopwatch,
        };
        engine.identity_tokens = engine.minting(None);
        engine
    }

    /// The same engine, which lets `signer` sign identity tokens where their key is kept elsewhere.
    #[must_use]
    pub fn with_remote_signer(mut self, signer: Arc<dyn RemoteSigner>) -> Self {
        self.identity_tokens = self.minting(Some(signer));
        self
    }

    fn minting(&self, remote: Option<Arc<dyn RemoteSigner>>) -> Option<IdentityTokens> {
        let config = self.config.identity_token.clone()?;
        let max_bytes = self.config.answers.max_context_bytes;
        Some(IdentityTokens::new(config, remote, max_bytes))
    }

    /// The configuration in force.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Fetches the key sets of all issuers, and takes over what other sandboxes know of the authorization servers, all at once;
    /// says for each issuer what came of it.
    pub async fn prefetch(&self, now: Timestamp) -> Vec<(String, Result<(), FetchError>)> {
        let servers = both(
            self.introspection.prefetch(now.into()),
            self.exchanges.recall(now.into()),
        );
        let (mut outcomes, (of_servers, ())) = both(self.issuers.prefetch(now), servers).await;
        outcomes.extend(of_servers);
        outcomes
    }

    /// Fetches the lists of revoked certificates that are due; says for each authority what came of it.
    pub async fn refresh_crls(&self, now: Timestamp) -> Vec<(String, Result<(), String>)> {
        match &self.certificates {
            Some(certificates) => certificates.refresh(now).await,
            None => Vec::new(),
        }
    }

    /// Looks at the list of blocked tokens again, where there is one and it is due; the error says why it cannot be read.
    pub async fn refresh_blocks(&self, now: Moment) -> Option<Result<(), String>> {
        self.block_list.as_ref()?.refresh(now).await
    }

    /// Brings fetches of key sets to their end that no request waited for. For the time after an answer.
    pub async fn finish_fetches(&self) {
        self.issuers.finish_fetches().await;
    }

    /// The issuers whose keys serve past their freshness because fresh ones could not be had, and how old those are, in seconds.
    pub fn stale_key_sets(&self, now: Timestamp) -> Vec<(String, u64)> {
        self.issuers.stale_key_sets(now)
    }

    /// Connects to the store of limits, where there are limits that are counted there.
    ///
    /// # Errors
    /// When it cannot be reached or refuses us.
    pub async fn prepare_limits(&self) -> Result<(), LimitStoreError> {
        if self.config.needs_limit_store() {
            self.rate_limits.prepare().await
        } else {
            Ok(())
        }
    }

    /// Gives back what is leased of limits. For the end of the process.
    pub async fn return_leases(&self, now: Moment) {
        self.rate_limits.return_leases(now).await;
    }

    /// Decides `request`. Cannot fail: whatever is not a proven Allow is a denial.
    pub async fn decide(&self, request: &Request) -> Verdict {
        self.deciding(request, pin!(pending())).await
    }

    /// Decides `request` before `late` is ready. A decision that is not there by then is a denial for
    /// [`Reason::TimeExhausted`], with the trail as far as it went.
    pub async fn decide_before(
        &self,
        request: &Request,
        late: impl Future<Output = ()> + Send,
    ) -> Verdict {
        self.deciding(request, pin!(late)).await
    }

    /// [`Engine::decide_before`] for any `late`: boxed, because what is not would be compiled anew in every crate that asks, and
    /// most of those are built for size.
    fn deciding<'a>(
        &'a self,
        request: &'a Request,
        late: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    ) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>> {
        Box::pin(async move {
            let started = (self.stopwatch)();
            let mut walk = Walk {
                trail: Trail {
                    visits: Vec::with_capacity(MOST_VISITS),
                    ..Trail::default()
                },
                stopwatch: self.stopwatch,
                started,
                reached: started,
                valid_until: None,
            };
            let decided = before(late, pin!(self.outcome(request, &mut walk))).await;
            let decision = match decided {
                Some(Ok(grant)) => Decision::Allow(grant),
                Some(Err(denial)) => Decision::Deny(denial),
                None => Decision::Deny(walk.late()),
            };
            Verdict {
                decision,
                trail: walk.trail,
            }
        })
    }

    async fn outcome(&self, request: &Request, walk: &mut Walk) -> Result<Grant, Denial> {
        let outcome = match self.journey(request, walk).await {
            Err(denial) => Err(Box::pin(self.accompanied(denial, request, walk)).await),
            granted => granted,
        };
        self.signed(outcome, request, walk).await
    }

    /// The journey of a request. Each step hands its evidence to the next; the first denial ends it.
    async fn journey(&self, request: &Request, walk: &mut Walk) -> Result<Grant, Denial> {
        let admitted = ip_allow::admit(request, &self.config.addresses);
        let admitted = walk.visit("ip_allow", admitted)?;
        let (address, now) = (admitted.address(), request.received_at);
        walk.trail.address = address;

        let calm = self.rate_limits.admit(address, now);
        walk.visit("address_limit", calm)?;

        let route = self.route(request);
        let (located, route) = walk.visit("route", route)?;
        walk.trail.route = Some(route.key.clone());

        let presented =
            Presented::find(request, &self.config).and_then(|p| self.suits(request, route, p));
        let presented = walk.visit("credentials", presented)?;

        let proving = Proving {
            request,
            route,
            presented: &presented,
            address,
        };
        let (caller, proven) = self.authenticated(proving, walk).await?;
        let asked = Asked {
            route,
            caller: &caller,
            address,
            now,
            elapsed: walk.elapsed(),
            time_left: walk.left_of(request.time_left),
        };
        let subject = policy::Subject {
            principal: walk.trail.principal.clone().unwrap_or_default(),
            request,
            located: &located,
            spender: asked,
            admitted,
            proven,
            elapsed: walk.watch(),
        };
        let writer = policy::Writer::new(&self.config, &self.rate_limits, &self.policies, subject);

        let entitled = entitlements::check(route, &caller, address);
        let reach = Reach::of(&entitled);
        let asked_of = &mut walk.trail.limits;
        let quota = self.rate_limits.spend(&asked, reach, asked_of).await;
        let quota = quota.and_then(|quota| writer.within(quota));
        let quota = walk.visit("rate_limit", quota);
        let quota = quota.map_err(|denial| writer.refuse(denial))?;

        let entitled = walk.visit("entitlements", entitled);
        entitled.map_err(|denial| writer.refuse(denial))?;

        let writer = self.carrying(writer, proving, walk).await?;

        let grant = walk.visit("policy", writer.grant(&quota));
        grant.map_err(|denial| writer.refuse(denial))
    }

    /// The outcome of a journey with the identity token for the backends that it may lead to. Where none can be had it is a
    /// refusal, because the backend would refuse as well.
    async fn signed(
        &self,
        outcome: Result<Grant, Denial>,
        request: &Request,
        walk: &mut Walk,
    ) -> Result<Grant, Denial> {
        let context = match &outcome {
            Ok(grant) => Some(grant.context()),
            Err(denial) => denial.policy().map(|_| denial.context()),
        };
        let (Some(tokens), Some(context)) = (&self.identity_tokens, context) else {
            return outcome;
        };
        let carried = outcome.as_ref().ok().and_then(Grant::downstream_token);
        let principal = walk.trail.principal.clone().unwrap_or_default();
        let bearer = Bearer {
            principal: &principal,
            valid_until: walk.valid_until,
            context,
            carried_bytes: carried.map_or(0, exchange::context_bytes),
        };
        let minted = Box::pin(tokens.mint(bearer, request.received_at.timestamp())).await;
        let token = walk.visit("identity_token", minted)?;
        match outcome {
            Ok(grant) => Ok(Grant {
                identity_token: Some(token),
                ..grant
            }),
            Err(denial) => Err(denial.with_identity_token(token)),
        }
    }

    fn route(&self, request: &Request) -> Result<(Located, &Route), Denial> {
        let located = Located::of(request)?;
        match self.config.routes.find(&located) {
            Some(route) => Ok((located, route)),
            None => Err(Denial::new(
                Reason::RouteUnknown,
                format!("no route for {located}"),
            )),
        }
    }

    /// The writer with the token for the backend that the route wants, where it wants one.
    async fn carrying<'a>(
        &self,
        writer: policy::Writer<'a>,
        proving: Proving<'_>,
        walk: &mut Walk,
    ) -> Result<policy::Writer<'a>, Denial> {
        let Some(name) = &proving.route.remote.exchange else {
            return Ok(writer);
        };
        let within = walk.left_for_servers(proving.request.time_left);
        let now = proving.request.received_at;
        // INVARIANT: the configuration demands a token of every caller of such a route.
        let exchanged = match proving.presented.token() {
            Some(token) => Box::pin(self.exchanges.swap(name, token, now, within)).await,
            None => Err(Denial::new(
                Reason::Internal,
                "there is no token to exchange",
            )),
        };
        let exchanged = walk.visit("exchange", exchanged);
        let exchanged = exchanged.map_err(|denial| writer.refuse(denial))?;
        Ok(writer.carrying(exchanged))
    }
}

/// What of the time of a request is kept back from an authorization server, to say what came of it.
const SPARE: Duration = Duration::from_millis(50);

/// Room for every layer that an ordinary request visits.
const MOST_VISITS: usize = 12;

/// Fills the trail: every layer is visited through here.
struct Walk {
    trail: Trail,
    stopwatch: fn() -> Duration,
    started: Duration,
    /// When the layer before was done. Between two layers there is nothing that takes time, so the next began then.
    reached: Duration,
    /// When the earliest of the credentials stops working, once they were verified.
    valid_until: Option<Timestamp>,
}

impl Walk {
    /// What is left of the time that the request had.
    fn left_of(&self, time_left: Option<Duration>) -> Option<Duration> {
        time_left.map(|left| left.saturating_sub(self.elapsed()))
    }

    /// What the layers took so far.
    const fn elapsed(&self) -> Duration {
        self.reached.saturating_sub(self.started)
    }

    const fn watch(&self) -> Elapsed {
        Elapsed {
            stopwatch: self.stopwatch,
            started: self.started,
        }
    }

    /// What is left for an authorization server, so that there is time to say what came of it.
    fn left_for_servers(&self, time_left: Option<Duration>) -> Option<Duration> {
        let left = self.left_of(time_left)?;
        Some(left.saturating_sub(SPARE))
    }

    /// Notes who is calling.
    fn know(&mut self, caller: &Authenticated) {
        if let Some(client) = &caller.client {
            self.trail.key_id = Some(client.record().id.clone());
        }
        let subject = caller.subject.as_ref();
        self.trail.issuer = subject.map(|subject| subject.issuer_name().to_owned());
        self.trail.principal = Some(caller.principal());
        self.valid_until = caller.valid_until();
    }

    /// Notes until when what the token is bound to works.
    fn bound(&mut self, proven: &crate::layers::proof::Proven) {
        self.valid_until = self.valid_until.into_iter().chain(proven.until).min();
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

    fn note(&mut self, layer: &'static str, outcome: Outcome) {
        let now = (self.stopwatch)();
        let took = now.saturating_sub(self.reached);
        self.reached = now;
        self.trail.visits.push(Visit {
            layer,
            outcome,
            took,
        });
    }

    fn visit<T>(&mut self, layer: &'static str, result: Result<T, Denial>) -> Result<T, Denial> {
        let outcome = result.as_ref().map_or_else(
            |denial| Outcome::Refused(denial.reason()),
            |_| Outcome::Passed,
        );
        self.note(layer, outcome);
        result
    }

    fn attempt<T>(
        &mut self,
        layer: &'static str,
        attempt: Attempt<T>,
    ) -> Result<Option<T>, Denial> {
        let outcome = match &attempt {
            Attempt::Absent => Outcome::Absent,
            Attempt::Verified(_) => Outcome::Passed,
            Attempt::Rejected(denial) => Outcome::Refused(denial.reason()),
        };
        self.note(layer, outcome);
        attempt.into_result()
    }
}

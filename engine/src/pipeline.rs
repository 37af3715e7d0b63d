//! **The order** of all layers, in one straight function: [`Engine::decide`].

mod credentials;
mod refusal;
mod rehashing;
mod walk;

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use doorward_keys::{BlockReader, KeyLookup, Timestamp};

use self::{credentials::Proving, walk::Walk};
use crate::{
    authority::{Authorities, Timing},
    config::Config,
    decision::{Decision, Grant, Verdict},
    denial::{Denial, Reason},
    identity_token::{Bearer, IdentityTokens, RemoteSigner},
    layers::{
        api_key::ApiKeys,
        block_list::BlockList,
        certificate::{Certificates, CrlSource},
        entitlements,
        exchange::{self, Exchanged, Exchanges},
        introspection::Introspection,
        ip_allow,
        jwt::{FetchError, Issuers, KeySetSource},
        policy,
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
            let mut walk = Walk::new(self.stopwatch);
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
        let mut writer =
            policy::Writer::new(&self.config, &self.rate_limits, &self.policies, subject);

        let entitled = entitlements::check(route, &caller, address);
        let reach = Reach::of(&entitled);
        let asked_of = &mut walk.trail.limits;
        let quota = self.rate_limits.spend(&asked, reach, asked_of).await;
        let quota = quota.and_then(|quota| writer.within(quota));
        let quota = walk.visit("rate_limit", quota);
        let quota = quota.map_err(|denial| writer.refuse(denial))?;

        let entitled = walk.visit("entitlements", entitled);
        entitled.map_err(|denial| writer.refuse(denial))?;

        if let Some(exchanged) = self.exchanged(&writer, proving, walk).await? {
            writer.carry(exchanged);
        }

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

    /// The token for the backend that the route wants, where it wants one.
    async fn exchanged(
        &self,
        writer: &policy::Writer<'_>,
        proving: Proving<'_>,
        walk: &mut Walk,
    ) -> Result<Option<Exchanged>, Denial> {
        let Some(name) = &proving.route.remote.exchange else {
            return Ok(None);
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
        exchanged.map(Some).map_err(|denial| writer.refuse(denial))
    }
}

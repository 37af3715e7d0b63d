//! Every reason to refuse, and the one table from reason to the class that the caller learns.

use doorward_keys::Timestamp;

use ipnet::IpNet;

use crate::{
    decision::Context,
    layers::policy::{Condition, Policy},
    limits::LimitReport,
};

/// What the caller learns of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The caller has not proved who they are: 401 (RFC 9110 section 15.5.2).
    Unauthenticated,
    /// The caller is known, or need not be, and may not do this: 403.
    Forbidden,
    /// The caller is known and has asked too often: 429 (RFC 6585 section 4), where the gateway can say it.
    Throttled,
    /// We could not find out: 500, never cached, never an Allow.
    Unavailable,
}

impl Class {
    /// The word for the class in the answer's context and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Declares the table once: variant, word in the log, class, and what it means for the operator.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal => $class:ident, mend: $mend:literal;)+) => {
        /// Why a request was refused. For the operator's log; the caller learns the [`Class`] only.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $variant,)+ }

        impl Reason {
            /// Every reason there is, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word for it in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What the caller learns.
            pub const fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)+ }
            }

            /// What it means, for the operator.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }

            /// What would have to change for the request to pass.
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$variant => $mend,)+ }
            }
        }
    };
}

reasons! {
    /// The gateway sent an event that cannot be read.
    EventMalformed = "event_malformed" => Forbidden, mend: "check that the API calls this function as a Lambda authorizer";
    /// The path holds something that must not be guessed at, such as an encoded slash.
    PathRefused = "path_refused" => Forbidden, mend: "send the path without encoded slashes, backslashes, double escapes, control characters or path parameters";
    /// The source address is not on the list, or is on the deny list.
    AddressRefused = "address_refused" => Forbidden, mend: "call from a listed address, or add the address to `addresses`";
    /// An address list applies, but the event carries no address, or the forwarding header cannot be trusted.
    AddressUnknown = "address_unknown" => Forbidden, mend: "use a REQUEST authorizer, and check `addresses.trusted_proxies` or `addresses.trusted_hops`";
    /// No route of the configuration matches method and path.
    RouteUnknown = "route_unknown" => Forbidden, mend: "add the route to `routes`, or correct method and path";
    /// The source address is refused by the lists of the route.
    RouteAddressRefused = "route_address_refused" => Forbidden, mend: "call from a listed address, or change `addresses` of the route";
    /// No credential was presented and the route demands one.
    CredentialMissing = "credential_missing" => Unauthenticated, mend: "send one of the credentials that the route names";
    /// A credential was presented in a form that cannot be read.
    CredentialMalformed = "credential_malformed" => Unauthenticated, mend: "send `Authorization: Bearer <token>` with one token and nothing else";
    /// More than one credential, or the same one twice.
    CredentialRepeated = "credential_repeated" => Unauthenticated, mend: "send each credential once, and only those that the route names";
    /// A credential of a kind that this gate is not configured for.
    CredentialUnsupported = "credential_unsupported" => Unauthenticated, mend: "configure the kind (`api_keys` or `issuers`), or send another credential";
    /// The credentials presented are not of the kinds that the route names.
    CredentialInsufficient = "credential_insufficient" => Unauthenticated, mend: "send the credentials that the route names in `credentials`";
    /// The text looks like one of our keys but has the wrong length or alphabet.
    KeyMalformed = "key_malformed" => Unauthenticated, mend: "copy the whole key, without spaces or quotes";
    /// A key of ours for another environment.
    KeyEnvironment = "key_environment" => Unauthenticated, mend: "use a key of an environment that `api_keys.environments` accepts";
    /// The checksum of the key does not match.
    KeyChecksum = "key_checksum" => Unauthenticated, mend: "copy the whole key; if it was made with another pepper, set `api_keys.previous_pepper`";
    /// No such key.
    KeyUnknown = "key_unknown" => Unauthenticated, mend: "make a key with `doorward keys create`; check that authorizer and key-admin use the same table and pepper";
    /// The key has expired.
    KeyExpired = "key_expired" => Unauthenticated, mend: "rotate the key";
    /// The key is switched off.
    KeyDisabled = "key_disabled" => Unauthenticated, mend: "enable the key";
    /// The key has been revoked.
    KeyRevoked = "key_revoked" => Unauthenticated, mend: "make a new key; a revoked one stays revoked";
    /// The key may not be used from this address.
    KeyAddressRefused = "key_address_refused" => Forbidden, mend: "call from an address on the list of the key";
    /// The key may not be used on this route.
    KeyRouteRefused = "key_route_refused" => Forbidden, mend: "add the route to the routes of the key";
    /// The key has a plan that the configuration does not name, and a limit applies.
    KeyPlanUnknown = "key_plan_unknown" => Unavailable, mend: "add the plan to `plans`, or make a key with another one";
    /// The key store did not answer.
    KeyStoreUnavailable = "key_store_unavailable" => Unavailable, mend: "check the table, its name, the role of the function and the network";
    /// The key store holds a record that cannot be read.
    KeyStoreCorrupt = "key_store_corrupt" => Unavailable, mend: "look at the item of this key; it was not written by this version of key-admin";
    /// The token is longer than allowed.
    TokenTooLong = "token_too_long" => Unauthenticated, mend: "ask the issuer for fewer claims, or raise `tokens.max_bytes`";
    /// The token is not a JWT in compact form, or its JSON is not strict.
    TokenMalformed = "token_malformed" => Unauthenticated, mend: "send the access token exactly as the issuer gave it";
    /// The header names extensions that must be understood and are not (RFC 7515 section 4.1.11).
    TokenCritical = "token_critical" => Unauthenticated, mend: "ask the issuer for tokens without `crit`";
    /// The issuer is missing or not configured.
    TokenIssuer = "token_issuer" => Unauthenticated, mend: "compare `iss` of the token with `issuers[].issuer`, character by character";
    /// The algorithm is not on the list of the issuer.
    TokenAlgorithm = "token_algorithm" => Unauthenticated, mend: "add the algorithm to `issuers[].algorithms` if the issuer is meant to use it";
    /// The issuer publishes no such key.
    TokenKeyUnknown = "token_key_unknown" => Unauthenticated, mend: "check that the token comes from this issuer; a key rotated in now is seen after `key_set.cool_down_seconds`";
    /// The key of that name does not fit the algorithm, its use or its size.
    TokenKeyUnsuitable = "token_key_unsuitable" => Unauthenticated, mend: "ask the issuer to publish a signing key of the right type and at least 2048 bits for RSA";
    /// The signature does not match.
    TokenSignature = "token_signature" => Unauthenticated, mend: "get a fresh token; this one was changed or signed with another key";
    /// The token is of another kind than the profile wants, such as an id token.
    TokenType = "token_type" => Unauthenticated, mend: "send an access token, or choose the `profile` that fits the issuer";
    /// The token is meant for somebody else.
    TokenAudience = "token_audience" => Unauthenticated, mend: "ask the issuer for a token for this API, or add the audience to `issuers[].audiences`";
    /// The token has expired.
    TokenExpired = "token_expired" => Unauthenticated, mend: "get a fresh token";
    /// The token is not valid yet.
    TokenNotYetValid = "token_not_yet_valid" => Unauthenticated, mend: "check the clock of the issuer, or raise `leeway_seconds`";
    /// The token lives longer than allowed.
    TokenLifetime = "token_lifetime" => Unauthenticated, mend: "ask the issuer for a shorter life, or raise `max_lifetime_seconds`";
    /// A claim that the profile or the configuration demands is missing or of the wrong type.
    TokenClaim = "token_claim" => Unauthenticated, mend: "compare the claims with the profile and `required_claims` of the issuer";
    /// The token is bound to a key or certificate (`cnf`) and no proof can be checked here.
    TokenBound = "token_bound" => Unauthenticated, mend: "send an unbound token; proofs of possession are not configured";
    /// The key set of the issuer cannot be had.
    KeySetUnavailable = "key_set_unavailable" => Unavailable, mend: "check the network of the function and the address of the key set";
    /// A scope that the route demands is missing.
    ScopeMissing = "scope_missing" => Forbidden, mend: "ask for a token or key with the scopes that the route names";
    /// A role that the route demands is missing.
    RoleMissing = "role_missing" => Forbidden, mend: "give the subject one of the roles that the route names";
    /// The tenant may not use the route.
    TenantRefused = "tenant_refused" => Forbidden, mend: "add the tenant to `tenants` of the route";
    /// A limit that applies to the caller is used up.
    RateLimited = "rate_limited" => Throttled, mend: "wait for as many seconds as `retryAfter` says, or raise the limit in `limits` or the plan of the key";
    /// The store of limits did not answer, and the limit says that nobody passes then.
    LimitStoreUnavailable = "limit_store_unavailable" => Unavailable, mend: "check the store that `limits_store` names, the role of the function and the network; or choose `on_outage = \"local\"`";
    /// The permission cannot be said in a policy without saying too much.
    PolicyInexpressible = "policy_inexpressible" => Forbidden, mend: "send the path in its plain spelling, without doubled slashes, dot segments or needless escapes; if it is plain, separate the templates of the route and of its stricter neighbour";
    /// The policy for this route alone is larger than the gateway takes.
    PolicyTooLarge = "policy_too_large" => Forbidden, mend: "shorten the route templates or the address lists";
    /// The configuration is bad; everything is refused until it is mended.
    ConfigInvalid = "config_invalid" => Unavailable, mend: "run `doorward check`";
    /// The time of the function ran out before there was a decision.
    TimeExhausted = "time_exhausted" => Unavailable, mend: "the first layer that `layers` of the log line does not show was waiting; look at what it asks, or raise the timeout or the memory of the function";
    /// A fault of ours.
    Internal = "internal" => Unavailable, mend: "report it with the log line";
}

/// A refusal: its reason for the log, and what of it may be cached.
#[derive(Clone, Debug)]
pub struct Denial {
    reason: Reason,
    detail: String,
    /// These are boxed, because few refusals have them and all are passed around.
    kept: Option<Box<Kept>>,
    limit: Option<Box<LimitReport>>,
    holds: Option<Box<Condition>>,
}

/// What the gateway may keep of a refusal, for the routes that it lets the caller through to.
#[derive(Clone, Debug)]
struct Kept {
    policy: Policy,
    context: Context,
    usage_plan_key: Option<String>,
}

/// No facts.
static NOTHING: Context = Context::new();

/// Everywhere and at all times.
static ALWAYS: Condition = Condition {
    before: None,
    from: None,
    addresses: None,
    not_addresses: Vec::new(),
};

impl Denial {
    /// A refusal for `reason`, with one line of detail for the operator. No secret may stand in it.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            kept: None,
            limit: None,
            holds: None,
        }
    }

    /// The same refusal with what the gateway may cache: what else the caller may do, and, where the cached policy lets the
    /// caller through, the facts for the backend and the usage-plan key. The policy never lets what was asked pass while
    /// the refusal holds.
    pub fn with_policy(
        self,
        policy: Policy,
        context: Context,
        usage_plan_key: Option<String>,
    ) -> Self {
        Self {
            kept: Some(Box::new(Kept {
                policy,
                context,
                usage_plan_key,
            })),
            ..self
        }
    }

    /// The same refusal, with its policy changed under the condition under which it holds.
    pub(crate) fn map_policy(self, change: impl FnOnce(Policy, &Condition) -> Policy) -> Self {
        let holds = self.holds().clone();
        let kept = self.kept.map(|kept| {
            let policy = change(kept.policy, &holds);
            Box::new(Kept { policy, ..*kept })
        });
        Self { kept, ..self }
    }

    /// The same refusal with what the caller may know of the limit.
    pub fn with_limit(self, limit: LimitReport) -> Self {
        Self {
            limit: Some(Box::new(limit)),
            ..self
        }
    }

    /// The same refusal, which a cached answer must not prolong beyond `ends_at`.
    pub fn ending_at(self, ends_at: Timestamp) -> Self {
        let holds = Condition {
            before: Some(ends_at),
            ..self.holds().clone()
        };
        self.while_it_holds(holds)
    }

    /// The same refusal, which concerns those who call from `range` and nobody else.
    pub fn for_range(self, range: IpNet) -> Self {
        let holds = Condition {
            addresses: Some(vec![range]),
            ..self.holds().clone()
        };
        self.while_it_holds(holds)
    }

    fn while_it_holds(self, holds: Condition) -> Self {
        Self {
            holds: Some(Box::new(holds)),
            ..self
        }
    }

    /// Why.
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What the caller learns.
    pub const fn class(&self) -> Class {
        self.reason.class()
    }

    /// What exactly was wrong, for the operator.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What the gateway may cache of a [`Class::Forbidden`] or [`Class::Throttled`] refusal, where the caller was known.
    pub fn policy(&self) -> Option<&Policy> {
        self.kept.as_ref().map(|kept| &kept.policy)
    }

    /// The facts for a backend that a cached [`Denial::policy`] lets the caller through to: who is calling.
    pub fn context(&self) -> &Context {
        self.kept.as_ref().map_or(&NOTHING, |kept| &kept.context)
    }

    /// The usage-plan key of the caller, where a cached [`Denial::policy`] lets them through.
    pub fn usage_plan_key(&self) -> Option<&str> {
        self.kept.as_ref()?.usage_plan_key.as_deref()
    }

    /// Under which condition the Deny of what was asked must hold, as far as that can be said in a policy: before the time
    /// when a limit has room again, or from the address that was refused. Under it the policy does not allow what was asked.
    pub fn holds(&self) -> &Condition {
        self.holds.as_deref().unwrap_or(&ALWAYS)
    }

    /// The limit that refused ([`Class::Throttled`]), for the caller.
    pub fn limit(&self) -> Option<&LimitReport> {
        self.limit.as_deref()
    }
}

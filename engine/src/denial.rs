//! Every reason to refuse, and the one table from reason to the class that the caller learns.

use std::sync::Arc;

use doorward_keys::Timestamp;
use ipnet::IpNet;

use crate::{
    decision::Context,
    identity_token::IdentityToken,
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
    CredentialUnsupported = "credential_unsupported" => Unauthenticated, mend: "configure the kind (`api_keys`, `issuers` or `introspection`), or send another credential";
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
    /// The key is a decoy: whoever presents it has found what they should not have.
    DecoyKey = "decoy_key" => Unauthenticated, mend: "find out where this decoy was planted and who could read it there; see docs/leaks.md";
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
    /// The token is bound to something (`cnf`) in a way that cannot be checked here.
    TokenBound = "token_bound" => Unauthenticated, mend: "configure `dpop` for tokens that are bound to a key; other ways than `jkt` and `x5t#S256` are not understood";
    /// The token was blocked before it expired.
    TokenBlocked = "token_blocked" => Unauthenticated, mend: "get a fresh token by a new login; the detail names the block, which `doorward block remove` takes back";
    /// The list of blocked tokens cannot be read, and what is known of it is too old.
    BlockListUnavailable = "block_list_unavailable" => Unavailable, mend: "check the table of keys, its name, the role of the function (`dynamodb:GetItem`, `dynamodb:Query`) and the network; or raise `block_list.max_stale_seconds`";
    /// The header that says of which issuer an opaque token is names none whose server could know it.
    TokenHint = "token_hint" => Unauthenticated, mend: "send the exact `issuer` of the server in `introspection` that issued the token, once, or no such header";
    /// The key set of the issuer cannot be had.
    KeySetUnavailable = "key_set_unavailable" => Unavailable, mend: "check the network of the function and the address of the key set";
    /// The client certificate cannot be read, or is not one for clients.
    CertificateMalformed = "certificate_malformed" => Unauthenticated, mend: "use a certificate for clients (extended key usage), in plain DER, with names in ASCII";
    /// The client certificate was not issued by one of the authorities.
    CertificateIssuer = "certificate_issuer" => Unauthenticated, mend: "get a certificate of an authority that `certificates.authorities` names, or name the one that signs client certificates";
    /// The client certificate has expired.
    CertificateExpired = "certificate_expired" => Unauthenticated, mend: "renew the certificate";
    /// The client certificate is not valid yet.
    CertificateNotYetValid = "certificate_not_yet_valid" => Unauthenticated, mend: "check the clock of the authority, or wait";
    /// The client certificate has been revoked.
    CertificateRevoked = "certificate_revoked" => Unauthenticated, mend: "get a new certificate; a revoked one stays revoked";
    /// The certificate holds, and names no client that is known.
    CertificateUnknown = "certificate_unknown" => Unauthenticated, mend: "add the name to `certificates.clients`, or the kind of the name to `certificates.identity`";
    /// The certificate has several names, each of which could be the client.
    CertificateAmbiguous = "certificate_ambiguous" => Unauthenticated, mend: "use a certificate with one name of that kind, or name one of them only in `certificates.clients`";
    /// The revocation list of the authority cannot be had, or is past its time.
    CrlUnavailable = "crl_unavailable" => Unavailable, mend: "check that the list is published in time, its place in `certificates.authorities`, and the role of the function; or raise `certificates.crl_stale_seconds`";
    /// A certificate is demanded, and the call came through the default endpoint of the API, which asks for none.
    DefaultEndpoint = "default_endpoint" => Unauthenticated, mend: "call the custom domain with mutual TLS, and set `DisableExecuteApiEndpoint` of the API";
    /// The token is bound to a certificate, and the client did not show it.
    TokenCertificate = "token_certificate" => Unauthenticated, mend: "use the certificate with which the token was got, over the custom domain with mutual TLS";
    /// The token is bound to a key, and no proof came with it.
    ProofMissing = "proof_missing" => Unauthenticated, mend: "send the token as `Authorization: DPoP <token>` with a proof in the header `DPoP`; a TOKEN authorizer sees no such header";
    /// A token came with the scheme `DPoP` and is bound to no key.
    ProofUnbound = "proof_unbound" => Unauthenticated, mend: "send the token as a bearer, or ask the issuer for one that is bound to a key";
    /// The proof cannot be read, or a claim is missing.
    ProofMalformed = "proof_malformed" => Unauthenticated, mend: "make proofs as RFC 9449 section 4.2 says, and send one";
    /// The algorithm of the proof is not on the list.
    ProofAlgorithm = "proof_algorithm" => Unauthenticated, mend: "sign proofs with another algorithm, or add this one to `dpop.algorithms`";
    /// The proof was not signed with the key in it.
    ProofSignature = "proof_signature" => Unauthenticated, mend: "make a new proof; this one was changed";
    /// The proof was made for another method or address.
    ProofTarget = "proof_target" => Unauthenticated, mend: "make a proof for each request; if the address is right, set `dpop.public_urls`";
    /// The proof is too old, or from the future.
    ProofTime = "proof_time" => Unauthenticated, mend: "make a proof for each request, and check the clock of the client";
    /// The proof was made for another token, or for none.
    ProofToken = "proof_token" => Unauthenticated, mend: "put the digest of this very token into `ath`";
    /// The token is bound to another key than that of the proof.
    ProofKey = "proof_key" => Unauthenticated, mend: "sign proofs with the key for which the token was issued";
    /// The proof was seen before.
    ProofReplayed = "proof_replayed" => Unauthenticated, mend: "make a proof for each request, with a `jti` of its own";
    /// The proof has no nonce of ours, or one that is too old.
    ProofNonce = "proof_nonce" => Forbidden, mend: "make the proof again with the nonce that the context of the answer holds (`dpopNonce`)";
    /// The store that remembers proofs did not answer.
    ReplayStoreUnavailable = "replay_store_unavailable" => Unavailable, mend: "check the table of counters, its name, the role of the function and the network";
    /// A certificate or proof decided, and the gateway may keep a simple answer for others.
    AnswerKept = "answer_kept" => Unavailable, mend: "set the time to live of the authorizer to 0 and say so in `policy.gateway_cache`, or answer with policies";
    /// The introspection server says that the token is not active.
    TokenInactive = "token_inactive" => Unauthenticated, mend: "get a fresh token; if it is one, check that the server named for it is the one that issued it, and that it lets this client see it";
    /// The introspection server does not answer, or failed so often that it is not asked for a while.
    IntrospectionUnavailable = "introspection_unavailable" => Unavailable, mend: "check the server, the network of the function and `timeout_ms`; `on_outage = \"recently_active\"` bridges short outages";
    /// The introspection server refuses this gate, not the token.
    IntrospectionRefused = "introspection_refused" => Unavailable, mend: "compare `client` of the server with what is registered there: id, authentication, secret or key";
    /// The introspection server gave an answer that says nothing of the token.
    IntrospectionAnswer = "introspection_answer" => Unavailable, mend: "check that `endpoint` is the introspection endpoint, and that `signed` fits what the server sends";
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
    /// The authorization server gives no token for the backend for this caller.
    ExchangeRefused = "exchange_refused" => Forbidden, mend: "look at `error` in the detail; check that the server lets this client exchange this caller's token for the audience";
    /// The authorization server did not answer the exchange, or not in a form that can be used.
    ExchangeUnavailable = "exchange_unavailable" => Unavailable, mend: "check `token_endpoint` and `client` of the exchange, the server and the network of the function";
    /// The token for the backend does not fit into the context.
    ExchangeTooLarge = "exchange_too_large" => Unavailable, mend: "ask the server for a smaller token, or raise `answers.max_context_bytes`";
    /// The store of usage did not count an allowed call, and the configuration says that it does not pass then.
    UsageStoreUnavailable = "usage_store_unavailable" => Unavailable, mend: "check the table of counters, its name, the role of the function and the network; or choose `usage.on_outage = \"allow\"`";
    /// The permission cannot be said in a policy without saying too much.
    PolicyInexpressible = "policy_inexpressible" => Forbidden, mend: "send the path in its plain spelling, without doubled slashes, dot segments or needless escapes; if it is plain, separate the templates of the route and of its stricter neighbour";
    /// The policy for this route alone is larger than the gateway takes.
    PolicyTooLarge = "policy_too_large" => Forbidden, mend: "shorten the route templates or the address lists";
    /// The identity token for the backend does not fit into the context.
    IdentityTokenTooLarge = "identity_token_too_large" => Forbidden, mend: "give the caller fewer scopes or roles, ask for a smaller token where there is an exchange, or raise `answers.max_context_bytes`";
    /// No identity token for the backend can be signed.
    IdentityTokenUnavailable = "identity_token_unavailable" => Unavailable, mend: "check `identity_token.signing_key`, the role of the function (`kms:Sign`) and the network";
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
    facts: Option<Box<Context>>,
    identity_token: Option<Box<IdentityToken>>,
}

/// What the gateway may keep of a refusal, for the routes that it lets the caller through to.
#[derive(Clone, Debug)]
struct Kept {
    policy: Policy,
    context: Arc<Context>,
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
            facts: None,
            identity_token: None,
        }
    }

    /// The same refusal with what the gateway may cache: what else the caller may do, and, where the cached policy lets the
    /// caller through, the facts for the backend and the usage-plan key. The policy never lets what was asked pass while
    /// the refusal holds.
    pub fn with_policy(
        self,
        policy: Policy,
        context: Arc<Context>,
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

    /// The same refusal with facts for the caller, and nothing that may be cached beyond `ends_at`.
    pub fn with_facts(self, facts: Context, ends_at: Timestamp) -> Self {
        let told = Self {
            facts: Some(Box::new(facts)),
            ..self
        };
        told.ending_at(ends_at)
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

    /// The same refusal with its context signed for the backend.
    pub(crate) fn with_identity_token(self, token: IdentityToken) -> Self {
        Self {
            identity_token: Some(Box::new(token)),
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

    /// The facts for a backend that a cached [`Denial::policy`] lets the caller through to: who is calling. Without a policy,
    /// those for the caller.
    pub fn context(&self) -> &Context {
        match (&self.kept, &self.facts) {
            (Some(kept), _) => &kept.context,
            (None, Some(facts)) => facts,
            (None, None) => &NOTHING,
        }
    }

    /// [`Denial::context`] signed for the backend, where the configuration wants it.
    pub fn identity_token(&self) -> Option<&IdentityToken> {
        self.identity_token.as_deref()
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

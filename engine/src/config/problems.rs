//! Every kind of fault and warning, with its code for machines and its words for people.
//!
//! Texts of the configuration reach a message only through [`super::values::shown`], and values of settings that may
//! hold a secret never do.

/// Declares kinds, codes and words once.
macro_rules! problems {
    ($($variant:ident $({ $($field:ident: $type:ty),+ })? = $code:literal, $words:literal;)+) => {
        /// What can be wrong with a configuration.
        #[derive(Clone, Debug)]
        pub(crate) enum Problem { $($variant $({ $($field: $type),+ })?,)+ }

        /// The codes of all kinds of faults and warnings.
        pub const CODES: &[&str] = &[$($code,)+];

        impl Problem {
            /// The code of the kind.
            pub(crate) const fn code(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $code,)+ }
            }
        }

        impl std::fmt::Display for Problem {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self { $(Self::$variant $({ $($field),+ })? => write!(f, $words),)+ }
            }
        }
    };
}

problems! {
    // The text.
    TextTooLong { max: usize } = "text_too_long", "the configuration is longer than {max} bytes";
    Syntax { language: &'static str, message: String } = "syntax", "not valid {language}: {message}";
    SettingRepeated = "setting_repeated", "stands there twice; keep one";

    // The shape.
    SettingUnknown { hint: String } = "setting_unknown", "unknown setting{hint}";
    WrongType { expected: String, found: &'static str } = "wrong_type", "must be {expected}, found {found}";
    WrongWord { expected: String, found: String, hint: String } = "wrong_word", "must be {expected}, found `{found}`{hint}";

    // Values of any setting.
    Missing { what: &'static str } = "missing", "is missing: {what}";
    Empty { what: &'static str, otherwise: &'static str } = "empty", "must name at least one {what}, found an empty list{otherwise}";
    OutOfRange { min: u32, max: u32, found: i64 } = "out_of_range", "must be from {min} to {max}, found {found}";
    BelowOther { other: &'static str, min: u32, found: u32 } = "below_other", "must be at least `{other}` ({min}), found {found}";
    AboveOther { other: &'static str, max: u32, found: u32 } = "above_other", "must be at most `{other}` ({max}), found {found}";
    Repeated { value: String } = "repeated", "names `{value}` twice";
    HeaderName { found: String } = "header_name", "must be the name of a header (RFC 9110 section 5.6.2), found `{found}`";
    HeaderTaken { found: String } = "header_taken", "the header `{found}` cannot be used for this";
    ParameterName { found: String } = "parameter_name", "must be letters, digits, `-`, `.`, `_` or `~`, at most 64, found `{found}`";
    ParameterTaken { other: &'static str, found: String } = "parameter_taken", "`{found}` is taken by `{other}`; one parameter cannot carry two kinds of credentials";
    CookieName { found: String } = "cookie_name", "must be the name of a cookie (RFC 6265 section 4.1.1), found `{found}`";

    // Secrets. The value is never shown.
    SecretLiteral = "secret_literal", "must be a reference such as `env:NAME`, `ssm:/name` or `secretsmanager:name`; secrets do not stand in the configuration";
    SecretUnavailable { reason: String } = "secret_unavailable", "the secret cannot be had: {reason}";
    SecretShort { min: usize } = "secret_short", "the secret must be at least {min} bytes long";
    PepperAlone = "pepper_alone", "has no effect without `pepper`";
    PeppersEqual = "peppers_equal", "is the same secret as `pepper`";

    PlanKey = "plan_key", "the value of a usage-plan key is 20 to 128 printable characters without spaces (AWS: API Gateway, quotas)";
    PlanKeyMissing = "plan_key_missing", "is missing, so on an API that requires keys every caller without a key of a usage plan gets 403";
    PenaltyKeyAlone = "penalty_key_alone", "has no effect without `rate_limited = \"penalty_key\"`";

    // Identity tokens.
    SigningKey = "signing_key", "the secret must be a private key in PKCS #8, as PEM or its base64, on P-256 or Ed25519; `openssl genpkey -algorithm ed25519` makes one";
    KmsKey = "kms_key", "the key of KMS must be of the kind ECC_NIST_P256 and for signing";
    PublicKey = "public_key", "must be a public key on `P-256` (`kty`, `crv`, `x`, `y`) or `Ed25519` (`kty`, `crv`, `x`), with the `alg` and `use` that fit, if any";
    IdentityIssuerTaken { found: String } = "identity_issuer_taken", "`{found}` is one of the `issuers`; a token for the backends must never be taken for one that opens the gate";
    IdentityKeyRepeated { value: String } = "identity_key_repeated", "has the name `{value}`, which another key of the set has";

    // API keys.
    KeyWord { max: usize, found: String } = "key_word", "must be 1 to {max} letters and digits, without `_`, found `{found}`";

    // Addresses.
    RangeMalformed { found: String } = "range_malformed", "must be an address or a range such as `203.0.113.0/24`, found `{found}`";
    RangeHostBits { found: String, network: String, address: String } = "range_host_bits", "`{found}` has bits set behind its prefix; did you mean `{network}`, or `{address}` for the one address?";
    RangePrefix { found: String, max: u8 } = "range_prefix", "the prefix length must be from 0 to {max} without leading zeros, found `{found}`";
    RangeZone { found: String } = "range_zone", "`{found}` names a zone, which means nothing to other machines; leave out what follows `%`";
    RangeAnywhere { found: String } = "range_anywhere", "`{found}` means anywhere; leave the list out, or set `addresses.danger_allow_anywhere`";
    RangesAnywhere { found: String } = "ranges_anywhere", "together these ranges hold `{found}`, which means anywhere; leave the list out, or set `addresses.danger_allow_anywhere`";
    ListUnknown { found: String, hint: String } = "list_unknown", "no list `{found}` in `address_lists`{hint}";
    ListName { found: String } = "list_name", "a list must be named by a letter and then letters, digits, `_` or `-`, found `{found}`";
    ListFile { reason: String } = "list_file", "the list cannot be read: {reason}";
    ListLine { file: String, line: usize, problem: String } = "list_line", "{file}:{line}: {problem}";
    ListMore { file: String, more: usize } = "list_more", "{file}: and {more} more faulty lines";
    ProxyRulesBoth = "proxy_rules_both", "cannot stand beside `trusted_proxies`; choose one";
    ForwardedHeaderAlone = "forwarded_header_alone", "has no effect without `trusted_proxies` or `trusted_hops`";

    // Routes.
    NoRoutes = "no_routes", "no route is configured, so that every request would be refused; add a `[[routes]]` table";
    RouteMalformed { found: String } = "route_malformed", "must be a method, one space and a path such as `GET /orders/{{id}}`, or `$connect` or `$graphql`, found `{found}`";
    RouteMethod { found: String, hint: String } = "route_method", "`{found}` is not a method that a route may name; use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY{hint}";
    RouteTemplate { found: String, reason: String } = "route_template", "{reason}, in `{found}`";
    RouteRepeated { first: String } = "route_repeated", "is the same route as {first}";
    RouteConflict { first: String, other: String } = "route_conflict", "matches the same paths as `{other}` of {first} but names its parameters otherwise; name them alike";
    RouteName { found: String } = "route_name", "must be 1 to 64 letters, digits, `_`, `-` or `.`, found `{found}`";
    RouteNameRepeated { found: String, first: String } = "route_name_repeated", "`{found}` is already the name of {first}";
    CredentialUnknown { found: String, hint: String } = "credential_unknown", "must be `jwt`, `opaque`, `api_key`, `certificate`, several joined by `+`, or `anonymous`, found `{found}`{hint}";
    CredentialUnconfigured { found: &'static str, needs: &'static str } = "credential_unconfigured", "`{found}` needs `{needs}`, which is not configured";
    TokensJoined = "tokens_joined", "a request carries one token, so `jwt` and `opaque` cannot be joined by `+`; list them one beside the other";
    AnonymousJoined = "anonymous_joined", "`anonymous` cannot be joined with another credential by `+`";
    ServerUnknown { found: String, hint: String } = "server_unknown", "no server `{found}` in `introspection`{hint}";
    ExchangeUnknown { found: String, hint: String } = "exchange_unknown", "no exchange `{found}` in `exchanges`{hint}";
    IssuerHeaderAlone = "issuer_header_alone", "has no effect without `introspection`: a JWT says itself of which issuer it is";
    IssuerShared { other: String } = "issuer_shared", "is the `issuer` of {other} too, so `tokens.issuer_header` could not choose between them";
    OpaqueAlone = "opaque_alone", "has no effect where `credentials` has no `opaque`";
    ExchangeWithoutToken = "exchange_without_token", "every one of `credentials` needs `jwt` or `opaque` then: there is nothing to exchange for other callers";
    AnonymousDemand = "anonymous_demand", "an anonymous caller cannot meet this; name `jwt`, `opaque`, `api_key` or `certificate` in `credentials`, or leave this out";
    ScopeMalformed { found: String } = "scope_malformed", "must be a scope without spaces, quotes and backslashes (RFC 6749 section 3.3), found `{found}`";
    WordMalformed { found: String } = "word_malformed", "must be 1 to 256 characters without control characters or spaces at the ends, found `{found}`";
    ContextName { found: String } = "context_name", "a context name must be a letter and then letters, digits or `_`, at most 64, found `{found}`";
    ContextTaken { found: String } = "context_taken", "the context name `{found}` is taken by the gateway or by the engine";
    ContextValue = "context_value", "must be printable ASCII (RFC 9110 section 5.5)";
    ContextLarge { max: u32, found: usize } = "context_large", "takes {found} bytes, more than `answers.max_context_bytes` ({max})";

    // Limits.
    LimitName { found: String } = "limit_name", "must be named by a letter and then letters, digits, `_` or `-`, at most 64, found `{found}`";
    LimitCount { max: u64, found: i64 } = "limit_count", "must be from 1 to {max}, found {found}";
    LimitNumber { reason: String } = "limit_number", "{reason}";
    LimitWindowBoth = "limit_window_both", "cannot stand beside `per`; choose one";
    LimitPeriod { found: &'static str, algorithm: &'static str, instead: &'static str } = "limit_period", "`{found}` is not possible for `{algorithm}`; {instead}";
    LimitSetting { needs: &'static str } = "limit_setting", "has a meaning for `{needs}` only";
    LimitLease { max: u64, found: i64 } = "limit_lease", "must be at most {max}, half of what the limit holds, found {found}";
    LimitLeaseSmall { found: i64 } = "limit_lease_small", "must be at least 2, found {found}; leave it out to ask the store each time";
    LimitLeaseLeaky = "limit_lease_leaky", "the slots of a leaky bucket cannot be held; leave it out, or take another algorithm";
    LimitUnknown { found: String, hint: String } = "limit_unknown", "no limit `{found}` in `limits`{hint}";
    LimitCost { max: u64, limit: String, found: u64 } = "limit_cost", "must be at most {max}, which is all that `{limit}` gives at once, found {found}";
    LimitBeforeCredentials = "limit_before_credentials", "a limit before all credentials must be by `address` alone, without `lease` and `max_wait_ms`";
    PlanLease { lease: u64 } = "plan_lease", "must be at least twice the `lease` of the limit ({lease})";
    PlanCost { cost: u64, route: String } = "plan_cost", "gives less at once than `{route}` costs ({cost}), so that no key of the plan could ever use it";
    RedisAddress = "redis_address", "must be an address such as `rediss://cache.example.com:6379`, or `redis://` without TLS";
    RedisCredentials = "redis_credentials", "holds a user or a password; say them in `user` and `password`";
    RedisAlone = "redis_alone", "has no effect without `kind = \"redis\"`";
    FileUnread { file: String, reason: String } = "file_unread", "`{file}` cannot be read: {reason}";

    // Key administration.
    CallerUnaccepted { needs: &'static str } = "caller_unaccepted", "has no effect where `accept` has no `{needs}`";
    PrincipalArn { found: String } = "principal_arn", "must be the ARN of a user or a role of IAM, such as `arn:aws:iam::111122223333:role/support`, found `{found}`";
    PrincipalPath { found: String } = "principal_path", "names a part of a path of roles, which their sessions do not tell; name each role, found `{found}`";

    // Usage.
    UsageOff = "usage_off", "has no effect with `mode = \"off\"`";
    UsageSetting { needs: &'static str } = "usage_setting", "has a meaning for `{needs}` only";

    // Certificates and proofs.
    AuthorityName { found: String } = "authority_name", "must be 1 to 64 letters, digits, `_` or `-`, found `{found}`";
    AuthorityCertificate { reason: String } = "authority_certificate", "the certificate cannot be used: {reason}";
    AuthorityUnknown { found: String, hint: String } = "authority_unknown", "no authority `{found}` in `certificates.authorities`{hint}";
    CrlPlace { found: String } = "crl_place", "must be a file beside the configuration or `s3://bucket/key`, found `{found}`";
    SerialMalformed { found: String } = "serial_malformed", "must be a serial number in hexadecimal digits, with or without `:` between pairs, found `{found}`";
    IdentityMalformed { found: String, reason: &'static str } = "identity_malformed", "{reason}, in `{found}`";
    ProofAlgorithm { found: String } = "proof_algorithm", "must be one of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA, found `{found}`";
    PublicUrl { found: String } = "public_url", "must be an address such as `https://api.example.com/v1` without query and user, found `{found}`";
    SimpleKept { what: &'static str } = "simple_kept", "a simple answer holds for as long as the gateway keeps it, and {what}; use `policy`, or set the time to live to 0 and say so in `policy.gateway_cache`";

    // Warnings.
    CertificatesOfAll = "certificates_of_all", "is missing, so that everybody passes who got a certificate of one of the authorities";
    LocalReplays = "local_replays", "while the store does not answer, a proof can be used once in every sandbox";
    CertificateCached = "certificate_cached", "the gateway may keep an answer that rests on a certificate for other certificates, so it ends after two seconds; put `$context.identity.clientCert.clientCertPem` among the identity sources, or set the time to live to 0, and say which in `policy.gateway_cache`";
    ProofCached = "proof_cached", "a proof is for one request, and the gateway may keep the answer: it ends after two seconds, and the caller is refused from then on; set the time to live to 0 and say so in `policy.gateway_cache`, or put the header `DPoP` among the identity sources";
    BlockListAlone = "block_list_alone", "has no effect without `issuers` or `introspection`, because only tokens are blocked";
    BlockListAllows = "block_list_allows", "a token that is blocked while the list cannot be read works until it can be, or until it expires";
    UsageAlone = "usage_alone", "has no effect without `api_keys`, because usage is counted by key";
    IdentityTokenShort { kept: u64, needed: u64 } = "identity_token_short", "the gateway keeps answers for {kept} seconds, and the token with them; make it at least {needed}, or backends will get tokens that have expired";
    LimitsInMemory = "limits_in_memory", "each sandbox counts for itself, so that a caller may have every limit as often as there are sandboxes";
    TenantsTogether = "tenants_together", "counts tenants of several issuers together where they have one name; `claims.tenant` is for issuers that may name each other's tenants";
    NobodyAllowed = "nobody_allowed", "is empty, so that nobody is allowed; leave it out to allow everybody";
    Anywhere = "anywhere", "lists may allow or trust every address there is";
    QueryCredential = "query_credential", "credentials in query strings end up in logs and histories (RFC 6750 section 5.3)";
    NeverAccepted { kind: &'static str } = "never_accepted", "is configured, but no route accepts `{kind}`";
    ListUnused = "list_unused", "is used nowhere";
    ExchangeUncached = "exchange_uncached", "the answers that carry its token have no condition that ends them on time, so the time to live of the authorizer's cache must be at most `margin_seconds`, or 0";
    SimpleForAll = "simple_for_all", "the gateway applies a cached yes to every route; `$context.routeKey` must be among the identity sources of the authorizer, or its time to live 0";
    AddressCached { source: String } = "address_cached", "no policy can hold the address lists then, so {source} must be among the identity sources of the authorizer, or its time to live 0";
    IdentitySources { rest: String, http: String } = "identity_sources", "credentials, or what says whose they are, may stand in more than one place: each must be among the identity sources of an authorizer that caches (REST: {rest}; HTTP: {http}), and every request must carry them all; otherwise its time to live must be 0";
    KeysHaveNoRoles = "keys_have_no_roles", "API keys carry no roles, so that `api_key` alone never passes here";
    AnonymousNeverPasses = "anonymous_never_passes", "an anonymous caller cannot meet this, so that `anonymous` never passes here";
}

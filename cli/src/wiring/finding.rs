//! What can be found, in one table.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody passes who should not, or nobody does.
    Error,
    /// It works, and not as somebody may think.
    Warning,
    /// It was not looked at, or is worth a thought.
    Note,
}

impl Severity {
    /// The word for it, which is that of SARIF too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something that is wrong at a place in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub rule: Rule,
    /// The line in the template, from 1.
    pub line: usize,
    /// The logical id of the resource.
    pub resource: String,
    /// What was found there.
    pub message: String,
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal, $severity:ident, $short:literal, $mend:literal;)*) => {
        /// A rule. Its id never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Rule {
            /// Every rule, by id.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Such as `DW101`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What is wrong, in a few words.
            pub const fn short(self) -> &'static str {
                match self { $(Self::$name => $short,)* }
            }

            /// What it means.
            pub fn meaning(self) -> String {
                match self { $(Self::$name => [$($doc),+].map(str::trim).join(" "),)* }
            }

            /// What to do.
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$name => $mend,)* }
            }
        }
    };
}

rules! {
    /// The gateway keeps answers, and not under every place where a credential decides: an answer to one caller serves another.
    CacheWithoutCredential = "DW101", Error, "a credential is missing from the cache key",
        "name every place where a credential stands among the identity sources, or set the time to live to 0";
    /// The answer depends on the address of the caller, no condition of a policy can say how, and the gateway keeps it for
    /// callers from elsewhere.
    CacheWithoutAddress = "DW102", Error, "the address is missing from the cache key",
        "add the header with the address (or `context.identity.sourceIp`) to the identity sources, or set the time to live to 0";
    /// `policy.gateway_cache` says what the gateway does with answers, and this authorizer does otherwise, so that what rests on a
    /// certificate or a proof is allowed for longer, and to others.
    CacheUntrue = "DW103", Error, "`policy.gateway_cache` is not true here",
        "make the identity sources and the time to live what `policy.gateway_cache` says, or set it to `unknown`";
    /// Answers that rest on a certificate or a proof of possession are kept, and therefore end after two seconds: for so long they serve
    /// whoever has the rest of the cache key.
    CacheOfProofs = "DW104", Warning, "answers that rest on a certificate or a proof are kept",
        "set the time to live to 0 and `policy.gateway_cache` to `off`; for certificates alone, name the certificate among the identity sources and say `by_certificate`";
    /// A simple answer is one yes for every route, for as long as the gateway keeps it.
    SimpleKept = "DW105", Error, "a simple answer is kept for all routes",
        "use `EnableSimpleResponses: false` with `answers.http_api = \"policy\"`, or add `$context.routeKey` to the identity sources, or set the time to live to 0";
    /// The authorizer answers in another form than the API expects: every call fails.
    AnswerForm = "DW106", Error, "the API expects another form of answer",
        "make `EnableSimpleResponses` and the payload format agree with `answers.http_api`";
    /// An authorizer of the type TOKEN is shown one header and the address of the method. What decides by anything else cannot decide.
    TokenAuthorizer = "DW107", Error, "a TOKEN authorizer does not see what decides",
        "use the type REQUEST";
    /// A key that is revoked works until every kept answer has ended. What key administration promises (`effectiveBy`) is computed from
    /// another time to live than this authorizer has.
    RevocationPromise = "DW108", Error, "the promised delay of a revocation is too short",
        "set `DOORWARD_GATEWAY_TTL_SECONDS` of the functions to the longest time to live of all authorizers";
    /// The gateway hands a kept identity token to the backend after it has expired.
    IdentityTokenShort = "DW109", Error, "identity tokens expire while they are kept",
        "raise `identity_token.lifetime_seconds`, or lower the time to live";
    /// The context of a kept answer goes to every route of the caller, so the policy leaves out routes with another context: they are
    /// refused until the answer ends.
    CachedContext = "DW110", Warning, "routes with different context share a kept answer",
        "put the route among the identity sources, or set the time to live to 0";
    /// What a caller sends in a place that is no identity source is never looked at: the gateway answers 401 to a request that lacks a source.
    PlaceUnreachable = "DW111", Warning, "a place for credentials cannot be used",
        "let callers use the identity sources, or set the time to live to 0 without identity sources";
    /// Without a stated time to live it is what AWS says at the time.
    TtlUnstated = "DW112", Warning, "the time to live is not stated",
        "state `ReauthorizeEvery` (`AuthorizerResultTtlInSeconds`)";
    /// API Gateway takes at most an hour; the stack cannot be made.
    TtlTooLong = "DW113", Error, "the time to live is too long",
        "set it to 3600 seconds at most";

    /// The custom domain demands certificates, and the address that AWS gives every API does not.
    DefaultEndpointOpen = "DW201", Error, "the default endpoint passes by mutual TLS",
        "set `DisableExecuteApiEndpoint: true`";
    /// Routes demand client certificates, and no domain of the template asks for them: such routes refuse everybody.
    NoMutualTls = "DW202", Warning, "no domain asks for client certificates",
        "map the API to a domain with `MutualTlsAuthentication`, unless another template does";

    /// The authorizer lets callers over a limit pass under a key without allowance, and the API does not look at keys: they pass.
    PenaltyKeyPasses = "DW301", Error, "callers over a limit pass",
        "set `ApiKeySourceType: AUTHORIZER` and require a key on every protected route, or choose another `answers.rate_limited`";
    /// A penalty key that is kept outlives the limit.
    PenaltyKeyKept = "DW302", Error, "a penalty key is kept",
        "set the time to live to 0 where `answers.rate_limited` is `penalty_key`";
    /// The status of `ACCESS_DENIED` is one for all: callers who lack a right are told to come back later.
    DeniedAsLimited = "DW303", Warning, "every Deny is answered with 429",
        "leave the status of `ACCESS_DENIED` alone, or set `answers.rate_limited` to `deny`";
    /// The API demands a key of a usage plan that the authorizer names, and the configuration names none: every call is refused.
    KeyUnnamed = "DW304", Error, "the API demands a key that nobody names",
        "set `answers.usage_plan_key`, or do not require keys";

    /// Nobody lets the API invoke the authorizer: every call is answered with 500.
    NoPermission = "DW401", Error, "the API may not invoke the authorizer",
        "add an `AWS::Lambda::Permission` for `apigateway.amazonaws.com` with `SourceArn` of this API's authorizers";
    /// More than this API may invoke the function.
    WidePermission = "DW402", Warning, "the permission names no API",
        "name one API in `SourceArn` (`…:${Api}/authorizers/*`) and the account in `SourceAccount`";

    /// Browsers send no credential with a preflight request: it is refused, and so is every call from a page.
    GuardedPreflight = "DW501", Error, "preflight requests need a credential",
        "set `AddDefaultAuthorizerToCorsPreflight: false`, and no authorizer on OPTIONS";
    /// The authorizer refuses a route that its configuration does not know.
    RouteUnknown = "DW502", Warning, "the configuration has no such route",
        "add the route to the configuration, or take it out of the API";
    /// No API of the template has the route.
    RouteUnserved = "DW503", Note, "no API has the route",
        "add the route to an API, or take it out of the configuration";
    /// The configuration protects a route that the API serves without the authorizer.
    RouteOpen = "DW504", Error, "a protected route has no authorizer",
        "put the authorizer on the route, or let the configuration say `anonymous`";
    /// A route for everything that is left, without the authorizer, leads to the service behind protected routes: any spelling that misses
    /// them reaches it.
    GreedyOpen = "DW505", Error, "a greedy route passes by the authorizer",
        "put the authorizer on the greedy route, or name the routes one by one";
    /// `policy.unlisted_paths` says that no path besides those of the configuration reaches the API, and a greedy route lets all of them in.
    GreedyReachable = "DW506", Error, "`policy.unlisted_paths` is not true here",
        "set `policy.unlisted_paths` to `refuse`, or name the routes one by one";
    /// A route, or the API for all of its routes, names an authorizer that it does not have.
    AuthorizerUndefined = "DW507", Error, "an authorizer is named that is not there",
        "name one of `Auth.Authorizers`, `NONE` or `AWS_IAM`";

    /// The role grants what the authorizer never does. Whoever takes over the function gets it.
    RoleTooWide = "DW601", Warning, "the role grants more than is needed",
        "grant the actions of docs/deploy.md on the tables and no more";
    /// The role grants everything, or on everything.
    RoleBoundless = "DW602", Error, "the role has a wildcard for its actions or resources",
        "name the actions and the tables";
    /// The role does not grant what the configuration needs.
    RoleTooNarrow = "DW603", Error, "the role lacks a right",
        "add the action to the role";
    /// The function is not told where something is that its configuration needs.
    VariableMissing = "DW604", Error, "a variable of the function is missing",
        "add it to the environment of the function; see docs/environment.md";

    /// The table has another form than the functions expect.
    TableForm = "DW701", Error, "a table has another form",
        "give it the keys, indexes and time-to-live attribute of docs/deploy.md";
    /// A lost table is lost.
    TableUnprotected = "DW702", Warning, "a table is not protected",
        "turn on point-in-time recovery and deletion protection for the keys";

    /// Pages of another origin cannot read why they were refused.
    ResponseWithoutCors = "DW801", Warning, "refusals have no CORS headers",
        "add `Access-Control-Allow-Origin` to the gateway responses";

    /// Something in the template is known to AWS only, so it was not looked at.
    Unknown = "DW901", Note, "something was not looked at",
        "give the value with `--parameter`, or look yourself";
}

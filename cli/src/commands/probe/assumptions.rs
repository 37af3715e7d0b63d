//! What Doorward assumes of a stage, in one table: docs/probe.md is made of it.

macro_rules! assumptions {
    ($($name:ident = $id:literal, $assumed:literal, $why:literal, $mend:literal;)*) => {
        /// Something that is assumed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Assumption {
            $(#[doc = $assumed] $name,)*
        }

        impl Assumption {
            /// All, in the order in which they are tried.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its short name, which never changes its meaning.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What is assumed.
            pub const fn assumed(self) -> &'static str {
                match self { $(Self::$name => $assumed,)* }
            }

            /// Why it matters.
            pub const fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)* }
            }

            /// What to do where it differs.
            pub const fn mend(self) -> &'static str {
                match self { $(Self::$name => $mend,)* }
            }
        }
    };
}

assumptions! {
    NoCredential = "no-credential", "without a credential: 401",
        "The gateway itself refuses a request that lacks an identity source, or the authorizer does.",
        "put the authorizer on the route; on a REST API look at the gateway response `UNAUTHORIZED`";
    BadCredential = "bad-credential", "with a changed credential: 401",
        "The error text `Unauthorized` of the function becomes 401, and is not kept.",
        "403 here means that the API treats the error as a Deny: clients must take 403 for 401, or the payload format be changed";
    MalformedCredential = "malformed-credential", "with a malformed Authorization header: 401",
        "What cannot be read is no credential, and never half of one.",
        "200 means that something before the authorizer makes a credential of it; 500, that the API takes the error for a failure";
    ForeignPlace = "foreign-place", "with the credential in a place that is not for it: 401",
        "A credential counts where it is expected and nowhere else.",
        "put the authorizer on the route; look for whatever copies headers before it";
    Allowed = "allowed", "the allowed route is let in",
        "Everything else rests on a credential that works.",
        "`doorward explain` with the event from the log says why it is refused";
    KeptAllow = "kept-allow", "the same again, from the cache or not: let in",
        "A kept answer must say the same as a fresh one.",
        "compare the identity sources and the time to live with `doorward check --template`";
    RefusedAfterAllow = "refused-after-allow", "the refused route is refused after the allowed one was kept",
        "The gateway evaluates a kept policy for each route. A kept yes would let this in.",
        "turn simple responses off, or set the time to live to 0";
    Refused = "refused", "the refused route, asked for first: 403",
        "A fresh Deny is 403, or 429 where the gateway response `ACCESS_DENIED` says so, whatever its body.",
        "a status of 200 means that the route has no authorizer, or that the credential may use it; `no such route`, that the API does not have it";
    RefusedAgain = "refused-again", "the same again, from the cache or not: 403",
        "A Deny that is kept must refuse as a fresh one does.",
        "set the time to live to 0, and tell us";
    AllowedAfterDeny = "allowed-after-deny", "the allowed route is let in after that Deny was kept",
        "A refusal that is kept carries what else the caller may do.",
        "turn simple responses off; else set the time to live to 0, and tell us";
    SourceAddress = "source-address", "a route that is open from elsewhere only is refused after the allowed one was kept",
        "The condition on the source address in a kept policy is evaluated for each request.",
        "make the address an identity source, or set the time to live to 0, and tell us";
    TrailingSlash = "trailing-slash", "the refused route with a slash at the end is refused",
        "IAM sees the path as it was sent, or the gateway knows no such route.",
        "name the route with the slash in the configuration too, or take greedy routes out of the API";
    EncodedLetter = "encoded-letter", "the refused route with an encoded letter is refused",
        "A policy that names a path must hold for its other spellings.",
        "take greedy routes out of the API, or set `policy.unlisted_paths` to `refuse`";
    EncodedSlash = "encoded-slash", "the refused route with an encoded slash is refused",
        "Some backends take it for a slash.",
        "take greedy routes out of the API, or set `policy.unlisted_paths` to `refuse`";
    DoubledSlash = "doubled-slash", "the refused route with a doubled slash is refused",
        "Some backends take both for one path.",
        "take greedy routes out of the API, or set `policy.unlisted_paths` to `refuse`";
    OtherCase = "other-case", "the refused route in upper case is refused",
        "Some backends take it for the same path.",
        "take greedy routes out of the API, or set `policy.unlisted_paths` to `refuse`";
    UnknownPath = "unknown-path", "a path that nobody listed is refused",
        "What matches no route must reach no backend.",
        "take `{proxy+}` and `$default` out of the API, or put the authorizer on them";
    TwoCredentials = "two-credentials", "two Authorization headers are refused",
        "Nobody can say which one counts.",
        "200 means that the gateway keeps one of them before the authorizer sees it: make sure that the backend reads the same one";
    Preflight = "preflight", "a preflight request without a credential is answered",
        "Browsers send none with it.",
        "set `AddDefaultAuthorizerToCorsPreflight: false`; on an HTTP API set `CorsConfiguration`";
    RefusalWithCors = "refusal-with-cors", "401 carries Access-Control-Allow-Origin",
        "Without, a page cannot read why it was refused.",
        "add the header to the gateway responses `UNAUTHORIZED` and `DEFAULT_4XX`";
    Challenge = "challenge", "401 of a REST API carries WWW-Authenticate",
        "The headers of gateway responses reach the caller, and this one says what to send.",
        "add the header to the gateway response `UNAUTHORIZED`, and deploy the stage again";
    NoCertificate = "no-certificate", "without a client certificate: no connection",
        "A domain with mutual TLS lets nobody in who has none.",
        "look at the truststore of the custom domain, and that the address is that of the domain";
    DefaultEndpoint = "default-endpoint", "the default endpoint is closed",
        "What holds at a domain of one's own, such as mutual TLS, does not hold there.",
        "set `DisableExecuteApiEndpoint: true` and deploy the stage again";
    EndsInTime = "ends-in-time", "a kept answer ends with its token",
        "The condition on the time in a kept policy is evaluated for each request.",
        "look at `policy.conditions`; else set the time to live to less than you can bear, and tell us";
    EndsWithTtl = "ends-with-ttl", "a kept answer is dropped after its time to live",
        "Nothing that was revoked lives on for longer.",
        "compare --ttl with the time to live of the authorizer; flush the cache of the stage when a key is revoked";
    OverLimit = "over-limit", "callers over a limit get 429 with Retry-After",
        "Clients wait as long as it says.",
        "choose another `answers.rate_limited`; see docs/rate-limits.md";
}

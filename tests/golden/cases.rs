//! What is asked, with what, and in what state of the gate.

use std::time::Duration;

use doorward_tests::faulty::Fault;
use serde_json::json;

use crate::{
    events::Gateway,
    possession, secrets, servers, tokens,
    world::{Over, Proxies, State},
};

/// One line of questions: every kind of gateway asks it.
pub(crate) struct Case {
    /// The credential in words.
    pub(crate) credential: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) cookies: Vec<(&'static str, String)>,
    /// The certificate that the client shows, where the gateway can tell.
    pub(crate) certificate: Option<String>,
    /// The host name under which the API is reached.
    pub(crate) domain: &'static str,
    /// The name of the route that `$connect` and `$graphql` are like; none is configured for an unknown name.
    pub(crate) route: &'static str,
    pub(crate) path: String,
    pub(crate) state: State,
    /// What asks.
    pub(crate) gateways: &'static [Gateway],
}

impl Case {
    pub(crate) fn new(
        credential: &str,
        headers: &[(&'static str, &str)],
        route: &'static str,
    ) -> Self {
        Self {
            credential: credential.to_owned(),
            headers: owned(headers),
            query: vec![],
            cookies: vec![],
            certificate: None,
            domain: possession::DOMAIN,
            route,
            path: format!("/{route}/42"),
            state: State::Well,
            gateways: &Gateway::ALL,
        }
    }

    pub(crate) fn bearer(credential: &str, value: &str, route: &'static str) -> Self {
        Self::new(
            credential,
            &[("authorization", &format!("Bearer {value}"))],
            route,
        )
    }

    fn at(self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self
        }
    }

    pub(crate) fn in_state(self, state: State) -> Self {
        Self { state, ..self }
    }

    fn query(self, query: &[(&'static str, &str)]) -> Self {
        Self {
            query: owned(query),
            ..self
        }
    }

    fn cookies(self, cookies: &[(&'static str, &str)]) -> Self {
        Self {
            cookies: owned(cookies),
            ..self
        }
    }
}

fn owned(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    let mut all = forms();
    all.extend(
        secrets::bad()
            .iter()
            .map(|key| Case::bearer(key.name, &key.printed, "any")),
    );
    all.extend(
        secrets::restricted()
            .iter()
            .map(|key| Case::bearer(key.name, &key.printed, "any")),
    );
    all.extend(
        tokens::bad()
            .iter()
            .map(|(name, token)| Case::bearer(name, token, "any")),
    );
    all.extend(routes());
    all.extend(paths());
    all.extend(states());
    all.extend(peppers());
    all.extend(proxies());
    all.extend(places());
    all.extend(possession::cases());
    all.extend(opaque());
    all.extend(strangers());
    all
}

/// Where credentials stand, and how.
fn forms() -> Vec<Case> {
    let (key, token) = (secrets::good().printed, tokens::good());
    let (bearer, of_key) = (format!("Bearer {token}"), format!("Bearer {key}"));
    let case = |credential, headers: &[_]| Case::new(credential, headers, "any");
    vec![
        case("none", &[]),
        case("token", &[("authorization", &bearer)]),
        case("key", &[("authorization", &of_key)]),
        case(
            "key as ApiKey",
            &[("authorization", &format!("ApiKey {key}"))],
        ),
        case("key in its header", &[("x-api-key", &key)]),
        case(
            "token in lower case",
            &[("authorization", &format!("bearer  {token}"))],
        ),
        case("Bearer alone", &[("authorization", "Bearer ")]),
        case(
            "Bearer and two words",
            &[("authorization", &format!("Bearer {token} {token}"))],
        ),
        case("Basic", &[("authorization", "Basic dTpw")]),
        case(
            "a secret for a scheme",
            &[("authorization", "hunter2hunter2hunter2 x")],
        ),
        case("opaque token", &[("authorization", "Bearer opaque")]),
        case("encrypted token", &[("authorization", "Bearer a.b.c.d.e")]),
        case(
            "token twice",
            &[("authorization", &bearer), ("authorization", &bearer)],
        ),
        case(
            "key twice",
            &[("authorization", &of_key), ("x-api-key", &key)],
        ),
        case(
            "key and token",
            &[("authorization", &bearer), ("x-api-key", &key)],
        ),
    ]
}

/// What routes want.
fn routes() -> Vec<Case> {
    let (key, globex) = (secrets::good().printed, secrets::globex().printed);
    let token = tokens::good();
    let admin = tokens::with(&[
        ("scope", json!("orders:admin")),
        ("roles", json!(["admin"])),
        ("tenant", json!("globex")),
    ]);
    let mut all = Vec::new();
    for route in [
        "open", "token", "key", "both", "scope", "role", "tenant", "office", "here",
    ] {
        all.push(Case::new("none", &[], route));
        all.push(Case::bearer("token", &token, route));
        all.push(Case::bearer("token of an admin", &admin, route));
        all.push(Case::bearer("key", &key, route));
        all.push(Case::bearer("key of globex", &globex, route));
    }
    let both = |name: &str, token: &str, key: &str| {
        Case::new(
            name,
            &[
                ("authorization", &format!("Bearer {token}")),
                ("x-api-key", key),
            ],
            "both",
        )
    };
    all.push(both("key and token", &token, &key));
    all.push(both("key of acme, token of globex", &admin, &key));
    all
}

/// How paths are written.
fn paths() -> Vec<Case> {
    let token = tokens::good();
    let case = |path: &str| Case::bearer("token", &token, "any").at(path);
    vec![
        case("/any/42/"),
        case("/any//42"),
        case("/any/./42"),
        case("/%61ny/42"),
        case("/any/4%2F2"),
        case("/any/..%5C42"),
        case("/any/42/43"),
        Case::bearer("token", &token, "nowhere"),
        Case::new("none", &[], "nowhere"),
    ]
}

/// What may be wrong with the gate.
fn states() -> Vec<Case> {
    let (key, token) = (secrets::good().printed, tokens::good());
    let states = [
        State::Store(Fault::Down),
        State::Store(Fault::Garbage),
        State::Store(Fault::Wrong),
        State::Store(Fault::Slow(Duration::from_mins(1))),
        State::Blocked(Fault::None),
        State::Blocked(Fault::Down),
        State::Blocked(Fault::Garbage),
        State::StorePanics,
        State::AddressDenied,
        State::NoIssuers,
        State::IdentityTokens,
        State::NoKms,
        State::SmallContexts,
        State::BadConfiguration,
        State::BadEvent,
    ];
    let mut all: Vec<Case> = states
        .into_iter()
        .flat_map(|state| {
            [
                Case::bearer("token", &token, "any").in_state(state),
                Case::bearer("key", &key, "any").in_state(state),
            ]
        })
        .collect();
    let small = |route| Case::bearer("token", &token, route).in_state(State::SmallPolicies);
    all.extend([small("any"), small("crowd"), small("wide")]);
    // A kept refusal lets the caller through to other routes, so it carries a token too; an unknown caller gets none.
    for state in [State::IdentityTokens, State::NoKms] {
        all.push(Case::bearer("token", &token, "scope").in_state(state));
        all.push(Case::new("none", &[], "any").in_state(state));
        all.push(Case::new("none", &[], "open").in_state(state));
    }
    all.extend(limits());
    all
}

/// What limits say.
fn limits() -> Vec<Case> {
    let (key, planned) = (secrets::good().printed, secrets::planned().printed);
    let token = tokens::good();
    let mut all = Vec::new();
    for over in [Over::Deny, Over::PenaltyKey, Over::Backend] {
        let state = State::UsedUp(over);
        all.push(Case::bearer("token", &token, "any").in_state(state));
        all.push(Case::bearer("key", &key, "any").in_state(state));
        all.push(Case::new("none", &[], "open").in_state(state));
        // Whoever may not do it is not let through because of a limit.
        all.push(Case::bearer("token", &token, "scope").in_state(state));
    }
    let denied = State::UsedUp(Over::Deny);
    all.push(Case::bearer("key of an unknown plan", &planned, "any").in_state(denied));
    all.push(Case::bearer("token", &token, "any").in_state(State::AddressUsedUp));
    for fault in [
        Fault::Down,
        Fault::Garbage,
        Fault::Slow(Duration::from_mins(1)),
    ] {
        let state = State::LimitStore(fault);
        all.push(Case::bearer("token", &token, "any").in_state(state));
    }
    for fault in [Fault::None, Fault::Down, Fault::Garbage] {
        let state = State::UsageStore(fault);
        all.push(Case::bearer("key", &key, "any").in_state(state));
        // Only keys are counted, and only what is allowed is counted before the answer.
        all.push(Case::bearer("token", &token, "any").in_state(state));
        all.push(Case::bearer("key", &key, "scope").in_state(state));
    }
    all
}

/// With which pepper a key was made.
fn peppers() -> Vec<Case> {
    let keys = secrets::peppered();
    let made = |state| {
        let case = move |key: &secrets::Sample| {
            Case::bearer(key.name, &key.printed, "any").in_state(state)
        };
        keys.iter().map(case)
    };
    made(State::Peppers).chain(made(State::NewPepper)).collect()
}

/// Whose address counts behind proxies. The peer is always the same; the office is where it is not.
fn proxies() -> Vec<Case> {
    let token = format!("Bearer {}", tokens::good());
    let case = |state, name: &str, lines: &[&str]| {
        let mut headers = vec![("authorization", token.as_str())];
        headers.extend(lines.iter().map(|line| ("x-forwarded-for", *line)));
        Case::new(name, &headers, "office").in_state(state)
    };
    let mut all = vec![
        case(State::Well, "token, claims the office", &["192.0.2.9"]),
        case(
            State::ForwardedDenied,
            "token from the office",
            &["192.0.2.9"],
        ),
    ];
    for key in secrets::restricted() {
        let of_key = format!("Bearer {}", key.printed);
        let headers = [
            ("authorization", of_key.as_str()),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let state = State::Proxies(Proxies::OneHop);
        all.push(Case::new(key.name, &headers, "any").in_state(state));
    }
    for proxies in [
        Proxies::Others,
        Proxies::Peer,
        Proxies::OneHop,
        Proxies::TwoHops,
    ] {
        for (name, lines) in [
            ("token, not forwarded", &[][..]),
            ("token from the office", &["192.0.2.9"]),
            ("token, claims the office", &["192.0.2.9, 203.0.113.9"]),
            ("token, over a second proxy", &["192.0.2.9, 198.51.100.8"]),
            ("token, in two lines", &["203.0.113.9", "192.0.2.9"]),
            ("token, loose address", &["192.0.2.9, 192.0.2.09"]),
        ] {
            all.push(case(State::Proxies(proxies), name, lines));
        }
    }
    all
}

/// Credentials in the query and in cookies, off and on.
fn places() -> Vec<Case> {
    let (key, token) = (secrets::good().printed, tokens::good());
    let other = secrets::globex().printed;
    let bearer = format!("Bearer {token}");
    let none = |name: &str| Case::new(name, &[], "any");
    let in_both = |name: &str| Case::new(name, &[("authorization", &bearer)], "any");
    let all = |state| {
        [
            none("key in the query").query(&[("key", &key)]),
            none("token in the query").query(&[("token", &token)]),
            none("token in a cookie").cookies(&[("session", &token)]),
            none("key in a cookie").cookies(&[("session", &key)]),
            none("token for a key, query").query(&[("key", &token)]),
            none("two keys in the query").query(&[("key", &key), ("key", &other)]),
            none("token in cookie and query")
                .query(&[("token", &token)])
                .cookies(&[("session", &token)]),
            none("two tokens in cookies").cookies(&[("session", &token), ("session", &token)]),
            in_both("token in header and cookie").cookies(&[("session", &token)]),
            in_both("token in header and query").query(&[("token", &token)]),
            in_both("token, empty cookie").cookies(&[("session", "")]),
        ]
        .map(|case| case.in_state(state))
    };
    all(State::Well)
        .into_iter()
        .chain(all(State::QueryAndCookie))
        .collect()
}

/// Opaque tokens, and what backends get in their place.
fn opaque() -> Vec<Case> {
    let (key, token) = (secrets::good().printed, tokens::good());
    let case =
        |name: &str, value: &str, route| Case::bearer(name, value, route).in_state(State::Servers);
    let mut all: Vec<Case> = servers::TOKENS
        .iter()
        .map(|(name, value)| case(name, value, "opaque"))
        .collect();
    all.extend([
        case("opaque token", "active", "any"),
        case("opaque token", "active", "open"),
        case("opaque token", "active", "opaque-admin"),
        case("opaque token, other server", "active", "opaque-elsewhere"),
        case("token", &token, "opaque"),
        case("key", &key, "opaque"),
    ]);
    all.extend(servers::HINTS.iter().map(|(name, issuers, route)| {
        let issuers = issuers.iter().map(|issuer| (servers::HEADER, *issuer));
        let headers: Vec<_> = std::iter::once(("authorization", "Bearer active"))
            .chain(issuers)
            .collect();
        Case::new(name, &headers, route).in_state(State::IssuerHeader)
    }));
    all.push(
        Case::new(
            "token, unknown issuer",
            &[
                ("authorization", &format!("Bearer {token}")),
                (servers::HEADER, "https://unknown.example"),
            ],
            "any",
        )
        .in_state(State::IssuerHeader),
    );
    all.extend(possession::opaque_cases());
    all.extend(
        servers::SWAPS
            .iter()
            .map(|(name, value)| case(name, value, "swap")),
    );
    all
}

/// Events of what is not served.
fn strangers() -> Vec<Case> {
    let (key, token) = (secrets::good().printed, tokens::good());
    let case = |case| Case {
        gateways: &Gateway::STRANGERS,
        ..case
    };
    vec![
        case(Case::bearer("token", &token, "any")),
        case(Case::bearer("key", &key, "any")),
        case(Case::new("none", &[], "open")),
        case(Case::bearer("token", &token, "any").in_state(State::BadConfiguration)),
    ]
}

//! What the configuration needs of the gateway.

use doorward_engine::{
    Config,
    layers::ip_allow::{AddressRules, Forwarding},
    routes::{Kind, Methods, Place, Route, Template},
};

use crate::wiring::model::Source;

/// The header in which keys are found where none is named.
const DEFAULT_HEADER: &str = "x-api-key";

/// What some answers rest on.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// Everywhere a credential may stand in a request.
    pub(super) places: Vec<Source>,
    /// Those of them that the configuration names, beyond what is there for whoever needs it.
    pub(super) named: Vec<Source>,
    /// A route that takes several credentials together, and where they stand.
    pub(super) together: Option<(String, Vec<Source>)>,
    /// What the address of the caller rests on, where something depends on it that no policy says.
    pub(super) address: Option<Source>,
    /// Whether anything depends on the address.
    pub(super) by_address: bool,
    /// Whether a route asks for a certificate.
    pub(super) certificates: bool,
    /// Whether proofs are accepted.
    pub(super) proofs: bool,
}

impl Needs {
    pub(super) fn of(config: &Config) -> Self {
        let takes = |kind: Kind| {
            let mut all = http(config).flat_map(|route| &route.credentials);
            all.any(|kinds| kinds.contains(&kind))
        };
        let mut needs = Self {
            certificates: takes(Kind::Certificate),
            proofs: config.dpop.is_some(),
            ..Self::default()
        };
        let header = |name: &str| Source::Header(name.to_ascii_lowercase());
        let query = |name: &String| Source::Query(name.clone());
        let takes_tokens = takes(Kind::Jwt) || takes(Kind::Opaque);
        let keys = config.api_keys.as_ref().filter(|_| takes(Kind::ApiKey));
        if takes_tokens || keys.is_some() {
            needs.places.push(header("authorization"));
        }
        let mut of_keys = Vec::new();
        if let Some(keys) = keys {
            of_keys.extend(keys.headers.iter().map(|name| header(name)));
            let is_named = keys.headers != [DEFAULT_HEADER];
            needs
                .named
                .extend(of_keys.iter().filter(|_| is_named).cloned());
            let parameter = keys.query_parameter.as_ref().map(query);
            needs.named.extend(parameter.clone());
            needs
                .places
                .extend(of_keys.iter().cloned().chain(parameter));
        }
        if takes_tokens {
            let tokens = &config.tokens;
            let cookie = tokens.cookie.as_ref().map(|_| header("cookie"));
            let others = tokens
                .query_parameter
                .as_ref()
                .map(query)
                .into_iter()
                .chain(cookie);
            let others: Vec<Source> = others.collect();
            needs.named.extend(others.iter().cloned());
            needs.places.extend(others);
        }
        let sent = |kinds: &&Vec<Kind>| {
            kinds
                .iter()
                .filter(|one| **one != Kind::Certificate)
                .count()
                > 1
        };
        needs.together = http(config)
            .find(|route| route.credentials.iter().any(|kinds| sent(&kinds)))
            .map(|route| {
                let all = std::iter::once(header("authorization")).chain(of_keys.clone());
                (route.key.clone(), all.collect())
            });
        needs.addresses(config);
        needs
    }

    fn addresses(&mut self, config: &Config) {
        let of_routes = http(config).filter_map(|route| route.addresses.as_ref());
        let mut rules = std::iter::once(&config.addresses.rules).chain(of_routes);
        let has_rules = !rules.all(AddressRules::is_open);
        self.by_address = has_rules || config.limits.before_credentials.is_some();
        if !has_rules {
            return;
        }
        self.address = match &config.addresses.forwarding {
            Forwarding::Peer if config.policy.conditions => None,
            Forwarding::Peer => Some(Source::Context("identity.sourceIp".to_owned())),
            Forwarding::TrustedRanges { header, .. } | Forwarding::TrustedHops { header, .. } => {
                Some(Source::Header(header.to_ascii_lowercase()))
            }
        };
    }
}

/// The routes of HTTP.
pub(super) fn http(config: &Config) -> impl Iterator<Item = &Route> {
    let routes = config.routes.routes().iter();
    routes.filter(|route| matches!(route.place, Place::Http(..)))
}

/// Method and template of a route of HTTP.
pub(super) fn place(route: &Route) -> Option<(&Methods, &Template)> {
    match &route.place {
        Place::Http(methods, template) => Some((methods, template)),
        Place::Connect | Place::GraphQl => None,
    }
}

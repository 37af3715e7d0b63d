//! What the cache of the gateway does with answers and no answer can prevent: it must be set up for it. Nothing here sees
//! how the gateway is set up, so these are warnings.

use super::{AnswersConfig, HttpApiAnswer, faults::Faults, problems::Problem};
use crate::{
    layers::{
        ip_allow::{AddressRules, AddressesConfig, Forwarding},
        policy::PolicyConfig,
    },
    routes::{Place, Route},
};

/// Warns of settings that are safe only with the right identity sources, or without a cache.
pub(super) fn warn(
    answers: &AnswersConfig,
    addresses: &AddressesConfig,
    policy: &PolicyConfig,
    routes: &[Route],
    faults: &mut Faults,
) {
    let of_http = routes
        .iter()
        .filter(|route| matches!(route.place, Place::Http(..)));
    if answers.http_api == HttpApiAnswer::Simple && of_http.count() > 1 {
        faults.warning("answers.http_api", Problem::SimpleForAll);
    }
    let exchanges = routes
        .iter()
        .enumerate()
        .filter(|(_, route)| route.remote.exchange.is_some());
    if answers.http_api == HttpApiAnswer::Simple || !policy.conditions {
        for (index, _) in exchanges {
            faults.warning(
                format!("routes[{index}].exchange"),
                Problem::ExchangeUncached,
            );
        }
    }
    let of_routes = routes.iter().filter_map(|route| route.addresses.as_ref());
    let mut rules = std::iter::once(&addresses.rules).chain(of_routes);
    if rules.all(AddressRules::is_open) {
        return;
    }
    let header = |name: &str| format!("the header `{name}`");
    match &addresses.forwarding {
        Forwarding::Peer if policy.conditions => {}
        Forwarding::Peer => {
            let source = "the source address".to_owned();
            faults.warning("policy.conditions", Problem::AddressCached { source });
        }
        Forwarding::TrustedRanges { header: name, .. } => {
            let source = header(name);
            faults.warning(
                "addresses.trusted_proxies",
                Problem::AddressCached { source },
            );
        }
        Forwarding::TrustedHops { header: name, .. } => {
            let source = header(name);
            faults.warning("addresses.trusted_hops", Problem::AddressCached { source });
        }
    }
}

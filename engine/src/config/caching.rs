//! What the cache of the gateway does with answers and no answer can prevent: it must be set up for it. Nothing here sees
//! how the gateway is set up, so these are warnings.

use super::{AnswersConfig, HttpApiAnswer, faults::Faults, problems::Problem};
use crate::{
    layers::{
        ip_allow::{AddressRules, AddressesConfig, Forwarding},
        policy::{GatewayCache, PolicyConfig},
    },
    routes::{Place, Route},
};

/// What some answers rest on that no policy can say.
#[derive(Clone, Copy)]
pub(super) struct Rests {
    /// A route asks for a client certificate.
    pub(super) on_certificates: bool,
    /// Proofs of possession are accepted.
    pub(super) on_proofs: bool,
}

/// Refuses simple answers that would let pass what was not looked at: nothing in them ends.
pub(super) fn check(
    answers: &AnswersConfig,
    policy: &PolicyConfig,
    rests: Rests,
    faults: &mut Faults,
) {
    if answers.http_api != HttpApiAnswer::Simple {
        return;
    }
    let path = "answers.http_api";
    match policy.gateway_cache {
        GatewayCache::Unknown | GatewayCache::ByCertificate if rests.on_proofs => {
            let what = "a proof is for one request only";
            faults.problem(path, Problem::SimpleKept { what });
        }
        GatewayCache::Unknown if rests.on_certificates => {
            let what = "it would hold for other certificates";
            faults.problem(path, Problem::SimpleKept { what });
        }
        GatewayCache::Off | GatewayCache::Unknown | GatewayCache::ByCertificate => {}
    }
}

/// Warns of answers that end early because nothing is known of the gateway.
pub(super) fn warn_kept(policy: &PolicyConfig, rests: Rests, faults: &mut Faults) {
    let path = "policy.gateway_cache";
    if rests.on_certificates && policy.gateway_cache == GatewayCache::Unknown {
        faults.warning(path, Problem::CertificateCached);
    }
    if rests.on_proofs && policy.gateway_cache != GatewayCache::Off {
        faults.warning(path, Problem::ProofCached);
    }
}

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

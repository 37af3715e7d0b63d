//! What decided and can be said as a condition, so that a cached answer ends on time and stays at its address.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Condition;
use crate::{
    identity::Authenticated,
    layers::ip_allow::{AddressRules, AddressesConfig, Forwarding},
    routes::Route,
};

/// Lists up to this many ranges stand in a policy; for longer ones the answer is good for the caller's address alone.
const MAX_RANGES: usize = 16;

/// The facts that one decision used and a condition can repeat.
pub(crate) struct Facts<'a> {
    /// Global address rules, and how the address was found.
    pub(crate) addresses: &'a AddressesConfig,
    /// Who is calling.
    pub(crate) caller: &'a Authenticated,
    /// From where.
    pub(crate) address: Option<IpAddr>,
}

impl Facts<'_> {
    /// The condition under which `route` stays allowed.
    pub(crate) fn condition(&self, route: &Route) -> Condition {
        let before = self.caller.valid_until();
        // `aws:SourceIp` is the peer of the gateway. Where the caller was found behind proxies the condition would look at
        // the wrong address, so there is none; the address must then be among the identity sources.
        if !matches!(self.addresses.forwarding, Forwarding::Peer) {
            return Condition {
                before,
                ..Condition::default()
            };
        }
        let of_key = self.of_key().cloned();
        match express(self.rules(route), of_key) {
            Some((addresses, not_addresses)) => Condition {
                before,
                from: None,
                addresses,
                not_addresses,
            },
            // INVARIANT: rules that are too long for a policy are not open, so the address was known and admitted.
            None => Condition {
                before,
                from: None,
                addresses: Some(self.address.map(IpNet::from).into_iter().collect()),
                not_addresses: Vec::new(),
            },
        }
    }

    /// Whether the address of the caller decides on `route`.
    pub(crate) fn by_address(&self, route: &Route) -> bool {
        self.of_key().is_some() || self.rules(route).any(|rules| !rules.is_open())
    }

    fn rules<'r>(&'r self, route: &'r Route) -> impl Iterator<Item = &'r AddressRules> + Clone {
        std::iter::once(&self.addresses.rules).chain(&route.addresses)
    }

    fn of_key(&self) -> Option<&Vec<IpNet>> {
        let client = self.caller.client.as_ref()?;
        client.record.addresses.as_ref()
    }
}

/// The allow lists cut down to what they have in common, and the deny lists together; `None` when that is too long.
fn express<'a>(
    rules: impl Iterator<Item = &'a AddressRules> + Clone,
    of_key: Option<Vec<IpNet>>,
) -> Option<(Option<Vec<IpNet>>, Vec<IpNet>)> {
    let total: usize = rules
        .clone()
        .map(|r| {
            r.deny.len().max(
                r.allow
                    .as_ref()
                    .map_or(0, crate::layers::ip_allow::AddressSet::len),
            )
        })
        .sum();
    if total > MAX_RANGES
        || of_key
            .as_ref()
            .is_some_and(|ranges| ranges.len() > MAX_RANGES)
    {
        return None;
    }
    let lists = rules
        .clone()
        .filter_map(|r| r.allow.as_ref().map(|allow| allow.ranges().collect()))
        .chain(of_key);
    let allow = lists.reduce(|left: Vec<IpNet>, right| common(&left, &right));
    if allow.as_ref().is_some_and(Vec::is_empty) {
        return None;
    }
    let mut deny: Vec<IpNet> = rules
        .flat_map(|r| r.deny.ranges().collect::<Vec<_>>())
        .collect();
    deny.sort_unstable();
    deny.dedup();
    Some((allow, deny))
}

/// Two ranges are nested or apart, so what two lists have in common is the smaller range of each nested pair.
fn common(left: &[IpNet], right: &[IpNet]) -> Vec<IpNet> {
    let pairs = left.iter().flat_map(|l| right.iter().map(move |r| (l, r)));
    let mut ranges: Vec<IpNet> = pairs
        .filter_map(|(l, r)| {
            if l.contains(r) {
                Some(*r)
            } else {
                r.contains(l).then_some(*l)
            }
        })
        .collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn keeps_only_what_lists_have_in_common() {
        let office = nets(&["10.0.0.0/8", "203.0.113.0/24"]);
        let key = nets(&["10.1.0.0/16", "198.51.100.0/24", "203.0.0.0/16"]);
        assert_eq!(
            common(&office, &key),
            nets(&["10.1.0.0/16", "203.0.113.0/24"])
        );
        assert!(common(&office, &nets(&["192.0.2.0/24"])).is_empty());
    }

    fn condition(allow: usize, forwarding: Forwarding) -> Condition {
        let ranges = (0..allow).map(|n| format!("10.{n}.0.0/16").parse().unwrap());
        let rules = AddressRules {
            allow: Some(ranges.collect()),
            ..AddressRules::default()
        };
        let facts = Facts {
            addresses: &AddressesConfig { forwarding, rules },
            caller: &Authenticated {
                client: None,
                subject: None,
            },
            address: Some("10.3.1.2".parse().unwrap()),
        };
        let route = crate::routes::tests::routes(&["GET /x"]).remove(0);
        assert!(facts.by_address(&route));
        facts.condition(&route)
    }

    #[test]
    fn refuses_other_addresses_where_the_list_is_too_long_for_a_policy() {
        let listed = condition(MAX_RANGES, Forwarding::Peer);
        assert_eq!(listed.addresses.unwrap().len(), MAX_RANGES);
        let bound = condition(MAX_RANGES + 1, Forwarding::Peer);
        assert_eq!(bound.addresses, Some(nets(&["10.3.1.2/32"])));
    }

    #[test]
    fn says_nothing_of_the_proxy_in_place_of_the_caller() {
        let hops = Forwarding::TrustedHops {
            header: "x-forwarded-for".to_owned(),
            hops: 1,
        };
        assert_eq!(condition(2, hops), Condition::default());
    }

    #[test]
    fn gives_up_on_long_lists_rather_than_cutting_them() {
        let long: Vec<IpNet> = (0..=16)
            .map(|n| format!("10.{n}.0.0/16").parse().unwrap())
            .collect();
        assert!(express(std::iter::empty(), Some(long)).is_none());
    }
}

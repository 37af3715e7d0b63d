//! The configuration of addresses: as written, and checked.

use serde::Deserialize;

use super::set::{AddressRules, AddressSet};
use crate::config::{
    AddressLists, Faults, Problem, RawRanges,
    values::{self, Limits},
};

/// How the address of the caller is found (RFC 7239 section 8, and the gateway's source address).
#[derive(Clone, Debug, Default)]
pub enum Forwarding {
    /// The address of the peer that reached the gateway. Forwarding headers are not read.
    #[default]
    Peer,
    /// The forwarding header is walked from the right past the proxies in this set; it counts only when the peer is one.
    TrustedRanges {
        /// The header, lower case.
        header: String,
        /// Proxies that are trusted.
        proxies: AddressSet,
    },
    /// The caller is exactly this many hops from the right end of the header (1: the last entry).
    TrustedHops {
        /// The header, lower case.
        header: String,
        /// How many entries from the right.
        hops: usize,
    },
}

/// Global rules, and how the address is found.
#[derive(Clone, Debug, Default)]
pub struct AddressesConfig {
    /// How the address of the caller is found.
    pub forwarding: Forwarding,
    /// Rules for every route.
    pub rules: AddressRules,
}

/// Rules on addresses for every route, and how the address of the caller is found.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawAddresses {
    /// Who may call: addresses, ranges and names of lists. Absent: everybody who is not denied. Empty: nobody.
    allow: Option<RawRanges>,
    /// Who may not call, whatever allows them: addresses, ranges and names of lists.
    deny: Option<RawRanges>,
    /// Proxies before the gateway that are trusted to tell the address of the caller: addresses, ranges and names of
    /// lists. The forwarding header is read from the right past these, and only when the peer is one of them.
    trusted_proxies: Option<RawRanges>,
    /// Which entry of the forwarding header is the caller, counted from the right end, where 1 is the last. API Gateway
    /// adds the address of its peer there itself, so behind one proxy it is 2. In place of `trusted_proxies`, where the
    /// addresses of the proxies are not known.
    #[cfg_attr(feature = "schema", schemars(range(min = HOPS.min, max = HOPS.max)))]
    trusted_hops: Option<i64>,
    /// The header in which trusted proxies tell the address of the caller.
    #[cfg_attr(feature = "schema", schemars(extend("default" = FORWARDED_FOR)))]
    forwarded_header: Option<String>,
    /// Whether lists that allow or trust may hold `0.0.0.0/0` and `::/0`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    danger_allow_anywhere: Option<bool>,
}

/// Rules on addresses for one route.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawRules {
    /// Who may call: addresses, ranges and names of lists. Absent: everybody who is not denied. Empty: nobody.
    allow: Option<RawRanges>,
    /// Who may not call, whatever allows them: addresses, ranges and names of lists.
    deny: Option<RawRanges>,
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const HOPS: Limits = Limits {
    min: 1,
    max: 10,
    default: 1,
};

impl RawAddresses {
    /// Whether lists that allow or trust may hold every address.
    pub(crate) fn allows_anywhere(&self) -> bool {
        self.danger_allow_anywhere.unwrap_or(false)
    }

    /// The checked configuration.
    pub(crate) fn check(self, lists: &mut AddressLists, faults: &mut Faults) -> AddressesConfig {
        if self.allows_anywhere() {
            faults.warning("addresses.danger_allow_anywhere", Problem::Anywhere);
        }
        let path = "addresses.forwarded_header";
        if self.forwarded_header.is_some()
            && self.trusted_proxies.is_none()
            && self.trusted_hops.is_none()
            && !faults.is_replaced("addresses.trusted_proxies")
            && !faults.is_replaced("addresses.trusted_hops")
        {
            faults.problem(path, Problem::ForwardedHeaderAlone);
        }
        let header = match &self.forwarded_header {
            Some(name) => values::header(name, path, faults),
            None => None,
        };
        let header = header.unwrap_or_else(|| FORWARDED_FOR.to_owned());
        if self.trusted_proxies.is_some() && self.trusted_hops.is_some() {
            faults.problem("addresses.trusted_hops", Problem::ProxyRulesBoth);
        }
        let forwarding = match (&self.trusted_proxies, self.trusted_hops) {
            (Some(proxies), _) => Forwarding::TrustedRanges {
                header,
                proxies: trusted(proxies, lists, faults),
            },
            (None, Some(hops)) => Forwarding::TrustedHops {
                header,
                hops: HOPS.check(Some(hops), "addresses.trusted_hops", faults) as usize,
            },
            (None, None) => Forwarding::Peer,
        };
        let rules = RawRules {
            allow: self.allow,
            deny: self.deny,
        };
        AddressesConfig {
            forwarding,
            rules: rules.check("addresses", lists, faults),
        }
    }
}

impl RawRules {
    /// The checked rules that stand at `path`.
    pub(crate) fn check(
        self,
        path: &str,
        lists: &mut AddressLists,
        faults: &mut Faults,
    ) -> AddressRules {
        let of_allow = format!("{path}.allow");
        if self.allow.as_ref().is_some_and(Vec::is_empty) {
            faults.warning(&of_allow, Problem::NobodyAllowed);
        }
        let allow = self.allow.map(|raw| lists.allow(&raw, &of_allow, faults));
        let deny = self.deny.unwrap_or_default();
        AddressRules {
            allow,
            deny: lists.deny(&deny, &format!("{path}.deny"), faults),
        }
    }
}

fn trusted(raw: &RawRanges, lists: &mut AddressLists, faults: &mut Faults) -> AddressSet {
    let path = "addresses.trusted_proxies";
    if raw.is_empty() {
        let otherwise = "; leave it out to trust none";
        faults.problem(
            path,
            Problem::Empty {
                what: "proxy",
                otherwise,
            },
        );
    }
    lists.allow(raw, path, faults)
}

//! The checked configuration of addresses.

use super::set::{AddressRules, AddressSet};

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

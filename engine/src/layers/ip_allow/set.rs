//! Address lists as prefix structures: looking up takes the same time in ten ranges and in ten thousand.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixSet;

/// A set of address ranges. An IPv4-mapped IPv6 address equals the IPv4 address (RFC 4291 section 2.5.5.2).
///
/// Sets that are made of the same named list share it: a list of ten thousand ranges is there once, however many routes
/// name it.
#[derive(Clone, Debug, Default)]
pub struct AddressSet {
    // INVARIANT: no part is empty.
    parts: Vec<Arc<Prefixes>>,
}

#[derive(Debug, Default)]
struct Prefixes {
    v4: PrefixSet<Ipv4Net>,
    v6: PrefixSet<Ipv6Net>,
}

impl Prefixes {
    fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4.get_lpm(&Ipv4Net::from(v4)).is_some(),
            IpAddr::V6(v6) => self.v6.get_lpm(&Ipv6Net::from(v6)).is_some(),
        }
    }

    fn len(&self) -> usize {
        self.v4.len().saturating_add(self.v6.len())
    }

    fn ranges(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.iter().map(IpNet::V4);
        v4.chain(self.v6.iter().map(IpNet::V6))
    }
}

impl AddressSet {
    /// What is in any of `sets`. Nothing is copied.
    pub fn of_all(sets: impl IntoIterator<Item = Self>) -> Self {
        let mut parts: Vec<Arc<Prefixes>> = Vec::new();
        for part in sets.into_iter().flat_map(|set| set.parts) {
            if !parts.iter().any(|known| Arc::ptr_eq(known, &part)) {
                parts.push(part);
            }
        }
        Self { parts }
    }

    /// Whether `address` lies in one of the ranges.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.parts.iter().any(|part| part.contains(address))
    }

    /// How many ranges it holds; one that stands in two of the lists it is made of counts twice.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether it holds no range, so that no address is in it.
    pub const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The ranges, each once, IPv4 first, in order.
    pub fn ranges(&self) -> impl Iterator<Item = IpNet> + '_ {
        let ranges: BTreeSet<IpNet> = self.parts.iter().flat_map(|part| part.ranges()).collect();
        ranges.into_iter()
    }

    /// Whether both are made of the very same lists.
    #[cfg(test)]
    pub(crate) fn shares(&self, other: &Self) -> bool {
        let same = |(one, other): (&Arc<Prefixes>, &Arc<Prefixes>)| Arc::ptr_eq(one, other);
        self.parts.len() == other.parts.len() && self.parts.iter().zip(&other.parts).all(same)
    }
}

impl FromIterator<IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(ranges: I) -> Self {
        let mut set = Prefixes::default();
        for range in ranges {
            // Mapped addresses are looked up as IPv4. `::/0` is every address of IPv6 and none of IPv4, as everywhere.
            if range.prefix_len() > 0 && holds_mapped(&range) {
                set.v4.insert(Ipv4Net::default());
            }
            match mapped(range) {
                IpNet::V4(net) => set.v4.insert(net.trunc()),
                IpNet::V6(net) => set.v6.insert(net.trunc()),
            };
        }
        let parts = (set.len() > 0).then(|| Arc::new(set));
        Self {
            parts: parts.into_iter().collect(),
        }
    }
}

/// Whether a range of IPv6 holds all of `::ffff:0:0/96`: every IPv4 address in its mapped form (RFC 4291 section 2.5.5.2).
pub(crate) fn holds_mapped(range: &IpNet) -> bool {
    matches!(range, IpNet::V6(v6) if v6.prefix_len() <= 96
        && v6.contains(&Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()))
}

/// A range inside `::ffff:0:0/96` as the IPv4 range it means.
fn mapped(range: IpNet) -> IpNet {
    let IpNet::V6(v6) = range else { return range };
    match (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96)) {
        (Some(v4), Some(len)) => Ipv4Net::new(v4, len).map_or(range, IpNet::V4),
        _ => range,
    }
}

/// Who may call from where. A deny beats an allow.
#[derive(Clone, Debug, Default)]
pub struct AddressRules {
    /// Absent: anybody who is not denied. Present but empty: nobody.
    pub allow: Option<AddressSet>,
    /// Never these.
    pub deny: AddressSet,
}

impl AddressRules {
    /// Whether `address` may call.
    pub fn admit(&self, address: IpAddr) -> bool {
        !self.deny.contains(address)
            && self
                .allow
                .as_ref()
                .is_none_or(|allow| allow.contains(address))
    }

    /// Whether the rules look at the address at all.
    pub fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }
}

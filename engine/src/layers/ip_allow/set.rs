//! Address lists as prefix structures: looking up takes the same time in ten ranges and in ten thousand.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixSet;

/// A set of address ranges. An IPv4-mapped IPv6 address equals the IPv4 address (RFC 4291 section 2.5.5.2).
#[derive(Clone, Debug, Default)]
pub struct AddressSet {
    v4: PrefixSet<Ipv4Net>,
    v6: PrefixSet<Ipv6Net>,
}

impl AddressSet {
    /// Whether `address` lies in one of the ranges.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.get_lpm(&Ipv4Net::from(v4)).is_some(),
            IpAddr::V6(v6) => self.v6.get_lpm(&Ipv6Net::from(v6)).is_some(),
        }
    }

    /// How many ranges it holds.
    pub fn len(&self) -> usize {
        self.v4.len().saturating_add(self.v6.len())
    }

    /// Whether it holds no range, so that no address is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ranges, IPv4 first, in order.
    pub fn ranges(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.iter().map(IpNet::V4);
        v4.chain(self.v6.iter().map(IpNet::V6))
    }
}

impl FromIterator<IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(ranges: I) -> Self {
        let mut set = Self::default();
        for range in ranges {
            match mapped(range) {
                IpNet::V4(net) => set.v4.insert(net.trunc()),
                IpNet::V6(net) => set.v6.insert(net.trunc()),
            };
        }
        set
    }
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

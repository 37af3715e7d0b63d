//! Source addresses: where the caller is, and whether that is allowed.
//!
//! 1. By default the caller is the peer that reached the gateway. Forwarding headers are not read.
//! 2. With trusted ranges, the header is walked from the right past trusted proxies, if the peer itself is one; with a
//!    trusted hop count, exactly that entry is taken. An entry that cannot be read there refuses with
//!    [`Reason::AddressUnknown`]; the walk never steps further left.
//! 3. Deny beats allow; a list that is present but empty admits nobody. IPv4-mapped IPv6 equals IPv4.
//! 4. Where a rule applies and the event carries no address (a REST TOKEN event), the request is refused.
//!
//! The global lists refuse with [`Reason::AddressRefused`], the lists of a route with [`Reason::RouteAddressRefused`],
//! those of a key with [`Reason::KeyAddressRefused`].

mod config;
mod forwarded;
mod set;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use crate::{
    denial::{Denial, Reason},
    request::Request,
};

pub use config::{AddressesConfig, Forwarding};
pub(crate) use config::{RawAddresses, RawRules};
pub(crate) use set::holds_mapped;
pub use set::{AddressRules, AddressSet};

/// The proof that the global lists let the caller in, and the address they looked at.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    address: Option<IpAddr>,
}

impl Admitted {
    /// The address of the caller, where it is known.
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// Finds the address of the caller and holds it against the global lists.
pub fn admit(request: &Request, config: &AddressesConfig) -> Result<Admitted, Denial> {
    let address = forwarded::client_address(request, &config.forwarding)?;
    check(&config.rules, address, Reason::AddressRefused)?;
    Ok(Admitted { address })
}

/// The address of the caller, where it can be found.
pub(crate) fn address(request: &Request, config: &AddressesConfig) -> Option<IpAddr> {
    forwarded::client_address(request, &config.forwarding).ok()?
}

/// Holds `address` against `rules`; `refusal` says whose rules they are.
pub fn check(rules: &AddressRules, address: Option<IpAddr>, refusal: Reason) -> Result<(), Denial> {
    if rules.is_open() {
        return Ok(());
    }
    match address {
        None => Err(Denial::new(
            Reason::AddressUnknown,
            "the event carries no source address",
        )),
        Some(address) if rules.admit(address) => Ok(()),
        Some(address) => Err(Denial::new(refusal, format!("`{address}` is not admitted"))),
    }
}

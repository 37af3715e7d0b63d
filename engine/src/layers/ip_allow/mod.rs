//! Source addresses: who is calling from where, and whether that is allowed.
mod config;
mod set;

pub use config::{AddressesConfig, Forwarding};
pub(crate) use config::{RawAddresses, RawRules};
pub use set::{AddressRules, AddressSet};

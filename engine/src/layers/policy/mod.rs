//! Everything a caller may do, as statements that the gateway can cache.

mod build;
mod conditions;
mod config;
mod draft;
mod exceptions;
mod fill;
mod glob;
mod merge;
mod rights;
mod spelling;
#[cfg(test)]
mod tests;

use doorward_keys::Timestamp;
use ipnet::IpNet;

pub use build::{Asked, Scope, build, build_denial};
pub(crate) use config::RawPolicy;
pub use config::{PolicyConfig, UnlistedPaths};

/// Allow or deny; a Deny wins wherever both match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The statement lets matching requests pass.
    Allow,
    /// The statement stops matching requests, whatever else allows them.
    Deny,
}

/// When a statement applies; all parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    /// Before this time (`DateLessThan` on `aws:CurrentTime`).
    pub before: Option<Timestamp>,
    /// From these addresses (`IpAddress` on `aws:SourceIp`).
    pub addresses: Option<Vec<IpNet>>,
    /// Not from these addresses (`NotIpAddress` on `aws:SourceIp`).
    pub not_addresses: Vec<IpNet>,
}

/// One statement. Resources are what follows `{api}/{stage}/` in the ARN, such as `GET/orders/?*`; `*` matches any run of
/// characters, `/` included, and `?` exactly one (AWS: IAM JSON policy elements, Resource).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// What it covers.
    pub resources: Vec<String>,
    /// When it applies.
    pub condition: Condition,
}

/// The statements for one caller. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

impl Policy {
    /// The policy that denies `resource` and allows nothing.
    pub fn deny(resource: String) -> Self {
        Self {
            statements: vec![Statement {
                effect: Effect::Deny,
                resources: vec![resource],
                condition: Condition::default(),
            }],
        }
    }

    /// The statements, Allow before Deny.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

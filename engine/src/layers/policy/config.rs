//! The configuration of policies: as written, and checked.

use serde::Deserialize;

/// Whether paths that no route lists can reach the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlistedPaths {
    /// They can (a greedy proxy resource, a `$default` route): the policy must not let any of them pass.
    Refuse,
    /// They cannot: the gateway has exactly the routes of the configuration.
    Unreachable,
}

/// How policies are written.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// Whether paths that no route lists can reach the policy.
    pub unlisted_paths: UnlistedPaths,
    /// Whether expiry and address lists go into conditions.
    pub conditions: bool,
}

/// How policies are written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawPolicy {
    /// Whether paths that no route lists can reach the gateway.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "refuse")))]
    unlisted_paths: Option<RawUnlistedPaths>,
    /// Whether expiry and address lists go into the conditions of a policy, so that a cached answer ends on time.
    #[cfg_attr(feature = "schema", schemars(extend("default" = true)))]
    conditions: Option<bool>,
}

/// Whether paths that no route lists can reach the gateway.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawUnlistedPaths {
    /// They can, through a greedy proxy resource or a `$default` route: no policy lets any of them pass.
    Refuse,
    /// They cannot: the gateway has exactly the routes of this configuration. Policies are shorter.
    Unreachable,
}

impl RawPolicy {
    /// The checked configuration.
    pub(crate) fn check(self) -> PolicyConfig {
        PolicyConfig {
            unlisted_paths: match self.unlisted_paths {
                None | Some(RawUnlistedPaths::Refuse) => UnlistedPaths::Refuse,
                Some(RawUnlistedPaths::Unreachable) => UnlistedPaths::Unreachable,
            },
            conditions: self.conditions.unwrap_or(true),
        }
    }
}

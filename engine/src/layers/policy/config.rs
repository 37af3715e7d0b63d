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

/// What the gateway does with answers, beyond telling callers apart by their credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayCache {
    /// It may keep them. What rests on a certificate or a proof is allowed for a moment only.
    Unknown,
    /// It keeps them by the client certificate too. What rests on a proof is allowed for a moment only.
    ByCertificate,
    /// It keeps none.
    Off,
}

/// How policies are written.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// Whether paths that no route lists can reach the policy.
    pub unlisted_paths: UnlistedPaths,
    /// Whether expiry and address lists go into conditions.
    pub conditions: bool,
    /// What the gateway does with answers.
    pub gateway_cache: GatewayCache,
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
    /// What the cache of the gateway does with answers that rest on a client certificate or a proof of possession. No policy
    /// can say either, so this must be true of every authorizer that uses this configuration.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "unknown")))]
    gateway_cache: Option<RawGatewayCache>,
}

/// What the cache of the gateway does.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawGatewayCache {
    /// Nothing is known: such an answer is allowed for two seconds at most, and a caller whose answer was kept is refused
    /// from then on, until the gateway forgets it.
    Unknown,
    /// The certificate (`$context.identity.clientCert.clientCertPem`) is among the identity sources: an answer that rests on
    /// one holds until it ends. Answers that rest on a proof are allowed for two seconds at most.
    ByCertificate,
    /// The time to live is 0. Answers that rest on either end as soon all the same.
    Off,
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
            gateway_cache: match self.gateway_cache {
                None | Some(RawGatewayCache::Unknown) => GatewayCache::Unknown,
                Some(RawGatewayCache::ByCertificate) => GatewayCache::ByCertificate,
                Some(RawGatewayCache::Off) => GatewayCache::Off,
            },
        }
    }
}

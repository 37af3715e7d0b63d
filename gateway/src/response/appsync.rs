//! The answer to AppSync (AWS: AppSync, Lambda authorization).

use std::collections::BTreeMap;

use doorward_keys::Timestamp;
use serde::Serialize;

use super::Allowed;

/// The longest that AppSync is told to remember an Allow, in seconds: a revoked key keeps working for as long.
const MAX_TTL_SECONDS: i64 = 300;

/// Yes or no for one token, and how long AppSync may remember it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppSyncAnswer {
    /// Whether the request may pass.
    pub is_authorized: bool,
    /// Flat facts for the resolvers.
    pub resolver_context: BTreeMap<String, String>,
    /// Seconds; 0 means that the answer is not remembered.
    pub ttl_override: i64,
}

impl AppSyncAnswer {
    /// AppSync remembers by the token alone. So nothing is remembered that also depended on another credential, on an address
    /// or on a limit, or that has no end of its own, and nothing for longer than the token for the resolvers lives.
    pub(super) fn allow(
        allowed: Allowed<'_>,
        resolver_context: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Self {
        let of_token = allowed.tokens.signed.map(|signed| signed.expires_at);
        let end = allowed.valid_until;
        let ttl_override = match end.map(|end| of_token.map_or(end, |token| token.min(end))) {
            Some(end) if allowed.by_token_alone && allowed.limit.is_none() => {
                end.since(now).clamp(0, MAX_TTL_SECONDS)
            }
            _ => 0,
        };
        Self {
            is_authorized: true,
            resolver_context,
            ttl_override,
        }
    }

    pub(super) const fn refuse(resolver_context: BTreeMap<String, String>) -> Self {
        Self {
            is_authorized: false,
            resolver_context,
            ttl_override: 0,
        }
    }
}

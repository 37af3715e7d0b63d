//! The answer to AppSync (AWS: AppSync, Lambda authorization).

use doorward_keys::Timestamp;
use serde::Serialize;

use super::{Allowed, context::Facts};

/// The longest that AppSync is told to remember an Allow, in seconds: a revoked key keeps working for as long.
const MAX_TTL_SECONDS: i64 = 300;

/// Yes or no for one token, and how long AppSync may remember it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppSyncAnswer<'a> {
    /// Whether the request may pass.
    is_authorized: bool,
    /// Flat facts for the resolvers.
    resolver_context: Facts<'a>,
    /// Seconds; 0 means that the answer is not remembered.
    ttl_override: i64,
}

impl<'a> AppSyncAnswer<'a> {
    /// AppSync remembers by the token alone. So nothing is remembered that also depended on another credential, on an address
    /// or on a limit, or that has no end of its own, and nothing for longer than the token for the resolvers lives.
    pub(super) fn allow(allowed: Allowed<'a>, resolver_context: Facts<'a>, now: Timestamp) -> Self {
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

    pub(super) const fn refuse(resolver_context: Facts<'a>) -> Self {
        Self {
            is_authorized: false,
            resolver_context,
            ttl_override: 0,
        }
    }
}

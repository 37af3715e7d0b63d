//! Schedule a rotation.

use doorward_keys::{KeyId, RotationState, ScheduledRotation, Timestamp};
use serde::{Deserialize, Serialize};

use super::{check::check_key_ref, fields::Check};
use crate::admin::KeyPolicy;

const SECONDS_OF_DAY: i64 = 86_400;
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;
/// The longest name of a secret (AWS: Secrets Manager API Reference, `CreateSecret`, `Name`).
const MAX_SECRET: usize = 512;

/// Schedule a rotation, in place of one that is scheduled.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduleRotation {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::ID)))]
    pub id: String,
    /// When, in seconds since the epoch. Either this or `inDays`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = 253_402_300_799_i64)))]
    pub at: Option<i64>,
    /// In how many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = super::check::MAX_DAYS)))]
    pub in_days: Option<u32>,
    /// After how many days each successor is rotated in turn; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = super::check::MAX_DAYS)))]
    pub every_days: Option<u32>,
    /// For how long the old key works beside the new one, in seconds: 0 to 2592000 (30 days), 86400 (a day) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("maximum" = crate::KeyPolicy::MAX_OVERLAP_SECONDS)))]
    pub overlap_seconds: Option<u32>,
    /// How long the successor lives, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = super::check::MAX_DAYS)))]
    pub expires_in_days: Option<u32>,
    /// Where the printed successor goes: `secretsmanager:NAME`. Operators only. When absent, the event `KeyRotationDue` goes out, and
    /// whoever hears of it rotates the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::SECRET_PLACE)))]
    pub secret: Option<String>,
    /// The version that the caller has seen; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = super::check::MAX_VERSION)))]
    pub expected_version: Option<u64>,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = super::patterns::REASON)))]
    pub reason: Option<String>,
}

/// What is asked for; the actor is to be filled in.
pub(crate) fn check_schedule(
    asked: &ScheduleRotation,
    policy: &KeyPolicy,
    now: Timestamp,
    check: &mut Check,
) -> Option<ScheduledRotation> {
    let at = match (asked.at, asked.in_days) {
        (Some(at), None) if at < 0 => {
            check.add(
                "at",
                format!("is {at}, expected a time in seconds since 1970"),
            );
            now
        }
        (Some(at), None) => Timestamp::from_unix(at),
        (None, Some(days)) => now.plus(i64::from(days).saturating_mul(SECONDS_OF_DAY)),
        _ => {
            check.add(
                "at",
                "is the time of the rotation; set it, or `inDays`, and not both",
            );
            now
        }
    };
    let max = policy.max_lifetime_days;
    for (field, days) in [
        ("inDays", asked.in_days),
        ("everyDays", asked.every_days),
        ("expiresInDays", asked.expires_in_days),
    ] {
        if let Some(days) = days
            && !(1..=max).contains(&days)
        {
            check.add(field, format!("is {days}, expected 1 to {max}"));
        }
    }
    let lifetime = asked
        .expires_in_days
        .unwrap_or(policy.default_lifetime_days);
    if let Some(every) = asked.every_days
        && every >= lifetime
    {
        let message =
            format!("is {every}, expected less than the {lifetime} days that a successor lives");
        check.add("everyDays", message);
    }
    let overlap = asked.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS);
    let max = policy.limits().max_overlap_seconds;
    if i64::from(overlap) > max {
        check.add(
            "overlapSeconds",
            format!("is {overlap}, expected 0 to {max}"),
        );
    }
    let secret = asked.secret.as_deref().map(|text| {
        let name = text.strip_prefix("secretsmanager:").unwrap_or_default();
        // AWS: Secrets Manager API Reference, CreateSecret: letters, digits and these. An ARN has colons.
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-:".contains(c);
        if !(1..=MAX_SECRET).contains(&name.len()) || !name.chars().all(fits) {
            check.add(
                "secret",
                "must be `secretsmanager:` and the name or the ARN of a secret",
            );
        }
        name.to_owned()
    });
    let reason = asked.reason.as_deref();
    let key_id: Option<KeyId> = check_key_ref(&asked.id, asked.expected_version, reason, check);
    Some(ScheduledRotation {
        key_id: key_id?,
        at,
        every_days: asked.every_days,
        overlap_seconds: overlap,
        expires_in_days: asked.expires_in_days,
        secret,
        actor: String::new(),
        state: RotationState::Waiting,
    })
}

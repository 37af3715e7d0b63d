//! Every fault of a command at once.

use doorward_keys::{Cursor, KeyId, lifecycle::Draft};

use super::{
    CreateKey, RotateKey,
    fields::{Check, MAX_WORD, shown},
};
use crate::{admin::KeyPolicy, error::AdminError};

/// The longest name that a plan of the configuration can have.
pub(super) const MAX_PLAN: usize = 64;
pub(super) const MAX_ROUTES: usize = 100;
pub(super) const MAX_NAME_CHARS: usize = 100;
pub(super) const MAX_REASON_CHARS: usize = 256;
const DEFAULT_LIMIT: u32 = 25;
pub(super) const MAX_LIMIT: u32 = 100;
/// The longest life that a configuration can allow, in days.
#[cfg(feature = "schema")]
pub(super) const MAX_DAYS: u32 = 3650;
/// The highest version that every reader of JSON reads as it is: 2^53 - 1.
pub(super) const MAX_VERSION: u64 = 9_007_199_254_740_991;
const SECONDS_OF_DAY: i64 = 86_400;
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;

/// Runs `check` and answers its value, or every fault it found.
pub(crate) fn checked<T>(check: impl FnOnce(&mut Check) -> Option<T>) -> Result<T, AdminError> {
    let mut faults = Check::default();
    let value = check(&mut faults);
    match value {
        Some(value) if faults.faults.is_empty() => Ok(value),
        _ => Err(AdminError::Invalid(faults.faults)),
    }
}

/// What a new key shall be.
pub(crate) fn check_draft(asked: &CreateKey, policy: &KeyPolicy, check: &mut Check) -> Draft {
    let known = &policy.format.environments;
    if !known.contains(&asked.environment) {
        let known = known.join("`, `");
        let found = shown(&asked.environment);
        check.add(
            "environment",
            format!("is `{found}`, expected one of `{known}`"),
        );
    }
    check.plain("tenant", &asked.tenant, MAX_WORD);
    check.people("name", &asked.name, MAX_NAME_CHARS);
    check.scopes(&asked.scopes);
    if let Some(routes) = &asked.routes {
        check.words("routes", routes, MAX_ROUTES);
    }
    if let Some(key) = &asked.usage_plan_key {
        // The value may be a secret of the gateway, so the message does not show it.
        check.plain("usagePlanKey", key, MAX_WORD);
    }
    if let Some(plan) = &asked.plan {
        check.plain("plan", plan, MAX_PLAN);
    }
    if let Some(key) = &asked.idempotency_key {
        check.plain("idempotencyKey", key, MAX_WORD);
    }
    check.metadata(&asked.metadata);
    Draft {
        tenant: asked.tenant.clone(),
        name: asked.name.clone(),
        environment: asked.environment.clone(),
        scopes: asked.scopes.clone(),
        routes: asked.routes.clone(),
        addresses: asked
            .addresses
            .as_ref()
            .map(|ranges| check.addresses(ranges)),
        usage_plan_key: asked.usage_plan_key.clone(),
        plan: asked.plan.clone(),
        decoy: false,
        metadata: asked.metadata.clone(),
        lifetime_seconds: lifetime(check, asked.expires_in_days, policy),
    }
}

/// Which key, what life and what overlap.
pub(crate) fn check_rotation(
    asked: &RotateKey,
    policy: &KeyPolicy,
    check: &mut Check,
) -> Option<(KeyId, i64, i64)> {
    if let Some(key) = &asked.idempotency_key {
        check.plain("idempotencyKey", key, MAX_WORD);
    }
    let lifetime = lifetime(check, asked.expires_in_days, policy);
    let overlap = i64::from(asked.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS));
    let max = policy.limits().max_overlap_seconds;
    if overlap > max {
        check.add(
            "overlapSeconds",
            format!("is {overlap}, expected 0 to {max}"),
        );
    }
    let id = check_key_ref(
        &asked.id,
        asked.expected_version,
        asked.reason.as_deref(),
        check,
    );
    Some((id?, lifetime, overlap))
}

/// Which key.
pub(crate) fn check_key_ref(
    id: &str,
    expected_version: Option<u64>,
    reason: Option<&str>,
    check: &mut Check,
) -> Option<KeyId> {
    if let Some(version) = expected_version
        && !(1..=MAX_VERSION).contains(&version)
    {
        let message = format!("is {version}, expected 1 to {MAX_VERSION}");
        check.add("expectedVersion", message);
    }
    if let Some(reason) = reason {
        check.people("reason", reason, MAX_REASON_CHARS);
    }
    let key = KeyId::parse(id);
    if key.is_none() {
        let found = shown(id);
        check.add(
            "id",
            format!("is `{found}`, expected `key_` and 26 digits and capitals"),
        );
    }
    key
}

/// How many at most, and behind what.
pub(crate) fn check_list(
    limit: Option<u32>,
    cursor: Option<&str>,
    check: &mut Check,
) -> (usize, Option<Cursor>) {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        check.add("limit", format!("is {limit}, expected 1 to {MAX_LIMIT}"));
    }
    let after = cursor.map(Cursor::parse);
    if matches!(after, Some(None)) {
        check.add(
            "cursor",
            "is not one of ours; hand back the `cursor` of the part before",
        );
    }
    (limit as usize, after.flatten())
}

fn lifetime(check: &mut Check, days: Option<u32>, policy: &KeyPolicy) -> i64 {
    let days = days.unwrap_or(policy.default_lifetime_days);
    let max = policy.max_lifetime_days;
    if !(1..=max).contains(&days) {
        check.add("expiresInDays", format!("is {days}, expected 1 to {max}"));
    }
    i64::from(days).saturating_mul(SECONDS_OF_DAY)
}

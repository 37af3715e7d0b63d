//! Change what a key may do and what is known of it.

use std::collections::BTreeMap;

use doorward_keys::{
    KeyId, Timestamp,
    lifecycle::{Setting, Update},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "schema")]
use super::{check, fields, patterns, span};
use super::{
    check::{MAX_NAME_CHARS, MAX_PLAN, MAX_ROUTES, check_key_ref},
    fields::Check,
};
use crate::admin::KeyPolicy;

const SECONDS_OF_DAY: i64 = 86_400;

/// A member that may be absent, `null`, or a value; the three mean different things (RFC 7396).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// What it names stays.
    #[default]
    Absent,
    /// What it names is taken away.
    Null,
    /// What it names is set.
    To(T),
}

impl<T> Patch<T> {
    const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn into_setting(self) -> Setting<T> {
        match self {
            Self::Absent => Setting::Kept,
            Self::Null => Setting::Removed,
            Self::To(value) => Setting::To(value),
        }
    }

    const fn value(&self) -> Option<&T> {
        match self {
            Self::To(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::To))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// Change a key. What is absent stays; a `null` takes a restriction away.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateKey {
    /// The key.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::ID)))]
    pub id: String,
    /// What people call it: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::NAME)))]
    pub name: Option<String>,
    /// What it may do, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("uniqueItems" = true, "maxItems" = fields::MAX_SCOPES, "items" = {"type": "string", "pattern": patterns::SCOPE})))]
    pub scopes: Option<Vec<String>>,
    /// The names of the routes it may use; `null` means all that its scopes allow, empty means none.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true, "maxItems" = MAX_ROUTES, "items" = {"type": "string", "pattern": patterns::WORD})))]
    pub routes: Patch<Vec<String>>,
    /// Addresses and CIDR ranges from which it may be used; `null` means anywhere, empty means nowhere.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>", extend("maxItems" = fields::MAX_ADDRESSES, "items" = {"type": "string", "format": "ip-range"})))]
    pub addresses: Patch<Vec<String>>,
    /// The name of a plan of the configuration; `null` means the numbers of everybody. Operators only.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("pattern" = patterns::PLAN)))]
    pub plan: Patch<String>,
    /// Facts for the context of the backend, all of them: at most 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("maxProperties" = fields::MAX_METADATA, "propertyNames" = {"pattern": patterns::FACT_NAME}, "additionalProperties" = {"type": "string", "pattern": patterns::FACT})))]
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it stops working, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 0, "maximum" = span::LAST_SECOND)))]
    pub expires_at: Option<i64>,
    /// For how many days from now it works; in place of `expiresAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_DAYS)))]
    pub expires_in_days: Option<u32>,
    /// The version that the caller has seen; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1, "maximum" = check::MAX_VERSION)))]
    pub expected_version: Option<u64>,
    /// Why, for the audit: at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = patterns::REASON)))]
    pub reason: Option<String>,
}

/// Which key and what shall be different.
pub(crate) fn check_update(
    asked: &UpdateKey,
    policy: &KeyPolicy,
    now: Timestamp,
    check: &mut Check,
) -> Option<(KeyId, Update)> {
    if let Some(name) = &asked.name {
        check.people("name", name, MAX_NAME_CHARS);
    }
    if let Some(scopes) = &asked.scopes {
        check.scopes(scopes);
    }
    if let Some(routes) = asked.routes.value() {
        check.words("routes", routes, MAX_ROUTES);
    }
    if let Some(plan) = asked.plan.value() {
        check.plain("plan", plan, MAX_PLAN);
    }
    if let Some(metadata) = &asked.metadata {
        check.metadata(metadata);
    }
    let addresses = match &asked.addresses {
        Patch::Absent => Setting::Kept,
        Patch::Null => Setting::Removed,
        Patch::To(ranges) => Setting::To(check.addresses(ranges)),
    };
    let expires_at = end(asked, policy, now, check);
    let id = check_key_ref(
        &asked.id,
        asked.expected_version,
        asked.reason.as_deref(),
        check,
    )?;
    let update = Update {
        name: asked.name.clone(),
        scopes: asked.scopes.clone(),
        routes: asked.routes.clone().into_setting(),
        addresses,
        plan: asked.plan.clone().into_setting(),
        metadata: asked.metadata.clone(),
        expires_at,
    };
    Some((id, update))
}

fn end(
    asked: &UpdateKey,
    policy: &KeyPolicy,
    now: Timestamp,
    check: &mut Check,
) -> Option<Timestamp> {
    match (asked.expires_at, asked.expires_in_days) {
        (None, None) => None,
        (Some(_), Some(_)) => {
            check.add(
                "expiresInDays",
                "is given beside `expiresAt`; give one of them",
            );
            None
        }
        (Some(at), None) => Some(Timestamp::from_unix(at)),
        (None, Some(days)) => {
            let max = policy.max_lifetime_days;
            if !(1..=max).contains(&days) {
                check.add("expiresInDays", format!("is {days}, expected 1 to {max}"));
            }
            Some(now.plus(i64::from(days).saturating_mul(SECONDS_OF_DAY)))
        }
    }
}

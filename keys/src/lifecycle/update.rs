//! Changing what a key may do and what is known of it.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{Limits, Refusal, counted_up, has_rights};
use crate::{
    record::{KeyRecord, KeyStatus},
    time::Timestamp,
};

/// What becomes of a setting that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// It stays as it is.
    #[default]
    Kept,
    /// It is taken away.
    Removed,
    /// It is set.
    To(T),
}

impl<T> Setting<T> {
    fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Kept => before,
            Self::Removed => None,
            Self::To(value) => Some(value),
        }
    }
}

/// What shall be different; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// What people call it.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// The names of the routes it may use; removed means all that its scopes allow.
    pub routes: Setting<Vec<String>>,
    /// Where it may be used from; removed means anywhere.
    pub addresses: Setting<Vec<IpNet>>,
    /// The plan of the configuration whose numbers its limits have; removed means those of everybody.
    pub plan: Setting<String>,
    /// Facts about the key for the context of the backend, all of them.
    pub metadata: Option<BTreeMap<String, String>>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A changed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The key.
    pub record: KeyRecord,
    /// The names of the attributes that are different now.
    pub fields: Vec<&'static str>,
    /// Whether it may do anything now that it could not do before, or for longer.
    pub widens: bool,
}

/// `record` changed as `update` says.
pub fn update(
    record: &KeyRecord,
    update: Update,
    now: Timestamp,
    limits: Limits,
) -> Result<Updated, Refusal> {
    if record.status == KeyStatus::Revoked {
        return Err(Refusal::Revoked);
    }
    if let Some(end) = update.expires_at {
        check_end(record, end, now, limits)?;
    }
    let next = KeyRecord {
        name: update.name.unwrap_or_else(|| record.name.clone()),
        scopes: update.scopes.unwrap_or_else(|| record.scopes.clone()),
        routes: update.routes.over(record.routes.clone()),
        addresses: update.addresses.over(record.addresses.clone()),
        plan: update.plan.over(record.plan.clone()),
        metadata: update.metadata.unwrap_or_else(|| record.metadata.clone()),
        expires_at: update.expires_at.or(record.expires_at),
        ..counted_up(record, now)
    };
    if next.decoy && has_rights(&next) {
        return Err(Refusal::DecoyRights);
    }
    let fields = fields(record, &next);
    if fields.is_empty() {
        return Err(Refusal::Unchanged);
    }
    Ok(Updated {
        widens: widens(record, &next),
        record: next,
        fields,
    })
}

fn check_end(
    record: &KeyRecord,
    end: Timestamp,
    now: Timestamp,
    limits: Limits,
) -> Result<(), Refusal> {
    if record.expires_at == Some(end) {
        return Ok(());
    }
    if record.expires_at.is_some_and(|before| now >= before) {
        return Err(Refusal::Expired);
    }
    if !(1..=limits.max_lifetime_seconds).contains(&end.since(now)) {
        return Err(Refusal::Lifetime(limits.max_lifetime_seconds));
    }
    let is_later = record.expires_at.is_some_and(|before| end > before);
    if record.rotated_to.is_some() && is_later {
        return Err(Refusal::Ending);
    }
    Ok(())
}

fn fields(old: &KeyRecord, new: &KeyRecord) -> Vec<&'static str> {
    [
        ("name", old.name != new.name),
        ("scopes", old.scopes != new.scopes),
        ("routes", old.routes != new.routes),
        ("addresses", old.addresses != new.addresses),
        ("plan", old.plan != new.plan),
        ("metadata", old.metadata != new.metadata),
        ("expiresAt", old.expires_at != new.expires_at),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// An absent list means no restriction. A plan counts as wider whatever it says, for its numbers are not known here; and so does
/// metadata, which backends are told and may make anything of.
fn widens(old: &KeyRecord, new: &KeyRecord) -> bool {
    let scopes = new.scopes.iter().any(|scope| !old.scopes.contains(scope));
    let routes = match (&old.routes, &new.routes) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new.iter().any(|route| !old.contains(route)),
    };
    let addresses = match (&old.addresses, &new.addresses) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new
            .iter()
            .any(|range| !old.iter().any(|wide| wide.contains(range))),
    };
    let longer = match (old.expires_at, new.expires_at) {
        (Some(old), Some(new)) => new > old,
        (Some(_), None) => true,
        (None, _) => false,
    };
    scopes || routes || addresses || longer || old.plan != new.plan || old.metadata != new.metadata
}

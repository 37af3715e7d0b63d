//! What is known of a key.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::{day::Day, digest::Digest, time::Timestamp};

/// The public name of a key: `key_` and a ULID. Not secret; it stands in logs, context and admin calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The id made from a ULID.
    pub fn from_ulid(ulid: ulid::Ulid) -> Self {
        Self(format!("key_{ulid}"))
    }

    /// A fresh id for a key made at `at`, from 80 bits of `random` (the upper 48 are ignored).
    pub fn new(at: Timestamp, random: u128) -> Self {
        let seconds = u64::try_from(at.unix()).unwrap_or(0);
        Self::from_ulid(ulid::Ulid::from_parts(seconds.saturating_mul(1000), random))
    }

    /// Reads an id; `None` when it is not `key_` and a ULID in canonical upper case.
    pub fn parse(text: &str) -> Option<Self> {
        let ulid = text.strip_prefix("key_")?;
        let parsed = ulid::Ulid::from_string(ulid).ok()?;
        (parsed.to_string() == ulid).then(|| Self(text.to_owned()))
    }

    /// The id as printed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for KeyId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a key works. Expiry is apart: it is a time, not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// The key works.
    Active,
    /// The key is switched off and can be switched on again.
    Disabled,
    /// The key is dead for good.
    Revoked,
}

impl KeyStatus {
    /// The word for it in stores, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }

    /// Reads what [`KeyStatus::as_str`] wrote; `None` for any other word, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled, Self::Revoked]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

impl std::fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One key as stored. The printed key itself is never part of it, and `Debug` shows public facts only.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Digest of the whole printed key.
    pub digest: Digest,
    /// Public id.
    pub id: KeyId,
    /// Owner.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// The environment word in the printed key, such as `live`.
    pub environment: String,
    /// What it may do; none means no access.
    pub scopes: Vec<String>,
    /// The names of the routes it may use; absent means all that its scopes allow, empty means none.
    pub routes: Option<Vec<String>>,
    /// Where it may be used from; absent means anywhere, empty means nowhere.
    pub addresses: Option<Vec<IpNet>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; refused when now is at or after this time.
    pub expires_at: Option<Timestamp>,
    /// Whether it works.
    pub status: KeyStatus,
    /// When it was changed last; of a revoked key, when it was revoked.
    pub changed_at: Timestamp,
    /// The key this one replaces.
    pub rotated_from: Option<KeyId>,
    /// The key that replaces this one.
    pub rotated_to: Option<KeyId>,
    /// When it is to be rotated by itself, for those who look at it; what is to be done then stands in the schedule.
    pub rotates_at: Option<Timestamp>,
    /// The value of a usage-plan key of the gateway, never taken from the caller.
    pub usage_plan_key: Option<String>,
    /// The plan of the configuration whose numbers its limits have; absent means the numbers of everybody.
    pub plan: Option<String>,
    /// Whether it is a decoy: it opens nothing, and whoever presents it has found what they should not have.
    pub decoy: bool,
    /// Facts about the key for the context of the backend.
    pub metadata: BTreeMap<String, String>,
    /// Counts the changes of the record; optimistic concurrency compares it.
    pub version: u64,
}

impl KeyRecord {
    /// Where the record stands in the list of its tenant: by time of creation, then by id.
    pub fn list_position(&self) -> String {
        format!("{:014}#{}", self.created_at.unix(), self.id)
    }

    /// The day on which it expires, and where it stands among the keys of that day: by time of expiry, then by id. `None` for
    /// a key that is revoked or has no end.
    pub fn calendar_position(&self) -> Option<(Day, String)> {
        let end = self.expires_at?;
        (self.status != KeyStatus::Revoked)
            .then(|| (Day::of(end), format!("{:014}#{}", end.unix(), self.id)))
    }
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id.as_str())
            .field("tenant", &self.tenant)
            .field("status", &self.status)
            .field("expires_at", &self.expires_at)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(
    clippy::string_slice,
    reason = "the texts are ASCII, and a test may panic"
)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_another_spelling_are_refused() {
        let id = KeyId::from_ulid(ulid::Ulid::from_parts(1_700_000_000_000, 42));
        assert_eq!(KeyId::parse(id.as_str()), Some(id.clone()));
        let ulid = &id.as_str()["key_".len()..];
        for bad in [
            ulid.to_owned(),
            format!("KEY_{ulid}"),
            format!("key_{}", ulid.to_lowercase()),
            format!("key_{ulid}0"),
            format!("key_{}", &ulid[1..]),
            format!(" key_{ulid}"),
            format!("key_{ulid}#audit"),
            "key_".to_owned(),
            String::new(),
        ] {
            assert_eq!(KeyId::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_status_in_another_spelling_is_refused() {
        assert_eq!(KeyStatus::parse("revoked"), Some(KeyStatus::Revoked));
        for bad in ["", "Active", "ACTIVE", " active", "deleted"] {
            assert_eq!(KeyStatus::parse(bad), None, "{bad}");
        }
    }
}

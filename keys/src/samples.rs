//! What the tests of this crate make keys of.

use crate::lifecycle::{Draft, Limits};

/// A key that lives for a minute, the longest life of [`LIMITS`].
pub(crate) fn draft() -> Draft {
    Draft {
        tenant: "acme".to_owned(),
        name: "partner".to_owned(),
        environment: "live".to_owned(),
        scopes: vec![],
        routes: None,
        addresses: None,
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: std::collections::BTreeMap::new(),
        lifetime_seconds: 60,
    }
}

pub(crate) const LIMITS: Limits = Limits {
    max_lifetime_seconds: 60,
    max_overlap_seconds: 0,
};

//! What the columns of a file mean, and what their values mean here.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use crate::{exit::Failure, input};

/// A mapping as written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Mapping {
    /// Our word for a fact of a key, such as `tenant`, and the column that holds it.
    pub(super) columns: BTreeMap<String, String>,
    /// A value of the column of the tenant, and the tenant that it means.
    pub(super) tenants: BTreeMap<String, String>,
    /// A word in the column of the scopes, and the scopes that it means.
    pub(super) scopes: BTreeMap<String, Vec<String>>,
    /// A word in the column of the plan, and the plan that it means.
    pub(super) plans: BTreeMap<String, String>,
}

/// The facts for which a column can be named.
pub(super) const FACTS: [&str; 15] = [
    "key",
    "hash",
    "digest",
    "tenant",
    "name",
    "environment",
    "scopes",
    "routes",
    "addresses",
    "expires_in_days",
    "expires_at",
    "plan",
    "enabled",
    "disabled",
    "status",
];

impl Mapping {
    /// Reads the mapping in a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = input::read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let faulty =
            |what: &dyn std::fmt::Display| Failure::usage(format!("`{}`: {what}", path.display()));
        let mapping: Self = toml::from_str(&text).map_err(|error| faulty(&error))?;
        match mapping
            .columns
            .keys()
            .find(|fact| !FACTS.contains(&fact.as_str()))
        {
            None => Ok(mapping),
            Some(unknown) => {
                let known = FACTS.join("`, `");
                Err(faulty(&format!(
                    "`columns.{unknown}` is unknown, expected one of `{known}`"
                )))
            }
        }
    }
}

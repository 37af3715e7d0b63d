//! Reading single fields, each fault with its path.

use super::RawPath;
use crate::{
    config::{Faults, values::Limits},
    layers::jwt::{claim_path::ClaimPath, shown::shown},
};

/// Reads fields of the table at `path`.
pub(crate) struct Fields<'f> {
    pub(crate) path: &'f str,
    pub(crate) faults: &'f mut Faults,
}

impl Fields<'_> {
    /// Adds a fault at the field.
    pub(super) fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.add(format!("{}.{field}", self.path), message);
    }

    /// A whole number within its limits.
    pub(super) fn number(&mut self, field: &str, value: Option<i64>, limits: Limits) -> i64 {
        let place = format!("{}.{field}", self.path);
        limits.check(value, &place, self.faults).into()
    }

    /// Texts, none of them empty or repeated; an empty list is a fault, an absent one is not.
    pub(super) fn texts(&mut self, field: &str, values: Option<Vec<String>>) -> Vec<String> {
        let Some(values) = values else {
            return Vec::new();
        };
        if values.is_empty() {
            self.fault(
                field,
                "an empty list accepts nothing; name at least one value",
            );
        }
        for (index, value) in values.iter().enumerate() {
            let place = format!("{field}[{index}]");
            if value.trim() != value || value.is_empty() {
                let message = format!(
                    "{} is empty or has spaces around it; values are compared exactly",
                    shown(value)
                );
                self.fault(&place, message);
            } else if values.iter().take(index).any(|earlier| earlier == value) {
                self.fault(&place, format!("{} is listed twice", shown(value)));
            }
        }
        values
    }

    /// A claim path.
    pub(super) fn claim(&mut self, field: &str, value: Option<RawPath>) -> Option<ClaimPath> {
        let parsed = match value? {
            RawPath::Text(text) => {
                ClaimPath::parse(&text).map_err(|why| format!("{}: {why}", shown(&text)))
            }
            RawPath::Names(names) => ClaimPath::from_names(names).map_err(str::to_owned),
        };
        match parsed {
            Ok(path) => Some(path),
            Err(why) => {
                self.fault(
                    field,
                    format!(
                        "{why}; write a claim path such as `realm_access.roles`, or a list of names"
                    ),
                );
                None
            }
        }
    }
}

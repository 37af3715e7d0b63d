//! Resources: `*`, or an ARN of six parts.

use super::{Malformed, glob};

/// A `Resource` value, checked.
#[derive(Debug)]
pub(super) enum Pattern {
    /// `*` alone.
    Anything,
    /// The six parts of an ARN; a wildcard stays within its part.
    Arn([String; 6]),
}

impl Pattern {
    pub(super) fn read(text: &str, place: &str) -> Result<Self, Malformed> {
        if text == "*" {
            return Ok(Self::Anything);
        }
        let parts = split(text)
            .filter(|parts| parts[0] == "arn")
            .ok_or_else(|| {
                Malformed::new(
                    place,
                    format!("`{text}` is neither `*` nor an ARN of six parts"),
                )
            })?;
        Ok(Self::Arn(parts.map(str::to_owned)))
    }

    pub(super) fn covers(&self, resource: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Arn(patterns) => split(resource).is_some_and(|parts| {
                patterns
                    .iter()
                    .zip(parts)
                    .all(|(pattern, part)| glob::matches(pattern, part))
            }),
        }
    }
}

/// The six parts; the last holds whatever colons remain.
fn split(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let mut six = [""; 6];
    for slot in &mut six {
        *slot = parts.next()?;
    }
    Some(six)
}

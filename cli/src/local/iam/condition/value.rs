//! The values of conditions: read once, then compared with what the request carries.

use std::net::IpAddr;

use doorward_keys::Timestamp;
use ipnet::IpNet;
use serde_json::Value;
use time::{
    Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339,
    macros::format_description,
};

use super::{
    super::{document::no_variables, glob},
    Malformed,
    operator::{Base, Comparison},
};

/// One value of the policy and how it is compared.
#[derive(Debug)]
pub(super) enum Test {
    Exact(String),
    IgnoreCase(String),
    Like(String),
    Number(Comparison, f64),
    Date(Comparison, OffsetDateTime),
    Bool(bool),
    Address(IpNet),
    Null(bool),
}

impl Test {
    pub(super) fn read(base: Base, value: &Value, place: &str) -> Result<Self, Malformed> {
        // IAM takes numbers and booleans bare or as texts (*Grammar of the IAM JSON policy language*).
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(Malformed::new(place, "neither text, number nor boolean")),
        };
        no_variables(&text, place)?;
        let bad = |what: &str| Malformed::new(place, format!("`{text}` is not {what}"));
        Ok(match base {
            Base::String { like: true, .. } => Self::Like(text),
            Base::String {
                ignore_case: true, ..
            } => Self::IgnoreCase(text.to_lowercase()),
            Base::String { .. } => Self::Exact(text),
            Base::Number(comparison) => {
                Self::Number(comparison, number(&text).ok_or_else(|| bad("a number"))?)
            }
            Base::Date(comparison) => Self::Date(
                comparison,
                date(&text).ok_or_else(|| bad("a date of ISO 8601 or the epoch"))?,
            ),
            Base::Bool => Self::Bool(boolean(&text).ok_or_else(|| bad("`true` or `false`"))?),
            Base::Null => Self::Null(boolean(&text).ok_or_else(|| bad("`true` or `false`"))?),
            Base::Address => {
                Self::Address(range(&text).ok_or_else(|| bad("an address or a range"))?)
            }
        })
    }

    /// Whether the value `found` in the request is what the policy names. A value that cannot be read as the type matches
    /// nothing.
    pub(super) fn matches(&self, found: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == found,
            Self::IgnoreCase(wanted) => *wanted == found.to_lowercase(),
            Self::Like(pattern) => glob::matches(pattern, found),
            Self::Number(comparison, wanted) => number(found)
                .and_then(|found| found.partial_cmp(wanted))
                .is_some_and(|ordering| comparison.holds(ordering)),
            Self::Date(comparison, wanted) => {
                date(found).is_some_and(|found| comparison.holds(found.cmp(wanted)))
            }
            Self::Bool(wanted) => boolean(found) == Some(*wanted),
            Self::Address(wanted) => found
                .parse()
                .is_ok_and(|found: IpAddr| wanted.contains(&found)),
            Self::Null(_) => false,
        }
    }

    /// Whether this is the test of `Null` that holds for a key that is missing, or present.
    pub(super) fn is_null_test_for(&self, missing: bool) -> bool {
        matches!(self, Self::Null(wanted) if *wanted == missing)
    }
}

/// `aws:CurrentTime`; `None` for times that no calendar holds.
pub(super) fn iso_8601(now: Timestamp) -> Option<String> {
    let now = OffsetDateTime::from_unix_timestamp(now.unix()).ok()?;
    now.format(&Rfc3339).ok()
}

/// A finite decimal number.
fn number(text: &str) -> Option<f64> {
    let decimal = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    text.chars()
        .all(decimal)
        .then(|| text.parse::<f64>().ok())?
        .filter(|number| number.is_finite())
}

/// Epoch seconds, `YYYY-MM-DD`, or date and time with a zone, seconds or none (W3C, *Date and Time Formats*).
fn date(text: &str) -> Option<OffsetDateTime> {
    if let Ok(seconds) = text.parse::<i64>() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    if let Ok(date) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Some(date.midnight().assume_offset(UtcOffset::UTC));
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&with_seconds(text), &Rfc3339))
        .ok()
}

/// `YYYY-MM-DDThh:mm` and a zone, with the seconds put in.
fn with_seconds(text: &str) -> String {
    let minutes: String = text.chars().take(16).collect();
    let zone: String = text.chars().skip(16).collect();
    format!("{minutes}:00{zone}")
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A range, or one address as the range of itself (*IP address condition operators*).
fn range(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

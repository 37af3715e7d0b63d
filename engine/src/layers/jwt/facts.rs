//! Reading claims. A claim is absent, or it has the right type, or the token is refused: a wrong type never counts as
//! absent (RFC 7519 section 4.1).

use std::fmt;

use doorward_keys::Timestamp;

use super::{
    claim_path::ClaimPath,
    config::{RawScalar, WordsFormat},
    json::{Object, Value},
    shown::shown,
};
use crate::{
    denial::{Denial, Reason},
    identity::Words,
};

/// The last second of the year 9999. Later times are mistakes, such as milliseconds in place of seconds.
const LATEST: i64 = 253_402_300_799;

/// The claims of a token.
#[derive(Clone, Copy)]
pub(super) struct Claims<'o, 't>(pub(super) &'o Object<'t>);

impl<'o> Claims<'o, '_> {
    /// A claim that is text.
    pub(super) fn text(self, name: &str) -> Result<Option<&'o str>, Denial> {
        text(&name, self.0.get(name))
    }

    /// A claim that must be there, be text and not be empty.
    pub(super) fn required_text(self, name: &str) -> Result<&'o str, Denial> {
        self.text(name)?
            .ok_or_else(|| claim_denial(format!("`{name}` is missing")))
    }

    /// A claim at a path that is text.
    pub(super) fn text_at(self, path: &ClaimPath) -> Result<Option<&'o str>, Denial> {
        text(path, path.find(self.0))
    }

    /// A claim that is a time (RFC 7519 section 2, `NumericDate`); fractions are cut off.
    pub(super) fn time(self, name: &str) -> Result<Option<Timestamp>, Denial> {
        let number = match self.0.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number,
            Some(other) => {
                return Err(claim_denial(format!(
                    "`{name}` is {}, not a number",
                    other.kind()
                )));
            }
        };
        match whole_seconds(number) {
            Some(seconds) if (0..=LATEST).contains(&seconds) => {
                Ok(Some(Timestamp::from_unix(seconds)))
            }
            _ => Err(claim_denial(format!(
                "`{name}` is {}, not a time in seconds since 1970",
                shown(&number.to_string())
            ))),
        }
    }

    /// `aud`: text or a list of texts (RFC 7519 section 4.1.3).
    pub(super) fn audiences(self) -> Result<Vec<&'o str>, Denial> {
        match self.0.get("aud") {
            None => Ok(Vec::new()),
            Some(Value::Text(one)) => Ok(vec![one]),
            Some(Value::List(several)) => {
                several.iter().map(|value| text_in("aud", value)).collect()
            }
            Some(other) => Err(claim_denial(format!(
                "`aud` is {}, not text or a list of texts",
                other.kind()
            ))),
        }
    }

    /// The words of a claim in its one configured form; an absent claim has none.
    pub(super) fn words(self, claim: Option<&(ClaimPath, WordsFormat)>) -> Result<Words, Denial> {
        let Some((path, format)) = claim else {
            return Ok(Words::default());
        };
        let printable = |text: &'o str| {
            if has_control(text) {
                return Err(claim_denial(format!("`{path}` has control characters")));
            }
            Ok(text)
        };
        match (format, path.find(self.0)) {
            (_, None) => Ok(Words::default()),
            (WordsFormat::Text, Some(Value::Text(text))) => {
                Ok(printable(text)?.split(' ').collect())
            }
            (WordsFormat::List, Some(Value::List(list))) => list
                .iter()
                .map(|value| printable(text_in(path.last(), value)?))
                .collect(),
            (format, Some(other)) => {
                let expected = match format {
                    WordsFormat::Text => "text",
                    WordsFormat::List => "a list",
                };
                Err(claim_denial(format!(
                    "`{path}` is {}, not {expected}",
                    other.kind()
                )))
            }
        }
    }

    /// Whether the claim has one of the values, or is a list and one element has.
    pub(super) fn has_one_of(self, path: &ClaimPath, accepted: &[RawScalar]) -> bool {
        let is_accepted = |value: &Value<'_>| accepted.iter().any(|one| is_equal(value, one));
        match path.find(self.0) {
            Some(Value::List(list)) => list.iter().any(is_accepted),
            Some(value) => is_accepted(value),
            None => false,
        }
    }

    /// A flat claim as text for the backend; anything else is left out.
    pub(super) fn flat(self, path: &ClaimPath) -> Option<String> {
        match path.find(self.0)? {
            Value::Text(text) => Some(text.clone().into_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }
}

/// The refusal of a claim.
pub(super) fn claim_denial(detail: impl Into<String>) -> Denial {
    Denial::new(Reason::TokenClaim, detail)
}

/// Text that names somebody or something: not empty, no control characters, which nobody's name has and which would
/// travel on into headers and logs.
fn text<'o>(
    name: &dyn fmt::Display,
    value: Option<&'o Value<'_>>,
) -> Result<Option<&'o str>, Denial> {
    match value {
        None => Ok(None),
        Some(Value::Text(text)) if text.is_empty() || has_control(text) => Err(claim_denial(
            format!("`{name}` is empty or has control characters"),
        )),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(other) => Err(claim_denial(format!(
            "`{name}` is {}, not text",
            other.kind()
        ))),
    }
}

/// Whether it has control characters. Most texts are of ASCII, and told by their bytes.
fn has_control(text: &str) -> bool {
    let is_printable = |byte: u8| matches!(byte, b' '..=b'~');
    !text.bytes().all(is_printable) && text.chars().any(char::is_control)
}

/// An element of a list that must be text.
fn text_in<'o>(name: &str, value: &'o Value<'_>) -> Result<&'o str, Denial> {
    value
        .as_text()
        .ok_or_else(|| claim_denial(format!("`{name}` holds {}, not only text", value.kind())))
}

fn is_equal(value: &Value<'_>, accepted: &RawScalar) -> bool {
    match (value, accepted) {
        (Value::Bool(value), RawScalar::Bool(accepted)) => value == accepted,
        (Value::Number(value), RawScalar::Number(accepted)) => value.as_i64() == Some(*accepted),
        (Value::Text(value), RawScalar::Text(accepted)) => value == accepted,
        _ => false,
    }
}

/// The whole seconds of a time, which may have a fraction (RFC 7519 section 2).
pub(crate) fn whole_seconds(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().map(whole))
}

/// The whole seconds of a time with a fraction. What does not fit saturates, far outside of the range that is accepted.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion saturates, and the range is checked after it"
)]
fn whole(seconds: f64) -> i64 {
    seconds.floor() as i64
}

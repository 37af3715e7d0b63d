//! A report of GitHub: keys that its secret scanning found, and the answer that says which of them are real
//! (<https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program#create-a-secret-alert-service>).

use std::fmt::Write as _;

use doorward_keys::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::response::Found;
use crate::{error::AdminError, strict_json::Strict};

/// The longest report, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// The most tokens of one report.
const MAX_FINDINGS: usize = 2000;
/// The longest text about a token, in characters.
const MAX_TEXT: usize = 1024;

/// One token that was found.
pub(crate) struct Finding {
    pub(crate) token: Secret<String>,
    /// The name of the pattern, as GitHub was told it.
    pub(crate) kind: String,
    /// Where it was found; may be empty.
    pub(crate) url: String,
    /// In what it was found, such as `commit`.
    pub(crate) place: String,
}

/// As it is written. Members that GitHub may add are let be.
#[derive(Deserialize)]
struct Raw {
    token: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// The tokens of a report. What is wrong with one is said without quoting it.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Finding>, AdminError> {
    let wrong = |message: &str| AdminError::invalid("", message);
    let read: Strict = serde_json::from_slice(body).map_err(|_| wrong("the body is not JSON"))?;
    if read.is_ambiguous {
        return Err(wrong("an object names the same member twice"));
    }
    let raw: Vec<Raw> = serde_json::from_value(read.value)
        .map_err(|_| wrong("the body is not a list of objects with `token`, `type` and `url`"))?;
    if raw.len() > MAX_FINDINGS {
        return Err(wrong(
            "the list is longer than 2000 tokens; send less at once",
        ));
    }
    Ok(raw
        .into_iter()
        .map(|raw| Finding {
            token: Secret::new(raw.token),
            kind: cleaned(&raw.kind),
            url: cleaned(&raw.url.unwrap_or_default()),
            place: cleaned(&raw.source.unwrap_or_default()),
        })
        .collect())
}

/// What GitHub is told of a token: whether it is real, by its digest. Nothing where it is of another environment, of which
/// nothing is known here.
pub(crate) fn feedback(finding: &Finding, found: &Found) -> Option<Value> {
    let label = match found {
        Found::Key(_) => "true_positive",
        Found::Nothing => "false_positive",
        Found::Elsewhere => return None,
    };
    Some(json!({
        "token_hash": hex(&Sha256::digest(finding.token.expose().as_bytes())),
        "token_type": finding.kind,
        "label": label,
    }))
}

/// A short name for a text of any length.
pub(crate) fn name_of(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// One bounded line.
fn cleaned(text: &str) -> String {
    let plain = text.chars().filter(|character| !character.is_control());
    let bounded: String = plain.take(MAX_TEXT).collect();
    bounded.trim().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! The first use of a decoy, from the lines of the authorizer's log.
//!
//! ```json
//! {"level":"WARN","event":"decision","decision":"deny","reason":"decoy_key","keyId":"key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N",
//!  "address":"203.0.113.7","route":"GET /orders/{id}","requestId":"…"}
//! ```
//!
//! A decision with the reason `decoy_key` is such a line, and nothing else is. What stands in it was written as JSON by the
//! authorizer, so a client cannot end a text and begin another. Whether the key is a decoy is asked of the store all the same.

use std::{collections::BTreeMap, net::IpAddr};

use doorward_engine::Reason;
use doorward_keys::{EventKind, KeyId, Timestamp};
use serde_json::Value;

use super::Notice;
use crate::{
    access_log::{Batch, LogEvent},
    admin::KeyAdmin,
    entropy::Entropy,
    error::AdminError,
    strict_json::Strict,
};

/// The longest line that may be ours, in bytes. A decision says what each layer did and each limit left.
const MAX_LINE: usize = 64 * 1024;
/// The longest text that is taken from a line, in characters.
const MAX_TEXT: usize = 256;
/// Under which name the notice is remembered.
const ONCE: &str = "decoy-used";

/// A use of a decoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoyUse {
    /// The decoy.
    pub key: KeyId,
    /// When it was presented.
    pub at: Timestamp,
    /// Where from.
    pub address: Option<IpAddr>,
    /// For which route of the configuration.
    pub route: Option<String>,
    /// The name of the request in the log of the authorizer.
    pub request_id: Option<String>,
}

impl DecoyUse {
    /// The pattern of a subscription filter that lets such lines through, and no others
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).
    pub const FILTER: &str = r#"{ ($.event = "decision") && ($.reason = "decoy_key") }"#;

    /// The use that the line of `event` tells of, if it tells of one.
    pub fn read(event: &LogEvent) -> Option<Self> {
        let text = event.message.trim_end_matches(['\n', '\r']);
        // A look at the text first: most lines that come here are of another kind.
        if text.len() > MAX_LINE || !text.contains(Reason::DecoyKey.as_str()) {
            return None;
        }
        let Ok(Strict {
            value,
            is_ambiguous: false,
        }) = serde_json::from_str(text)
        else {
            return None;
        };
        let member = |name: &str| value.get(name).and_then(Value::as_str);
        let is_ours = member("event") == Some("decision")
            && member("reason") == Some(Reason::DecoyKey.as_str())
            && value.get("doorward").is_none();
        if !is_ours {
            return None;
        }
        let text = |name: &str| {
            let text: String = member(name)?.chars().take(MAX_TEXT).collect();
            Some(text).filter(|text| !text.is_empty())
        };
        Some(Self {
            key: KeyId::parse(member("keyId")?)?,
            at: Timestamp::from_unix(event.timestamp.div_euclid(1000)),
            address: member("address").and_then(|address| address.parse().ok()),
            route: text("route"),
            request_id: text("requestId"),
        })
    }

    /// Takes the uses of decoys out of `batch`: how many lines there were, and of each decoy the first use.
    pub(crate) fn taken_from(batch: &mut Batch) -> (usize, Vec<Self>) {
        let mut lines = 0;
        let mut first: BTreeMap<KeyId, Self> = BTreeMap::new();
        batch.events.retain(|event| {
            let Some(seen) = Self::read(event) else {
                return true;
            };
            lines += 1;
            match first.get(&seen.key) {
                Some(before) if before.at <= seen.at => {}
                _ => {
                    first.insert(seen.key.clone(), seen);
                }
            }
            false
        });
        (lines, first.into_values().collect())
    }
}

impl KeyAdmin {
    /// Tells the owner of the decoy of its first use; says whether this was it.
    ///
    /// # Errors
    /// When the store fails, or there is no place for events.
    pub async fn decoy_used(
        &self,
        seen: &DecoyUse,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<bool, AdminError> {
        let found = self.ledger().fetch(&seen.key).await?;
        let Some(record) = found.filter(|record| record.decoy) else {
            return Ok(false);
        };
        let details = [
            ("address", seen.address.map(|address| address.to_string())),
            ("route", seen.route.clone()),
            ("requestId", seen.request_id.clone()),
        ];
        let notice = Notice {
            kind: EventKind::DecoyKeyUsed,
            record: &record,
            // A clock that goes fast must not put the notice behind what comes later.
            at: seen.at.min(now),
            once: ONCE,
            actor: None,
            details: details
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        };
        self.tell(notice, entropy).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "key_01ARZ3NDEKTSV4RRFFQ69G5FAV";

    fn event(line: &Value) -> LogEvent {
        LogEvent {
            id: "1".to_owned(),
            timestamp: 1_795_428_000_123,
            message: line.to_string(),
        }
    }

    fn line() -> Value {
        serde_json::json!({
            "level": "WARN", "event": "decision", "decision": "deny", "reason": "decoy_key", "keyId": ID,
            "address": "203.0.113.7", "requestId": "r", "layers": [{"layer": "api_key", "outcome": "decoy_key", "us": 3}],
        })
    }

    #[test]
    fn a_refused_decoy_is_read_with_time_and_address() {
        let seen = DecoyUse::read(&event(&line())).unwrap();
        assert_eq!((seen.key.as_str(), seen.at.unix()), (ID, 1_795_428_000));
        assert_eq!(seen.address, "203.0.113.7".parse().ok());
        assert_eq!((seen.route, seen.request_id), (None, Some("r".to_owned())));
    }

    #[test]
    fn lines_of_any_other_form_are_not_taken() {
        for (name, value) in [
            ("event", "access"),
            ("reason", "key_unknown"),
            ("keyId", "ck_live_x"),
            ("doorward", "1"),
        ] {
            let mut other = line();
            other[name] = value.into();
            assert_eq!(DecoyUse::read(&event(&other)), None, "{name}");
        }
        let twice = line()
            .to_string()
            .replacen('{', r#"{"event":"decision","#, 1);
        let twice = LogEvent {
            message: twice,
            ..event(&line())
        };
        assert_eq!(DecoyUse::read(&twice), None);
        let long = LogEvent {
            message: format!("{}{}", line(), " ".repeat(MAX_LINE)),
            ..event(&line())
        };
        assert_eq!(DecoyUse::read(&long), None);
    }

    #[test]
    fn of_several_uses_the_first_one_counts() {
        let at = |timestamp| LogEvent {
            timestamp,
            ..event(&line())
        };
        let other = event(&serde_json::json!({"doorward": "1"}));
        let mut batch = Batch {
            group: "g".to_owned(),
            stream: "s".to_owned(),
            events: vec![at(9000), other.clone(), at(5000), at(7000)],
        };
        let (lines, uses) = DecoyUse::taken_from(&mut batch);
        assert_eq!((lines, batch.events), (3, vec![other]));
        let times: Vec<i64> = uses.iter().map(|seen| seen.at.unix()).collect();
        assert_eq!(times, [5]);
    }
}

//! What a backend does where `answers.rate_limited` is `backend`: it refuses while the context says that a limit is used up.
//!
//! The gateway may have kept the context for a while. So the end of the refusal is `rateLimitReset`, a time, and never
//! `retryAfter`, which was right when the authorizer was asked.

use serde_json::{Map, Value};

/// Headers of every answer, and the facts of the context that they carry (draft-ietf-httpapi-ratelimit-headers).
const HEADERS: [(&str, &str); 5] = [
    ("x-ratelimit-limit", "limit"),
    ("x-ratelimit-remaining", "remaining"),
    ("x-ratelimit-reset", "reset"),
    ("ratelimit", "rateLimit"),
    ("ratelimit-policy", "rateLimitPolicy"),
];

/// For how many seconds after `now` the caller is over a limit; `None` when they are not.
pub(crate) fn seconds_left(context: &Map<String, Value>, now: u64) -> Option<u64> {
    if text(context, "rateLimited")? != "true" {
        return None;
    }
    // An end that cannot be read is no reason to let the call pass.
    let end = text(context, "rateLimitReset").and_then(|end| end.parse::<u64>().ok());
    let left = end.map_or(1, |end| end.saturating_sub(now));
    (left > 0).then_some(left)
}

/// The headers that tell a caller how much is left.
pub(crate) fn headers(context: &Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    HEADERS.iter().filter_map(|(header, fact)| {
        let value = text(context, fact)?;
        Some(((*header).to_owned(), Value::from(value)))
    })
}

/// All facts are texts, with every kind of API.
fn text<'a>(context: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    context.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(context: &Value, expected: Option<u64>) {
        assert_eq!(
            seconds_left(context.as_object().unwrap(), 1000),
            expected,
            "{context}"
        );
    }

    #[test]
    fn refuses_until_the_limit_has_room_however_old_the_context_is() {
        let limited =
            |end: &str| json!({ "rateLimited": "true", "rateLimitReset": end, "retryAfter": "60" });
        check(&limited("1060"), Some(60));
        check(&limited("1001"), Some(1));
        check(&limited("1000"), None);
        check(&limited("900"), None);
    }

    #[test]
    fn lets_pass_whoever_is_not_over_a_limit() {
        check(&json!({}), None);
        check(&json!({ "rateLimitReset": "1060", "remaining": "0" }), None);
        check(
            &json!({ "rateLimited": "false", "rateLimitReset": "1060" }),
            None,
        );
    }

    #[test]
    fn refuses_when_the_end_cannot_be_read() {
        check(&json!({ "rateLimited": "true" }), Some(1));
        check(
            &json!({ "rateLimited": "true", "rateLimitReset": "soon" }),
            Some(1),
        );
    }
}

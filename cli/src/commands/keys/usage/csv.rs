//! Usage as comma-separated values (RFC 4180): one line for each step, the names of the columns first.
//!
//! What is not known is empty. A text that a spreadsheet would take for a formula gets a `'` in front: tenants and names are
//! chosen by others than the one who opens the file (<https://owasp.org/www-community/attacks/CSV_Injection>).

use doorward_key_admin::reply::{KeyView, UsageStep, UsageView};
use doorward_keys::Timestamp;

use crate::clock;

const COLUMNS: [&str; 15] = [
    "key",
    "tenant",
    "name",
    "from",
    "to",
    "requests",
    "requests_throttled",
    "requests_failed",
    "cached",
    "decisions",
    "allowed",
    "unauthenticated",
    "forbidden",
    "throttled",
    "unavailable",
];

/// The steps of `usage`, each line with its end.
pub(in crate::commands::keys) fn csv(key: &KeyView, usage: &UsageView) -> String {
    let rows = usage.steps.iter().map(|step| row(key, step));
    let head = COLUMNS.map(str::to_owned);
    std::iter::once(head)
        .chain(rows)
        .flat_map(|fields| [fields.map(|text| field(&text)).join(","), "\r\n".to_owned()])
        .collect()
}

fn row(key: &KeyView, step: &UsageStep) -> [String; 15] {
    let time = |at: i64| clock::shown(Timestamp::from_unix(at));
    let known = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let (decisions, requests) = (step.decisions, step.requests);
    [
        key.id.clone(),
        key.tenant.clone(),
        key.name.clone(),
        time(step.from),
        time(step.to),
        known(requests.map(|requests| requests.total)),
        known(requests.map(|requests| requests.throttled)),
        known(requests.map(|requests| requests.failed)),
        known(step.cached),
        decisions.total.to_string(),
        decisions.allowed.to_string(),
        decisions.unauthenticated.to_string(),
        decisions.forbidden.to_string(),
        decisions.throttled.to_string(),
        decisions.unavailable.to_string(),
    ]
}

/// One field: harmless, and in quotes where it must be (RFC 4180 section 2).
pub(in crate::commands::keys) fn field(text: &str) -> String {
    let harmless =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
            format!("'{text}")
        } else {
            text.to_owned()
        };
    if harmless.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", harmless.replace('"', "\"\""))
    } else {
        harmless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, expected) in [
            ("ci", "ci"),
            ("", ""),
            ("a, b", "\"a, b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}

//! Every fault of a command at once.

use std::collections::{BTreeMap, BTreeSet};

use doorward_engine::{config::GATEWAY_CONTEXT_NAMES, context};
use doorward_keys::{Cursor, KeyId, lifecycle::Draft};
use ipnet::IpNet;

use super::{CreateKey, RotateKey};
use crate::{
    admin::KeyPolicy,
    error::{AdminError, Fault},
};

const MAX_SCOPES: usize = 100;
const MAX_ROUTES: usize = 100;
const MAX_ADDRESSES: usize = 100;
const MAX_METADATA: usize = 20;
const MAX_NAME_CHARS: usize = 100;
const MAX_REASON_CHARS: usize = 256;
const MAX_WORD: usize = 128;
const MAX_VALUE: usize = 256;
const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 100;
const SECONDS_OF_DAY: i64 = 86_400;
const DEFAULT_OVERLAP_SECONDS: u32 = 86_400;

/// Collects the faults of one command.
#[derive(Default)]
pub(crate) struct Check {
    faults: Vec<Fault>,
}

/// Runs `check` and answers its value, or every fault it found.
pub(crate) fn checked<T>(check: impl FnOnce(&mut Check) -> Option<T>) -> Result<T, AdminError> {
    let mut faults = Check::default();
    let value = check(&mut faults);
    match value {
        Some(value) if faults.faults.is_empty() => Ok(value),
        _ => Err(AdminError::Invalid(faults.faults)),
    }
}

/// What a new key shall be.
pub(crate) fn check_draft(asked: &CreateKey, policy: &KeyPolicy, check: &mut Check) -> Draft {
    let known = &policy.format.environments;
    if !known.contains(&asked.environment) {
        let known = known.join("`, `");
        let found = shown(&asked.environment);
        check.add(
            "environment",
            format!("is `{found}`, expected one of `{known}`"),
        );
    }
    check.plain("tenant", &asked.tenant, MAX_WORD);
    check.people("name", &asked.name, MAX_NAME_CHARS);
    check.scopes(&asked.scopes);
    if let Some(routes) = &asked.routes {
        check.words("routes", routes, MAX_ROUTES);
    }
    if let Some(key) = &asked.usage_plan_key {
        // The value may be a secret of the gateway, so the message does not show it.
        check.plain("usagePlanKey", key, MAX_WORD);
    }
    if let Some(key) = &asked.idempotency_key {
        check.plain("idempotencyKey", key, MAX_WORD);
    }
    check.metadata(&asked.metadata);
    Draft {
        tenant: asked.tenant.clone(),
        name: asked.name.clone(),
        environment: asked.environment.clone(),
        scopes: asked.scopes.clone(),
        routes: asked.routes.clone(),
        addresses: asked
            .addresses
            .as_ref()
            .map(|ranges| check.addresses(ranges)),
        usage_plan_key: asked.usage_plan_key.clone(),
        metadata: asked.metadata.clone(),
        lifetime_seconds: check.lifetime(asked.expires_in_days, policy),
    }
}

/// Which key, what life and what overlap.
pub(crate) fn check_rotation(
    asked: &RotateKey,
    policy: &KeyPolicy,
    check: &mut Check,
) -> Option<(KeyId, i64, i64)> {
    if let Some(key) = &asked.idempotency_key {
        check.plain("idempotencyKey", key, MAX_WORD);
    }
    let lifetime = check.lifetime(asked.expires_in_days, policy);
    let overlap = i64::from(asked.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS));
    let max = policy.limits().max_overlap_seconds;
    if overlap > max {
        check.add(
            "overlapSeconds",
            format!("is {overlap}, expected 0 to {max}"),
        );
    }
    let id = check_key_ref(
        &asked.id,
        asked.expected_version,
        asked.reason.as_deref(),
        check,
    );
    Some((id?, lifetime, overlap))
}

/// Which key.
pub(crate) fn check_key_ref(
    id: &str,
    expected_version: Option<u64>,
    reason: Option<&str>,
    check: &mut Check,
) -> Option<KeyId> {
    if expected_version == Some(0) {
        check.add("expectedVersion", "is 0, expected 1 or more");
    }
    if let Some(reason) = reason {
        check.people("reason", reason, MAX_REASON_CHARS);
    }
    let key = KeyId::parse(id);
    if key.is_none() {
        let found = shown(id);
        check.add(
            "id",
            format!("is `{found}`, expected `key_` and 26 digits and capitals"),
        );
    }
    key
}

/// How many at most, and behind what.
pub(crate) fn check_list(
    limit: Option<u32>,
    cursor: Option<&str>,
    check: &mut Check,
) -> (usize, Option<Cursor>) {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        check.add("limit", format!("is {limit}, expected 1 to {MAX_LIMIT}"));
    }
    let after = cursor.map(Cursor::parse);
    if matches!(after, Some(None)) {
        check.add(
            "cursor",
            "is not one of ours; hand back the `cursor` of the part before",
        );
    }
    (limit as usize, after.flatten())
}

impl Check {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault {
            field: field.into(),
            message: message.into(),
        });
    }

    /// Printable ASCII, because it reaches headers and names of stored items; no space at the ends, because nobody sees it.
    pub(crate) fn plain(&mut self, field: &str, text: &str, max: usize) {
        let fits = (1..=max).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && text.trim() == text;
        if !fits {
            let message =
                format!("must be 1 to {max} printable ASCII characters without spaces at the ends");
            self.add(field, message);
        }
    }

    fn people(&mut self, field: &str, text: &str, max: usize) {
        let fits = (1..=max).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        if !fits {
            let message = format!(
                "must be 1 to {max} characters without control characters and without spaces at the ends"
            );
            self.add(field, message);
        }
    }

    fn scopes(&mut self, scopes: &[String]) {
        self.words("scopes", scopes, MAX_SCOPES);
        for (index, scope) in scopes.iter().enumerate() {
            // RFC 6749 section 3.3.
            let fits = scope
                .bytes()
                .all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
            let field = format!("scopes[{index}]");
            if !fits {
                let found = shown(scope);
                let message = format!("is `{found}`; a scope has no spaces, quotes or backslashes");
                self.add(field, message);
            } else if scope.contains('*') {
                self.add(
                    field,
                    "holds `*`; scopes are compared whole, name each of them",
                );
            }
        }
    }

    /// A list of distinct texts.
    fn words(&mut self, field: &str, words: &[String], max: usize) {
        if words.len() > max {
            let count = words.len();
            self.add(field, format!("has {count} values, expected at most {max}"));
        }
        let mut seen = BTreeSet::new();
        for (index, word) in words.iter().enumerate() {
            let field = format!("{field}[{index}]");
            if !seen.insert(word) {
                self.add(field, format!("repeats `{}`", shown(word)));
            } else if !(1..=MAX_WORD).contains(&word.len()) || word.chars().any(char::is_control) {
                let message =
                    format!("must be 1 to {MAX_WORD} characters without control characters");
                self.add(field, message);
            }
        }
    }

    fn addresses(&mut self, ranges: &[String]) -> Vec<IpNet> {
        let max = MAX_ADDRESSES;
        if ranges.len() > max {
            let count = ranges.len();
            self.add(
                "addresses",
                format!("has {count} values, expected at most {max}"),
            );
        }
        let mut nets = Vec::new();
        for (index, text) in ranges.iter().enumerate() {
            match range(text) {
                Ok(net) => nets.push(net),
                Err(message) => {
                    let found = shown(text);
                    self.add(
                        format!("addresses[{index}]"),
                        format!("is `{found}`; {message}"),
                    );
                }
            }
        }
        nets
    }

    fn lifetime(&mut self, days: Option<u32>, policy: &KeyPolicy) -> i64 {
        let days = days.unwrap_or(policy.default_lifetime_days);
        let max = policy.max_lifetime_days;
        if !(1..=max).contains(&days) {
            self.add("expiresInDays", format!("is {days}, expected 1 to {max}"));
        }
        i64::from(days).saturating_mul(SECONDS_OF_DAY)
    }

    fn metadata(&mut self, metadata: &BTreeMap<String, String>) {
        if metadata.len() > MAX_METADATA {
            let count = metadata.len();
            let message = format!("has {count} members, expected at most {MAX_METADATA}");
            self.add("metadata", message);
        }
        for (name, value) in metadata {
            let found = shown(name);
            let field = format!("metadata.{found}");
            let fits = name.len() <= 40
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let taken = GATEWAY_CONTEXT_NAMES
                .iter()
                .chain(&context::NAMES)
                .any(|taken| taken.eq_ignore_ascii_case(name));
            if !fits {
                let message = "is no name for the context; use up to 40 letters, digits and `_`, a letter first";
                self.add(field.clone(), message);
            } else if taken {
                self.add(
                    field.clone(),
                    "has a meaning of its own in the context; choose another name",
                );
            }
            if value.len() > MAX_VALUE || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                let message = format!("must be at most {MAX_VALUE} printable ASCII characters");
                self.add(field, message);
            }
        }
    }
}

/// An address or a range, as written strictly.
fn range(text: &str) -> Result<IpNet, &'static str> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => {
                return Err(
                    "expected an address or a range such as `192.0.2.0/24` or `2001:db8::/32`",
                );
            }
        },
    };
    if net.trunc() != net {
        return Err(
            "its address has bits set behind the prefix; set them to zero, or give the address alone",
        );
    }
    if net.prefix_len() == 0 {
        return Err("it holds every address; leave `addresses` out to allow any");
    }
    match net {
        // The same address has one spelling (RFC 4291 section 2.5.5.2).
        IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some() => {
            Err("it is an IPv4 address in IPv6 clothes; write it as IPv4")
        }
        _ => Ok(net),
    }
}

/// A text of the caller as a message may show it: one bounded line.
fn shown(text: &str) -> String {
    text.chars()
        .take(60)
        .map(|character| {
            if character.is_control() || character == '`' {
                '?'
            } else {
                character
            }
        })
        .collect()
}

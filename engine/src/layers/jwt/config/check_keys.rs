//! The checks of where keys come from and how long they are kept.

use std::sync::Arc;

use super::{
    KeySetLimits, KeySource, Location, RawKeySet,
    check::ReadFile,
    fields::Fields,
    raw::{COOL_DOWN, MAX_AGE, MAX_KEYS, MIN_AGE, STALE},
};
use crate::layers::jwt::{algorithm::Algorithm, key_set::KeySet, shown::shown, source::Origin};

pub(super) fn key_set_limits(raw: &RawKeySet, fields: &mut Fields<'_>) -> KeySetLimits {
    let max_keys = fields.number("key_set.max_keys", raw.max_keys, MAX_KEYS);
    let limits = KeySetLimits {
        cool_down: fields.number(
            "key_set.cool_down_seconds",
            raw.cool_down_seconds,
            COOL_DOWN,
        ),
        min_age: fields.number("key_set.min_age_seconds", raw.min_age_seconds, MIN_AGE),
        max_age: fields.number("key_set.max_age_seconds", raw.max_age_seconds, MAX_AGE),
        stale: fields.number("key_set.stale_seconds", raw.stale_seconds, STALE),
        max_keys: usize::try_from(max_keys).unwrap_or(usize::MAX),
    };
    if limits.min_age > limits.max_age && raw.min_age_seconds.is_some() {
        fields.fault(
            "key_set.min_age_seconds",
            format!(
                "`{}` is more than `max_age_seconds` ({}); lower it or raise the other",
                limits.min_age, limits.max_age
            ),
        );
    }
    KeySetLimits {
        // A default gives way to a bound below it.
        min_age: limits.min_age.min(limits.max_age),
        ..limits
    }
}

/// The three fields of which at most one may be set.
pub(super) struct KeysGiven {
    pub(super) uri: Option<String>,
    pub(super) file: Option<String>,
    pub(super) inline: Option<serde_json::Map<String, serde_json::Value>>,
}

pub(super) fn keys(
    given: KeysGiven,
    issuer: &str,
    http: bool,
    algorithms: &[Algorithm],
    limits: &KeySetLimits,
    fields: &mut Fields<'_>,
    read_file: &ReadFile<'_>,
) -> KeySource {
    let origin = if http {
        Origin::Anywhere
    } else {
        Origin::Public
    };
    let remote = |location| KeySource::Remote { location, origin };
    let fixed = |field: &str, text: Result<String, String>, fields: &mut Fields<'_>| {
        let set = text.and_then(|text| KeySet::parse(text.as_bytes(), algorithms, limits.max_keys));
        KeySource::Fixed(Arc::new(usable(set, field, algorithms, fields)))
    };
    match (given.uri, given.file, given.inline) {
        (None, None, None) => {
            if !issuer.is_empty() {
                address(
                    "issuer",
                    issuer,
                    http,
                    fields,
                    "; or set `jwks_uri`, `jwks_file` or `jwks`",
                );
            }
            remote(Location::Discovery)
        }
        (Some(uri), None, None) => {
            address("jwks_uri", &uri, http, fields, "");
            remote(Location::Uri(uri))
        }
        (None, Some(file), None) => {
            let text = read_file(&file).map_err(|why| format!("{}: {why}", shown(&file)));
            fixed("jwks_file", text, fields)
        }
        (None, None, Some(inline)) => {
            let text = serde_json::to_string(&inline).map_err(|error| error.to_string());
            fixed("jwks", text, fields)
        }
        (uri, file, _) => {
            let field = match (uri, file) {
                (Some(_), Some(_)) => "jwks_file",
                _ => "jwks",
            };
            fields.fault(
                field,
                "keys come from one place; keep one of `jwks_uri`, `jwks_file` and `jwks`",
            );
            remote(Location::Discovery)
        }
    }
}

/// A fixed key set that can verify something; entries that were skipped are warnings.
fn usable(
    set: Result<KeySet, String>,
    field: &str,
    algorithms: &[Algorithm],
    fields: &mut Fields<'_>,
) -> KeySet {
    let set = match set {
        Ok(set) => set,
        Err(why) => {
            fields.fault(field, format!("the key set cannot be read: {why}"));
            return KeySet::default();
        }
    };
    for entry in set.unusable() {
        let place = format!("{}.{field}", fields.path);
        let id = entry.id.as_deref().unwrap_or("(unnamed)");
        fields.faults.warn(
            place,
            format!("key {} is skipped: {}", shown(id), entry.why),
        );
    }
    // Without algorithms no key fits, and that fault is told already.
    if set.len() == 0 && !algorithms.is_empty() {
        let why = set.unusable().first().map_or_else(
            || "it is empty".to_owned(),
            |entry| format!("the first one {}", entry.why),
        );
        fields.fault(field, format!("no key of the set can be used: {why}"));
    }
    set
}

/// An address to fetch from: https, a host, nothing that hides (userinfo) or changes (fragment) it.
pub(crate) fn address(
    field: &str,
    text: &str,
    http: bool,
    fields: &mut Fields<'_>,
    otherwise: &str,
) {
    let rest = match text.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if http => rest,
        Some(("http", _)) => {
            fields.fault(
                field,
                format!(
                    "{} is not https; `danger_allow_http` would allow it, for development{otherwise}",
                    shown(text)
                ),
            );
            return;
        }
        _ => {
            fields.fault(
                field,
                format!("{} is not an https address{otherwise}", shown(text)),
            );
            return;
        }
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if host.contains('@') {
        // What stands there may be a password, so it is not repeated.
        fields.fault(
            field,
            format!("the address has user data before the host; leave it out{otherwise}"),
        );
    } else if host.is_empty() || !plain {
        fields.fault(
            field,
            format!(
                "{} has no host, or a fragment or characters that an address has not{otherwise}",
                shown(text)
            ),
        );
    } else if !http && is_ip_literal(host) {
        fields.fault(
            field,
            format!(
                "{} names an IP address; use a host name{otherwise}",
                shown(text)
            ),
        );
    } else if field == "issuer" && text.contains('?') {
        fields.fault(
            field,
            format!(
                "{} has a query, so metadata cannot be found under it{otherwise}",
                shown(text)
            ),
        );
    }
}

fn is_ip_literal(host: &str) -> bool {
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host.starts_with('[') || without_port.parse::<std::net::Ipv4Addr>().is_ok()
}

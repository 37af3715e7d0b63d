//! The header of a token (RFC 7515 section 4): which algorithm, which key, what kind of token. Nothing else is read.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    compact::{decode, malformed},
    json::{Object, Value},
    shown::shown,
};
use crate::denial::{Denial, Reason};

/// The longest `kid` that is looked up, in bytes.
pub(super) const MAX_KEY_ID: usize = 256;

/// The headers of tokens that were verified lately, so that they need not be read again: an issuer writes the same one into all
/// tokens that it signs with one key. What a text says does not change, so nothing is looked at again for one that is known.
#[derive(Default)]
pub(super) struct Known(Mutex<VecDeque<(Box<str>, Arc<Header>)>>);

impl Known {
    /// Reads the encoded header `part`.
    pub(super) fn parse(&self, part: &str) -> Result<Arc<Header>, Denial> {
        if let Some((_, header)) = self.held().iter().find(|(known, _)| **known == *part) {
            return Ok(Arc::clone(header));
        }
        Header::parse(part).map(Arc::new)
    }

    /// Remembers what `part` says, once the token was verified; what strangers write is not kept.
    pub(super) fn keep(&self, part: &str, header: &Arc<Header>) {
        let mut held = self.held();
        if part.len() > MOST_BYTES || held.iter().any(|(known, _)| **known == *part) {
            return;
        }
        held.push_front((part.into(), Arc::clone(header)));
        held.truncate(MOST_KNOWN);
    }

    /// The lock is held for a few comparisons only, so a poisoned one is used on.
    fn held(&self) -> MutexGuard<'_, VecDeque<(Box<str>, Arc<Header>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most headers that are known. They are looked through one by one.
const MOST_KNOWN: usize = 16;

/// The longest header that is remembered, in bytes.
const MOST_BYTES: usize = 1024;

/// What of a header is used. `jwk`, `jku`, `x5u` and `x5c` are never read: keys come from the configured issuer alone
/// (RFC 8725 section 3.10).
pub(super) struct Header {
    pub(super) algorithm: String,
    /// Opaque; used to look a key up and for nothing else.
    pub(super) key_id: Option<String>,
    pub(super) kind: Option<String>,
}

impl Header {
    /// Reads the encoded header.
    pub(super) fn parse(part: &str) -> Result<Self, Denial> {
        let json = decode(part, "header")?;
        let header =
            Object::token_part(&json).map_err(|why| malformed(format!("the header: {why}")))?;
        // No extension is understood here, so none may be critical. `b64` changes what is signed, and JWTs must not use
        // it (RFC 7797 section 7).
        for name in ["crit", "b64"] {
            if header.has(name) {
                return Err(Denial::new(
                    Reason::TokenCritical,
                    format!("the header has {}", shown(name)),
                ));
            }
        }
        let algorithm = text(&header, "alg")?
            .ok_or_else(|| malformed("the header has no `alg`"))?
            .to_owned();
        if text(&header, "cty")?.is_some_and(|cty| cty.eq_ignore_ascii_case("jwt")) {
            return Err(malformed("a token inside a token is not accepted"));
        }
        let key_id = text(&header, "kid")?.map(str::to_owned);
        if key_id.as_ref().is_some_and(|id| id.len() > MAX_KEY_ID) {
            return Err(malformed(format!(
                "`kid` is longer than {MAX_KEY_ID} bytes"
            )));
        }
        let kind = text(&header, "typ")?.map(str::to_owned);
        Ok(Self {
            algorithm,
            key_id,
            kind,
        })
    }
}

fn text<'o>(header: &'o Object<'_>, name: &str) -> Result<Option<&'o str>, Denial> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(other) => Err(malformed(format!(
            "`{name}` of the header is {}, not text",
            other.kind()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn parse(json: &str) -> Result<Header, Reason> {
        Header::parse(&URL_SAFE_NO_PAD.encode(json)).map_err(|d| d.reason())
    }

    #[track_caller]
    fn refuses(json: &str, expected: Reason) {
        assert_eq!(parse(json).err(), Some(expected), "{json}");
    }

    #[test]
    fn reads_algorithm_key_and_kind() {
        let header = parse(r#"{"alg":"RS256","kid":"1","typ":"at+jwt","x5t":"x","new":[1]}"#);
        let header = header.unwrap();
        assert_eq!(header.algorithm, "RS256");
        assert_eq!(header.key_id.as_deref(), Some("1"));
        assert_eq!(header.kind.as_deref(), Some("at+jwt"));
    }

    #[test]
    fn knows_the_headers_of_verified_tokens_and_no_more_than_a_few() {
        let known = Known::default();
        let encoded = |kid: usize| {
            let json = format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#);
            URL_SAFE_NO_PAD.encode(json)
        };
        let (first, again) = (known.parse(&encoded(0)), known.parse(&encoded(0)));
        assert!(!Arc::ptr_eq(&first.unwrap(), again.as_ref().unwrap()));
        known.keep(&encoded(0), &again.unwrap());
        for kid in 0..2 * MOST_KNOWN {
            let header = known.parse(&encoded(kid)).unwrap();
            known.keep(&encoded(kid), &header);
            known.keep(&encoded(kid), &header);
            let found = known.parse(&encoded(kid)).unwrap();
            assert!(Arc::ptr_eq(&header, &found));
            assert_eq!(found.key_id, Some(kid.to_string()));
        }
        assert_eq!(known.held().len(), MOST_KNOWN);
        let long = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"alg":"RS256","x":"{}"}}"#,
            "x".repeat(MOST_BYTES)
        ));
        let header = known.parse(&long).unwrap();
        known.keep(&long, &header);
        assert!(!Arc::ptr_eq(&header, &known.parse(&long).unwrap()));
        assert!(known.parse("e30").is_err());
    }

    #[test]
    fn refuses_any_critical_extension() {
        refuses(r#"{"alg":"RS256","crit":["exp"]}"#, Reason::TokenCritical);
        refuses(r#"{"alg":"RS256","crit":[]}"#, Reason::TokenCritical);
        refuses(r#"{"alg":"RS256","crit":null}"#, Reason::TokenCritical);
        refuses(r#"{"alg":"RS256","b64":false}"#, Reason::TokenCritical);
        refuses(r#"{"alg":"RS256","b64":true}"#, Reason::TokenCritical);
    }

    #[test]
    fn refuses_members_of_the_wrong_type() {
        for json in [
            "{}",
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"RS256","kid":1}"#,
            r#"{"alg":"RS256","kid":null}"#,
            r#"{"alg":"RS256","typ":{}}"#,
            r#"{"alg":"RS256","cty":1}"#,
        ] {
            refuses(json, Reason::TokenMalformed);
        }
    }

    #[test]
    fn refuses_repeated_members_nested_tokens_and_long_key_ids() {
        refuses(r#"{"alg":"RS256","alg":"none"}"#, Reason::TokenMalformed);
        refuses(r#"{"alg":"RS256","cty":"JWT"}"#, Reason::TokenMalformed);
        refuses(r#"{"alg":"RS256","cty":"jwt"}"#, Reason::TokenMalformed);
        let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
        refuses(&long, Reason::TokenMalformed);
        let fits = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(256));
        assert!(parse(&fits).is_ok());
    }
}

//! The header of a token (RFC 7515 section 4): which algorithm, which key, what kind of token. Nothing else is read.

use super::{
    compact::{decode, malformed},
    json::{Object, Value},
    shown::shown,
};
use crate::denial::{Denial, Reason};

/// The longest `kid` that is looked up, in bytes.
pub(super) const MAX_KEY_ID: usize = 256;

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

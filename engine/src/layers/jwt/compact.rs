//! The compact form: three parts of base64url with dots between them (RFC 7515 section 7.1, RFC 7519 section 7.2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::shown::shown;
use crate::denial::{Denial, Reason};

/// The three parts of a token, still encoded. Nothing in them is verified.
#[derive(Clone, Copy)]
pub(in crate::layers) struct Compact<'t> {
    pub(in crate::layers) header: &'t str,
    pub(in crate::layers) payload: &'t str,
    pub(in crate::layers) signature: &'t str,
    /// What was signed: header, dot, payload.
    pub(in crate::layers) signing_input: &'t str,
}

impl<'t> Compact<'t> {
    /// Checks the length, then the number of parts, then splits.
    pub(in crate::layers) fn split(token: &'t str, max_bytes: usize) -> Result<Self, Denial> {
        if token.len() > max_bytes {
            return Err(Denial::new(
                Reason::TokenTooLong,
                format!("{} bytes, at most {max_bytes} are read", token.len()),
            ));
        }
        let parts = token.split_once('.').and_then(|(header, rest)| {
            let (payload, signature) = rest.split_once('.')?;
            let end = header.len().saturating_add(payload.len()).saturating_add(1);
            (!signature.as_bytes().contains(&b'.')).then_some(Self {
                header,
                payload,
                signature,
                signing_input: token.get(..end)?,
            })
        });
        parts.ok_or_else(|| match token.matches('.').count() {
            4 => malformed("five parts: encrypted tokens are not accepted"),
            dots => malformed(format!("it has {dots} dots, and a token has two")),
        })
    }
}

/// Decodes one part: no padding, no other alphabet, unused bits zero (RFC 7515 section 2, RFC 4648 section 3.5), so that
/// a token has one spelling. The decoder is the one who checks the alphabet: a pass of its own over every token costs more
/// than all the rest of this file.
pub(in crate::layers) fn decode(part: &str, what: &str) -> Result<Vec<u8>, Denial> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match part.chars().find(|c| !allowed(*c)) {
            Some(strange) => {
                let strange = shown(&strange.to_string());
                malformed(format!("the {what} has {strange}, which no token has"))
            }
            None => malformed(format!("the {what} is not canonical base64url")),
        }
    })
}

/// The refusal of a token that cannot be read.
pub(in crate::layers) fn malformed(detail: impl Into<String>) -> Denial {
    Denial::new(Reason::TokenMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: &str, expected: Result<(), Reason>) {
        let found = Compact::split(token, 100)
            .map(|_| ())
            .map_err(|d| d.reason());
        assert_eq!(found, expected, "{token}");
    }

    #[test]
    fn splits_three_parts() {
        let parts = Compact::split("aa.bb.cc", 100).unwrap();
        assert_eq!(
            (
                parts.header,
                parts.payload,
                parts.signature,
                parts.signing_input
            ),
            ("aa", "bb", "cc", "aa.bb")
        );
    }

    #[test]
    fn refuses_any_other_number_of_parts() {
        for token in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "a.b.c.d.e.f"] {
            check(token, Err(Reason::TokenMalformed));
        }
        check("..", Ok(()));
    }

    #[test]
    fn refuses_characters_outside_the_alphabet() {
        for strange in ["=", "+", "/", " ", "\n", "\0", "é", "{", "\""] {
            for part in [
                format!("{strange}AAAA"),
                format!("AA{strange}A"),
                format!("AAAA{strange}"),
            ] {
                let denial = decode(&part, "payload").unwrap_err();
                assert_eq!(denial.reason(), Reason::TokenMalformed);
                assert!(denial.detail().contains("which no token has"), "{denial:?}");
            }
        }
    }

    #[test]
    fn looks_at_the_length_before_anything_else() {
        check(&"=".repeat(101), Err(Reason::TokenTooLong));
        check(&"=".repeat(100), Err(Reason::TokenMalformed));
    }

    #[test]
    fn decodes_only_canonical_base64url() {
        assert_eq!(decode("_-8", "x").unwrap(), [0xff, 0xef]);
        for part in ["_-9", "_-8=", "/+8", "_-8\n", "A", "AB"] {
            assert!(decode(part, "x").is_err(), "{part}");
        }
        assert_eq!(decode("", "x").unwrap(), Vec::<u8>::new());
    }
}

//! What a block needs of a JWT. The token is not verified: whoever may block may block anything, and a token that was made up
//! ends itself at most.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_keys::Timestamp;
use serde_json::Value;

use crate::exit::Failure;

/// What is taken of a token. Nothing of the signature, so that nothing here would be accepted by anybody.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) issuer: String,
    pub(super) jti: String,
    pub(super) expires_at: Option<Timestamp>,
}

/// Reads a JWT in compact form (RFC 7519 section 3). Messages show no part of it.
pub(super) fn read(text: &[u8]) -> Result<Named, Failure> {
    let no_jwt = || {
        Failure::usage(
            "this is no JWT: three parts with `.` between, as the issuer gave it; an opaque token is revoked at its server",
        )
    };
    let text = std::str::from_utf8(text).map_err(|_| no_jwt())?.trim();
    let mut parts = text.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(no_jwt());
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| no_jwt())?;
    let claims: Value = serde_json::from_slice(&payload).map_err(|_| no_jwt())?;
    let of = |name: &str| {
        let found = claims.get(name).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| {
            Failure::usage(format!(
                "the token has no `{name}`, so that it cannot be blocked by itself; block its subject or client"
            ))
        })
    };
    let expires_at = claims.get("exp").and_then(Value::as_f64);
    Ok(Named {
        issuer: of("iss")?,
        jti: of("jti")?,
        expires_at: expires_at.map(seconds),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion saturates, and what is too far away is refused later"
)]
fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_unix(seconds.ceil() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}\n", part("{}"), part(payload), part("sig"))
    }

    #[test]
    fn takes_issuer_id_and_end() {
        let named = read(token(r#"{"iss": "i", "jti": "t", "exp": 10.5}"#).as_bytes()).unwrap();
        let expected = Named {
            issuer: "i".to_owned(),
            jti: "t".to_owned(),
            expires_at: Some(Timestamp::from_unix(11)),
        };
        assert_eq!(named, expected);
    }

    #[test]
    fn refuses_what_is_no_jwt_without_showing_it() {
        for bad in [
            "opaque-secret".to_owned(),
            "secret.secret".to_owned(),
            "secret.secret.secret.secret".to_owned(),
            "secret.%.secret".to_owned(),
            token("secret"),
            String::new(),
        ] {
            let failure = read(bad.as_bytes()).unwrap_err();
            assert!(!failure.message.contains("secret"), "{failure}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn says_what_is_missing() {
        for (payload, says) in [
            (r#"{"jti": "t"}"#, "`iss`"),
            (r#"{"iss": "i"}"#, "`jti`"),
            (r#"{"iss": "i", "jti": 7}"#, "`jti`"),
        ] {
            let failure = read(token(payload).as_bytes()).unwrap_err();
            assert!(failure.message.contains(says), "{failure}");
        }
    }
}

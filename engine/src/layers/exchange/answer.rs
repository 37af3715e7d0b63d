//! What the token endpoint answers (RFC 8693 sections 2.2.1 and 2.2.2).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use doorward_keys::{Secret, Timestamp};

use crate::layers::jwt::{Object, Value, whole_seconds};

/// A token for the backend.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) token: Secret<String>,
    pub(super) expires_at: Timestamp,
}

/// Reads a successful answer. The error says what is wrong with it and holds nothing of the token.
pub(super) fn issued(body: &[u8], now: Timestamp) -> Result<Issued, String> {
    let answer = Object::document(body)?;
    let text = |name: &str| match answer.get(name) {
        Some(Value::Text(text)) => Ok(text.as_ref()),
        Some(other) => Err(format!("`{name}` is {}, not text", other.kind())),
        None => Err(format!("it has no `{name}`")),
    };
    let token = text("access_token")?;
    // It goes into a header as it is (RFC 6750 section 2.1).
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if token.split('.').take(4).count() != 3 || !token.bytes().all(plain) {
        return Err("`access_token` is no JWT".to_owned());
    }
    text("issued_token_type")?;
    // RFC 8693 section 2.2.1: `N_A` where it is not used as an access token.
    let token_type = text("token_type")?;
    let is_plain = |known: &str| token_type.eq_ignore_ascii_case(known);
    if !is_plain("Bearer") && !is_plain("N_A") {
        return Err(
            "`token_type` is neither `Bearer` nor `N_A`, so the token is bound to a proof"
                .to_owned(),
        );
    }
    let said = match answer.get("expires_in") {
        None => None,
        Some(Value::Number(number)) => {
            let seconds = whole_seconds(number).filter(|seconds| *seconds > 0);
            Some(now.plus(seconds.ok_or("`expires_in` is not a number of seconds")?))
        }
        Some(other) => return Err(format!("`expires_in` is {}, not a number", other.kind())),
    };
    let inside = claim(token)?;
    // Whichever ends first: the server may cut the life of a token short without saying so in the token.
    let expires_at = said
        .into_iter()
        .chain(inside)
        .min()
        .ok_or("neither `expires_in` nor `exp` of the token says how long it lives")?;
    Ok(Issued {
        token: Secret::new(token.to_owned()),
        expires_at,
    })
}

/// `exp` of the token. It comes from the server that was asked, so its signature is nothing to check here; the backend does.
fn claim(token: &str) -> Result<Option<Timestamp>, String> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| "the payload of the token is not base64url")?;
    let claims = Object::token_part(&payload)
        .map_err(|_| "the payload of the token is no JSON object".to_owned())?;
    match claims.get("exp") {
        None => Ok(None),
        Some(Value::Number(number)) => {
            let seconds = whole_seconds(number).ok_or("`exp` of the token is no time")?;
            Ok(Some(Timestamp::from_unix(seconds)))
        }
        Some(_) => Err("`exp` of the token is no number".to_owned()),
    }
}

/// The error that the server names, for the operator; a word of RFC 6749 section 5.2 and nothing else.
pub(super) fn error(body: &[u8]) -> String {
    let named = Object::document(body).ok().and_then(|answer| {
        let name = answer.get("error")?.as_text()?;
        let is_word = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        is_word.then(|| name.to_owned())
    });
    named.map_or_else(|| "no `error`".to_owned(), |name| format!("`{name}`"))
}

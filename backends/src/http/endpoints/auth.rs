//! Client authentication: what goes into the header and what into the form.

use aws_lc_rs::rand::SecureRandom;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_engine::authority::{Assertion, Call, ClientAuth};
use doorward_keys::Timestamp;
use reqwest::header::HeaderValue;
use serde_json::json;

/// RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good, in seconds: it is used at once.
const ASSERTION_SECONDS: i64 = 60;

/// What proves who asks. No `Debug`: it holds secrets.
pub(super) struct Proof {
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) header: Option<HeaderValue>,
}

/// The proof for one try of `call`.
pub(super) fn prove(call: &Call<'_>, random: &dyn SecureRandom) -> Result<Proof, String> {
    let client = &call.endpoint.client;
    let id = ("client_id", client.id.clone());
    let (fields, header) = match &client.auth {
        ClientAuth::Basic(secrets) => {
            // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
            let secret = encoded(secrets.choose(call.previous_secret));
            let pair = STANDARD.encode(format!("{}:{secret}", encoded(&client.id)));
            let header = HeaderValue::from_str(&format!("Basic {pair}"));
            let mut header = header.map_err(|_| "the secret fits no header".to_owned())?;
            header.set_sensitive(true);
            (vec![], Some(header))
        }
        ClientAuth::Post(secrets) => {
            let secret = secrets.choose(call.previous_secret).to_owned();
            (vec![id, ("client_secret", secret)], None)
        }
        ClientAuth::PrivateKeyJwt(assertion) => {
            let signed = signed(assertion, &client.id, call.now, random)?;
            let kind = ("client_assertion_type", ASSERTION_TYPE.to_owned());
            (vec![id, kind, ("client_assertion", signed)], None)
        }
        // RFC 8705 section 2: the certificate proves, the id says who.
        ClientAuth::Certificate(_) => (vec![id], None),
    };
    Ok(Proof { fields, header })
}

/// An assertion of its own for each call (RFC 7523 section 3).
fn signed(
    assertion: &Assertion,
    client_id: &str,
    now: Timestamp,
    random: &dyn SecureRandom,
) -> Result<String, String> {
    let mut id = [0; 16];
    let unsigned = || "the client assertion cannot be signed".to_owned();
    random.fill(&mut id).map_err(|_| unsigned())?;
    let mut header = json!({"alg": assertion.key.algorithm().name(), "typ": "JWT"});
    if let (Some(key_id), Some(header)) = (&assertion.key_id, header.as_object_mut()) {
        header.insert("kid".to_owned(), json!(key_id));
    }
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": assertion.audience,
        "jti": URL_SAFE_NO_PAD.encode(id),
        "iat": now.unix(),
        "exp": now.plus(ASSERTION_SECONDS).unix(),
    });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = assertion.key.sign(random, input.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(signature.map_err(|_| unsigned())?);
    Ok(format!("{input}.{signature}"))
}

/// The pairs as `application/x-www-form-urlencoded`.
pub(super) fn form<'f>(pairs: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// One text in that form (RFC 6749 appendix B).
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            other => {
                // Writing to a text does not fail.
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

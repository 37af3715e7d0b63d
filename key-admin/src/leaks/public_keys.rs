//! The public keys with which GitHub signs its reports
//! (<https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program#implement-signature-verification-in-your-secret-alert-service>).
//!
//! 1. They are fetched from the address of the configuration, within the bounds of [`KeySetSource`], and kept for a day: GitHub
//!    lets an address ask sixty times an hour. Where it does not answer they serve for a week.
//! 2. A signature under a name that is not among them has them fetched anew, at most once a minute.
//! 3. While one asks, others wait for what comes of it.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_engine::{layers::jwt::KeySetSource, leaks::LeaksConfig};
use doorward_keys::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const WEEK: i64 = 7 * DAY;
/// The most entries that are read.
const MAX_KEYS: usize = 100;
/// The longest name of a key, in bytes. GitHub's are 64 hexadecimal digits.
const MAX_NAME: usize = 128;
/// The longest signature in base64; one of P-256 in DER has at most 72 bytes (RFC 3279 section 2.2.3).
const MAX_SIGNATURE: usize = 128;
/// What stands before the point in a public key of P-256 in DER (RFC 5480 section 2).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point of P-256 (SEC 1 section 2.3.3).
const POINT: usize = 65;

/// Fetches public keys and verifies with them. One for the life of the process.
pub struct PublicKeys {
    source: Arc<dyn KeySetSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    url: String,
    keys: BTreeMap<String, Vec<u8>>,
    read_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    /// Why the last try came to nothing.
    fault: Option<String>,
}

/// What is said to be signed by whom.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    /// `Github-Public-Key-Identifier`.
    pub(crate) key: &'a str,
    /// `Github-Public-Key-Signature`: base64 of DER.
    pub(crate) signature: &'a str,
    pub(crate) body: &'a [u8],
}

/// Why nothing is believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    /// It was not signed by GitHub.
    #[error("{0}")]
    Forged(&'static str),
    /// Whether it was cannot be found out now.
    #[error("the public keys of GitHub cannot be had: {0}")]
    Unavailable(String),
}

impl PublicKeys {
    /// No keys yet, to be fetched with `source`.
    pub fn new(source: Arc<dyn KeySetSource>) -> Self {
        Self {
            source,
            state: Mutex::default(),
        }
    }

    /// Whether `signed` is what it is said to be, at `now`.
    pub(crate) async fn verify(
        &self,
        config: &LeaksConfig,
        signed: Signed<'_>,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let is_name = (1..=MAX_NAME).contains(&signed.key.len());
        if !is_name || signed.signature.len() > MAX_SIGNATURE {
            return Err(Unverified::Forged("the signature is of no known form"));
        }
        let Ok(signature) = STANDARD.decode(signed.signature) else {
            return Err(Unverified::Forged("the signature is not base64"));
        };
        let point = self.key(config, signed.key, now).await?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point)
            .verify(signed.body, &signature)
            .map_err(|_| Unverified::Forged("the signature does not fit the body"))
    }

    async fn key(
        &self,
        config: &LeaksConfig,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, Unverified> {
        let mut state = self.state.lock().await;
        if state.url != config.public_keys {
            *state = State {
                url: config.public_keys.clone(),
                ..State::default()
            };
        }
        let is_due = !within(state.read_at, now, DAY) || !state.keys.contains_key(name);
        if is_due && !within(state.tried_at, now, MINUTE) {
            state.tried_at = Some(now);
            let fetched = self.source.fetch(&config.public_keys, config.origin).await;
            let read = fetched
                .map_err(|error| error.to_string())
                .and_then(|fetched| parse(&fetched.body));
            match read {
                Ok(keys) => {
                    state.keys = keys;
                    state.read_at = Some(now);
                    state.fault = None;
                }
                Err(why) => state.fault = Some(why),
            }
        }
        let is_known = within(state.read_at, now, WEEK);
        match (state.keys.get(name).filter(|_| is_known), &state.fault) {
            (Some(point), _) => Ok(point.clone()),
            // It may be a new one.
            (None, Some(why)) => Err(Unverified::Unavailable(why.clone())),
            (None, None) => Err(Unverified::Forged("GitHub publishes no key of that name")),
        }
    }
}

/// Less than `seconds` ago, by a clock that may have been set back: what comes from the future is not young.
fn within(at: Option<Timestamp>, now: Timestamp, seconds: i64) -> bool {
    at.is_some_and(|at| (0..seconds).contains(&now.since(at)))
}

#[derive(Deserialize)]
struct Document {
    public_keys: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    key_identifier: String,
    key: String,
}

/// The points by the names of the keys. A key that cannot be used is left out.
fn parse(document: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let document: Document = serde_json::from_slice(document)
        .map_err(|_| "the answer is not a list of public keys".to_owned())?;
    if document.public_keys.len() > MAX_KEYS {
        return Err(format!("the answer has more than {MAX_KEYS} keys"));
    }
    let entries = document.public_keys.into_iter();
    let keys: BTreeMap<_, _> = entries
        .filter_map(|entry| Some((entry.key_identifier, point(&entry.key)?)))
        .collect();
    if keys.is_empty() {
        return Err("the answer has no key of P-256".to_owned());
    }
    Ok(keys)
}

/// The point of a public key in PEM (RFC 7468 section 13).
fn point(pem: &str) -> Option<Vec<u8>> {
    let text = pem
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(text).ok()?;
    let point = der.strip_prefix(&P256)?;
    (point.len() == POINT).then(|| point.to_vec())
}

#[cfg(test)]
mod tests;

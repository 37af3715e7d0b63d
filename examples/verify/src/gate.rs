//! The middleware: the header, the key set, and what the handlers get.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::token::{Expected, KeySet, Refused, verify};

/// The header in which the gateway hands the token on. `doorward local` uses this name; on AWS it is the one that the
/// integration maps `$context.authorizer.identityToken` to.
pub const HEADER: &str = "x-doorward-identity-token";

/// How soon the key set is fetched again for a key that it does not have. A made-up name must not cost a fetch.
const COOL_DOWN: Duration = Duration::from_secs(30);

/// How old the key set may get, so that a key taken out of it stops working.
const MAX_AGE: Duration = Duration::from_mins(5);

/// How long the last key set serves where no other can be had. After that nobody is believed: a key may have been taken out
/// of it because somebody stole it.
const MAX_STALE: Duration = Duration::from_hours(1);

/// The longest time that fetching the key set takes.
const PATIENCE: Duration = Duration::from_secs(3);

/// The gate whose tokens are accepted.
#[derive(Debug)]
pub struct Gate {
    key_set: String,
    expected: Expected,
    client: reqwest::Client,
    held: Mutex<Held>,
}

/// The key set, and how old it is.
#[derive(Debug, Default)]
struct Held {
    tried: Option<Instant>,
    fetched: Option<Instant>,
    keys: KeySet,
}

/// Who is calling, as the gate said it. An extension of every request that passes.
#[derive(Clone, Debug)]
pub struct Identity(Map<String, Value>);

impl Identity {
    /// One of the claims, such as `sub`, `tenant`, `scopes` or `credential`.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

impl Gate {
    /// The gate that publishes its keys at `key_set` and mints tokens as `issuer` for `audience`.
    pub fn new(key_set: &str, issuer: &str, audience: &str) -> Self {
        Self {
            key_set: key_set.to_owned(),
            expected: Expected {
                issuer: issuer.to_owned(),
                audience: audience.to_owned(),
            },
            client: reqwest::Client::new(),
            held: Mutex::default(),
        }
    }

    /// Who is calling.
    ///
    /// # Errors
    /// Why nobody is believed; for the log, not for the caller.
    pub async fn identity(&self, headers: &HeaderMap) -> Result<Identity, Refused> {
        // Two headers are two tokens, and nobody says which one counts.
        let mut values = headers.get_all(HEADER).iter();
        let (Some(token), None) = (values.next(), values.next()) else {
            return Err(Refused::Malformed);
        };
        let token = token.to_str().map_err(|_| Refused::Malformed)?;
        let check = |keys: &KeySet| verify(token, keys, &self.expected, now());
        let outcome = match check(&self.keys(MAX_AGE).await) {
            // A key that signs since a moment ago.
            Err(Refused::KeyUnknown) => check(&self.keys(COOL_DOWN).await),
            outcome => outcome,
        };
        outcome.map(Identity)
    }

    /// A key set that is at most so old, or for a while the last one where no other can be had.
    async fn keys(&self, max_age: Duration) -> KeySet {
        let mut held = self.held.lock().await;
        if held.tried.is_none_or(|at| at.elapsed() >= max_age) {
            let fetched = self.fetch().await;
            let now = instant();
            held.tried = Some(now);
            if let Some(keys) = fetched {
                *held = Held {
                    tried: Some(now),
                    fetched: Some(now),
                    keys,
                };
            }
        }
        held.serving(MAX_STALE)
    }

    async fn fetch(&self) -> Option<KeySet> {
        let request = self.client.get(&self.key_set).timeout(PATIENCE);
        let response = request.send().await.ok()?.error_for_status().ok()?;
        Some(KeySet::parse(&response.bytes().await.ok()?))
    }
}

impl Held {
    /// The keys, if they are no older than that; else none.
    fn serving(&self, max_stale: Duration) -> KeySet {
        if self.fetched.is_some_and(|at| at.elapsed() < max_stale) {
            self.keys.clone()
        } else {
            KeySet::default()
        }
    }
}

/// Lets a request pass that came through the gate, with its [`Identity`] among the extensions, and refuses every other one.
pub async fn require_identity(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    match gate.identity(request.headers()).await {
        Ok(identity) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Err(_) => (StatusCode::UNAUTHORIZED, "not through the gate\n").into_response(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge of the backend")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the edge of the backend")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_that_cannot_be_had_anew_serves_for_a_while_and_no_longer() {
        let keys = KeySet::parse(
            br#"{"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}"#,
        );
        let held = Held {
            tried: Some(instant()),
            fetched: Some(instant()),
            keys,
        };
        assert!(!held.serving(MAX_STALE).is_empty());
        assert!(held.serving(Duration::ZERO).is_empty());
        assert!(Held::default().serving(MAX_STALE).is_empty());
    }

    #[tokio::test]
    async fn where_no_key_set_was_ever_had_nobody_is_believed() {
        let gate = Gate::new("http://127.0.0.1:9/keys", "i", "a");
        assert!(gate.keys(MAX_AGE).await.is_empty());
        assert!(gate.held.lock().await.tried.is_some());
    }
}

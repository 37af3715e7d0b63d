//! Authorization servers in memory: what they say of each token, as a way to them that can be changed and counted while a
//! test runs.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_engine::authority::{Answered, Call, CallError, TokenEndpoints};
use serde_json::{Value, json};

/// A status and a body, or why there is no answer.
type Said = Result<(u16, String), String>;

/// What is said of each token: on introspection under the token itself, on exchange under `exchange ` and the token.
/// Of what is not there introspection says that it is inactive, and exchange that it is no grant.
#[derive(Debug, Default)]
pub struct Spoken {
    held: Mutex<HashMap<String, Said>>,
    calls: AtomicUsize,
}

impl Spoken {
    /// Says `answer` of `token`, with this status.
    pub fn say(&self, token: &str, status: u16, answer: impl Into<String>) {
        self.put(token, Ok((status, answer.into())));
    }

    /// Gives no answer about `token`.
    pub fn break_off(&self, token: &str) {
        self.put(token, Err("connection refused".to_owned()));
    }

    /// Says that `token` is active for an hour from `now` on, for the audience `api`.
    pub fn activate(&self, token: &str, now: i64, more: &[(&str, Value)]) {
        let mut answer = json!({
            "active": true, "iss": "https://servers.example", "aud": "api", "sub": token, "client_id": "app",
            "scope": "orders:read", "token_type": "Bearer", "iat": now, "exp": now + 3600,
        });
        for (name, value) in more {
            if let Some(member) = answer.as_object_mut() {
                member.insert((*name).to_owned(), value.clone());
            }
        }
        self.say(token, 200, answer.to_string());
    }

    /// How many calls came.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn put(&self, token: &str, answer: Said) {
        if let Ok(mut held) = self.held.lock() {
            held.insert(token.to_owned(), answer);
        }
    }
}

#[async_trait]
impl TokenEndpoints for Spoken {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let field = |wanted: &str| {
            let mut fields = call.form.iter();
            fields.find_map(|(name, value)| (*name == wanted).then_some(*value))
        };
        let (asked, otherwise) = match (field("token"), field("subject_token")) {
            (Some(token), _) => (token.to_owned(), (200, r#"{"active":false}"#)),
            (None, Some(token)) => (
                format!("exchange {token}"),
                (400, r#"{"error":"invalid_grant"}"#),
            ),
            (None, None) => (String::new(), (400, r#"{"error":"invalid_request"}"#)),
        };
        let held = self.held.lock().ok();
        let known = held.and_then(|held| held.get(&asked).cloned());
        let (status, body) = match known {
            Some(Err(why)) => return Err(CallError::Failed(call.endpoint.url.clone(), why)),
            Some(Ok(answer)) => answer,
            None => (otherwise.0, otherwise.1.to_owned()),
        };
        Ok(Answered {
            status,
            media_type: "application/json".to_owned(),
            body: body.into_bytes(),
        })
    }
}

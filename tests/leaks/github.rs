//! GitHub on this machine: a server that publishes public keys, and signs reports with them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Router, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

/// One key with its name.
pub(crate) struct Signer {
    pub(crate) name: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(name: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self {
            name: name.to_owned(),
            pair: pair.unwrap(),
        }
    }

    pub(crate) fn sign(&self, body: &[u8]) -> String {
        let signature = self.pair.sign(&SystemRandom::new(), body).unwrap();
        STANDARD.encode(signature.as_ref())
    }

    fn pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let lines = lines.join("\n");
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }
}

/// The server. It ends when dropped.
pub(crate) struct GitHub {
    pub(crate) url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    heard: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl GitHub {
    pub(crate) async fn start(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let heard = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&answer), Arc::clone(&heard));
        let router = Router::new().fallback(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = told.lock().unwrap().clone();
            async move { answer }
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let github = Self {
            url: format!("http://{address}/meta/public_keys/secret_scanning"),
            answer,
            heard,
            task,
        };
        github.publish(signers);
        github
    }

    /// Publishes these keys and no others.
    pub(crate) fn publish(&self, signers: &[&Signer]) {
        let keys: Vec<_> = signers
            .iter()
            .map(|one| json!({"key_identifier": one.name, "key": one.pem(), "is_current": true}))
            .collect();
        let body = json!({"public_keys": keys}).to_string();
        *self.answer.lock().unwrap() = (StatusCode::OK, body);
    }

    /// Answers nothing of use from now on.
    pub(crate) fn fail(&self) {
        let failure = (StatusCode::FORBIDDEN, "rate limit exceeded".to_owned());
        *self.answer.lock().unwrap() = failure;
    }

    /// How often it was asked.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

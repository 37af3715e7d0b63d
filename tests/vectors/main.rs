//! Whole tokens against the JWT layer as the pipeline calls it: examples of the standards, tokens of every algorithm,
//! attacks that have worked on others, and what the caches may and may not do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "everything in this crate is a test or serves one"
)]

mod attacks;
mod caches;
mod forms;
mod property;
mod spelling;
mod standards;

use std::sync::Arc;

use doorward_engine::{
    Denial, Reason,
    config::Faults,
    identity::Subject,
    layers::jwt::{Algorithm, IssuerConfig, Issuers, RawIssuer},
};
use doorward_keys::Timestamp;
use doorward_tests::{
    documents::Documents,
    tokens::{SigningKey, Token, key_set},
};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "https://acme.example";
pub(crate) const KEYS: &str = "https://acme.example/keys";

/// A gate for one issuer whose key set is at [`KEYS`].
pub(crate) struct Gate {
    pub(crate) documents: Arc<Documents>,
    issuers: Issuers,
}

impl Gate {
    /// With these issuers, in TOML.
    pub(crate) fn of(issuers: &[String]) -> Self {
        let raw: Vec<RawIssuer> = issuers
            .iter()
            .map(|issuer| toml::from_str(issuer).unwrap())
            .collect();
        let mut faults = Faults::default();
        let no_files = |_: &str| Err("no files".to_owned());
        let checked = IssuerConfig::check_all(raw, &no_files, &mut faults);
        let (faults, _) = faults.into_parts();
        assert!(faults.is_empty(), "{faults:?}");
        let documents = Arc::new(Documents::default());
        let issuers = Issuers::new(checked, 8192, Arc::clone(&documents) as _, |time| {
            Box::pin(tokio::time::sleep(time))
        });
        Self { documents, issuers }
    }

    /// For access tokens of [`ISSUER`] for the audience `api`.
    pub(crate) fn new(algorithms: &[Algorithm], keys: &[&SigningKey]) -> Self {
        let gate = Self::of(&[toml(ISSUER, algorithms, KEYS, "")]);
        gate.documents.publish(KEYS, key_set(keys.iter().copied()));
        gate
    }

    pub(crate) async fn verify_at(&self, token: &str, now: i64) -> Result<Subject, Denial> {
        let subject = self.issuers.verify(token, Timestamp::from_unix(now));
        subject.await.map(|subject| Subject::clone(&subject))
    }

    pub(crate) async fn accepts(&self, token: &str) -> Subject {
        match self.verify_at(token, NOW).await {
            Ok(subject) => subject,
            Err(denial) => panic!("{token}: {denial:?}"),
        }
    }

    /// Refuses for `reason`, and says nothing of the token in the log.
    pub(crate) async fn refuses(&self, token: &str, reason: Reason) -> String {
        match self.verify_at(token, NOW).await {
            Ok(subject) => panic!("{token}: {subject:?}"),
            Err(denial) => {
                let detail = denial.detail();
                assert_eq!(denial.reason(), reason, "{token}: {detail}");
                assert!(
                    detail.bytes().all(|byte| matches!(byte, b' '..=b'~')),
                    "{detail}"
                );
                assert!(detail.len() < 1000, "{detail}");
                for beginning in token.split('.').filter_map(|part| part.get(..12)) {
                    assert!(!detail.contains(beginning), "{detail}");
                }
                detail.to_owned()
            }
        }
    }
}

/// An issuer in TOML.
pub(crate) fn toml(issuer: &str, algorithms: &[Algorithm], keys: &str, more: &str) -> String {
    let names: Vec<String> = algorithms
        .iter()
        .map(|algorithm| format!("{:?}", algorithm.name()))
        .collect();
    format!(
        "issuer = \"{issuer}\"\njwks_uri = \"{keys}\"\nalgorithms = [{}]\naudiences = [\"api\"]\n{more}",
        names.join(", ")
    )
}

/// An access token as [`Gate::new`] takes it.
pub(crate) fn access() -> Token {
    Token::access(ISSUER, "api", NOW)
}

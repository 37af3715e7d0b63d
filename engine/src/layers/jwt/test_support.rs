//! What the tests of this layer share: published keys, a source of documents in memory, configurations from text.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use super::{FetchError, Fetched, IssuerConfig, KeySetSource, Origin, RawIssuer};
use crate::config::Faults;

/// RFC 7515 appendix A.2.1.
pub(super) const RSA: &str = r#""kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB""#;
/// RFC 7515 appendix A.3.1.
pub(super) const P256: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
/// RFC 7515 appendix A.4.1.
pub(super) const P521: &str = r#""kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2""#;
/// RFC 8037 appendix A.2.
pub(super) const ED25519: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

/// A key set of entries without their braces.
pub(super) fn key_set(entries: &[String]) -> String {
    format!(r#"{{"keys":[{{{}}}]}}"#, entries.join("},{"))
}

/// A checked issuer from TOML; every fault fails the test.
pub(super) fn issuer(toml: &str) -> Arc<IssuerConfig> {
    let raw: RawIssuer = toml::from_str(toml).unwrap();
    let mut faults = Faults::default();
    let config = IssuerConfig::check(raw, "issuer", &|_| Err("no files".to_owned()), &mut faults);
    Arc::new(config.unwrap_or_else(|| panic!("{faults:?}")))
}

/// An issuer that uses discovery, with `more` lines of configuration.
pub(super) fn discovering(more: &str) -> Arc<IssuerConfig> {
    issuer(&format!(
        "name = \"acme\"\nissuer = \"https://acme.example\"\nalgorithms = [\"RS256\", \"ES256\"]\naudiences = [\"api\"]\n{more}"
    ))
}

/// An issuer with a fixed address of its key set.
pub(super) fn at_uri(more: &str) -> Arc<IssuerConfig> {
    discovering(&format!("jwks_uri = \"{KEYS}\"\n{more}"))
}

pub(super) const KEYS: &str = "https://acme.example/keys";
pub(super) const OPENID: &str = "https://acme.example/.well-known/openid-configuration";
pub(super) const OAUTH: &str = "https://acme.example/.well-known/oauth-authorization-server";

/// Documents in memory under their addresses; what is not there cannot be fetched.
#[derive(Default)]
pub(super) struct Shelf {
    documents: Mutex<HashMap<String, Fetched>>,
    pub(super) fetches: AtomicUsize,
    pub(super) asked: Mutex<Vec<(String, Origin)>>,
    /// While this is held by a test, fetches wait.
    pub(super) gate: async_lock::Mutex<()>,
}

impl Shelf {
    pub(super) fn put(&self, url: &str, body: &str) {
        self.put_for(url, body, None);
    }

    pub(super) fn put_for(&self, url: &str, body: &str, max_age: Option<u64>) {
        let fetched = Fetched {
            body: body.as_bytes().to_vec(),
            max_age,
        };
        self.documents
            .lock()
            .unwrap()
            .insert(url.to_owned(), fetched);
    }

    pub(super) fn remove(&self, url: &str) {
        self.documents.lock().unwrap().remove(url);
    }

    pub(super) fn count(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl KeySetSource for Shelf {
    async fn fetch(&self, url: &str, origin: Origin) -> Result<Fetched, FetchError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().unwrap().push((url.to_owned(), origin));
        let _open = self.gate.lock().await;
        let found = self.documents.lock().unwrap().get(url).cloned();
        found.ok_or_else(|| FetchError::Failed(url.to_owned(), "status 404".to_owned()))
    }
}

//! A store that fails.

use doorward_keys::{
    AuditEntry, AuditSpan, Cursor, Digest, Earlier, Idempotency, KeyId, KeyLookup, KeyRecord, Page,
    StoreError, Trace, Written, lifecycle::Rotation,
};

use super::*;

/// A ledger that fails in one way.
struct Failing(StoreError);

#[async_trait::async_trait]
impl KeyLookup for Failing {
    async fn lookup(&self, _: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        Err(self.0.clone())
    }
}

#[async_trait::async_trait]
impl KeyLedger for Failing {
    async fn owner(&self, _: &KeyId) -> Result<Option<String>, StoreError> {
        Err(self.0.clone())
    }
    async fn trace(&self, _: &Digest) -> Result<Option<Trace>, StoreError> {
        Err(self.0.clone())
    }
    async fn import(&self, _: &KeyRecord, _: &[Digest], _: &AuditEntry) -> Result<(), StoreError> {
        Err(self.0.clone())
    }
    async fn rehash(
        &self,
        _: &KeyRecord,
        _: &Digest,
        _: &[Digest],
        _: u64,
        _: &AuditEntry,
    ) -> Result<(), StoreError> {
        Err(self.0.clone())
    }
    async fn delete(&self, _: &KeyRecord, _: u64, _: &AuditEntry) -> Result<(), StoreError> {
        Err(self.0.clone())
    }
    async fn audit_of_tenant(
        &self,
        _: &str,
        _: AuditSpan,
        _: usize,
        _: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        Err(self.0.clone())
    }
    async fn fetch(&self, _: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Err(self.0.clone())
    }
    async fn recall(&self, _: &Idempotency) -> Result<Option<Earlier>, StoreError> {
        Err(self.0.clone())
    }
    async fn create(
        &self,
        _: &KeyRecord,
        _: &AuditEntry,
        _: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        Err(self.0.clone())
    }
    async fn replace(&self, _: &KeyRecord, _: u64, _: &AuditEntry) -> Result<(), StoreError> {
        Err(self.0.clone())
    }
    async fn rotate(
        &self,
        _: &Rotation,
        _: u64,
        _: &[AuditEntry; 2],
        _: Option<&Idempotency>,
    ) -> Result<Written, StoreError> {
        Err(self.0.clone())
    }
    async fn list(
        &self,
        _: &str,
        _: usize,
        _: Option<&Cursor>,
    ) -> Result<Page<KeyRecord>, StoreError> {
        Err(self.0.clone())
    }
    async fn audit(
        &self,
        _: &KeyId,
        _: AuditSpan,
        _: usize,
        _: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        Err(self.0.clone())
    }
}

#[tokio::test]
async fn a_failing_store_is_told_by_kind_to_the_caller_and_in_full_to_the_log() {
    let id = "key_00000000000000000000000000";
    for (error, status, code, level) in [
        (
            StoreError::Unavailable("table `inner-name`".to_owned()),
            503,
            "unavailable",
            "error",
        ),
        (
            StoreError::Corrupt("attribute `inner-name`".to_owned()),
            500,
            "corrupt",
            "error",
        ),
        (
            StoreError::Conflict("item".to_owned()),
            409,
            "conflict",
            "warn",
        ),
    ] {
        let function = function_over(Arc::new(Failing(error)));
        let mut list = rest_event("GET", "/keys", None, None);
        list["queryStringParameters"] = json!({"tenant": "acme"});
        for event in [
            rest_event("POST", "/keys", None, Some(DRAFT)),
            rest_event("POST", "/keys/{id}/revoke", Some(id), None),
            rest_event("POST", "/keys/{id}/rotate", Some(id), None),
            rest_event("GET", "/keys/{id}", Some(id), None),
            list,
        ] {
            let (found, body) = rest(&function, &event, code).await;
            assert_eq!((found, &body["code"]), (status, &json!(code)));
            assert!(!body.to_string().contains("inner-name"), "{body}");
        }
        let lines = logged(code);
        assert_eq!(lines.len(), 5);
        for line in lines {
            assert_eq!(
                (&line["level"], &line["outcome"]),
                (&json!(level), &json!(code))
            );
            let cause = line["cause"].as_str().unwrap();
            assert!(code == "conflict" || cause.contains("inner-name"), "{line}");
        }
    }
}

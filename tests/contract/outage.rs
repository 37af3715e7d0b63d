//! A store that is away, slow, overloaded or talks nonsense: always unavailable, always within the time budget.

use std::time::Duration;

use axum::http::StatusCode;
use doorward_backends::dynamodb::{DynamoKeys, Patience, create_missing_tables};
use doorward_keys::{AuditAction, Digest, KeyLedger, KeyLookup, StoreError};
use doorward_tests::{
    dynamodb::{Parrot, Silent, keys_behind},
    keys::{audit, record},
};

use crate::{stores::Store, writes::create};

/// Reading and writing are both refused as unavailable, each within its budget, with `cause` in the message.
async fn is_unavailable(keys: &DynamoKeys, cause: &str) {
    // Beyond the budget itself, what a busy machine may take to notice.
    let budget = Patience::AUTHORIZER.total() + Duration::from_millis(800);
    let digest = Digest::of("a", None);
    let read = tokio::time::timeout(budget, keys.lookup(&digest)).await;
    let read = read.unwrap().map(|_| ());
    let key = record("acme", 1);
    let entry = audit(AuditAction::Create, &key, 0);
    let written = tokio::time::timeout(budget, keys.create(&key, &entry, None)).await;
    let written = written.unwrap().map(|_| ());
    for result in [read, written] {
        let Err(StoreError::Unavailable(message)) = result else {
            panic!("{result:?}");
        };
        assert!(message.contains(cause), "{message}");
        assert!(!message.contains(&digest.to_hex()), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[tokio::test]
async fn a_store_that_never_answers_is_unavailable_in_time() {
    let silent = Silent::start().await.unwrap();
    is_unavailable(&keys_behind(&silent.url, "keys").await, "no answer in time").await;
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable() {
    // A port that was free a moment ago and on which nobody listens.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    is_unavailable(&keys_behind(&url, "keys").await, "on table `keys`").await;
}

#[tokio::test]
async fn an_overloaded_store_is_unavailable_after_bounded_attempts() {
    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}"#;
    let parrot = Parrot::start(StatusCode::BAD_REQUEST, body).await.unwrap();
    let keys = keys_behind(&parrot.url, "keys").await;
    is_unavailable(&keys, "ProvisionedThroughputExceededException").await;
    let calls = 2;
    let attempts = usize::try_from(Patience::AUTHORIZER.attempts).unwrap();
    assert_eq!(parrot.heard(), calls * attempts);
}

#[tokio::test]
async fn a_refused_caller_is_unavailable_without_another_attempt() {
    let body = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"not authorized to perform this"}"#;
    let parrot = Parrot::start(StatusCode::BAD_REQUEST, body).await.unwrap();
    let keys = keys_behind(&parrot.url, "keys").await;
    is_unavailable(&keys, "AccessDeniedException: not authorized").await;
    assert_eq!(parrot.heard(), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_of_dynamodb_is_unavailable() {
    for (status, body) in [
        (StatusCode::OK, "<html>captive portal</html>"),
        (StatusCode::OK, "{\"Item\":"),
        (StatusCode::INTERNAL_SERVER_ERROR, ""),
        (StatusCode::NOT_FOUND, "nothing here"),
        (StatusCode::FOUND, ""),
    ] {
        let parrot = Parrot::start(status, body).await.unwrap();
        let keys = keys_behind(&parrot.url, "keys").await;
        let read = keys.lookup(&Digest::of("a", None)).await;
        assert!(
            matches!(read, Err(StoreError::Unavailable(_))),
            "{status} {body}: {read:?}"
        );
    }
}

#[tokio::test]
async fn an_item_of_another_key_is_refused() {
    // A store that answers every read with one and the same item, whole in itself.
    let body = r#"{"Item":{"pk":{"S":"key#0000000000000000000000000000000000000000000000000000000000000000"},
        "sk":{"S":"key"},"format":{"N":"1"},"digest":{"B":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        "id":{"S":"key_01HF7YAT000000000000000001"},"tenant":{"S":"acme"},"name":{"S":"n"},"environment":{"S":"live"},
        "scopes":{"L":[]},"created_at":{"N":"1700000000"},"changed_at":{"N":"1700000000"},"status":{"S":"active"},"metadata":{"M":{}},
        "version":{"N":"1"},"tenant_pk":{"S":"tenant#acme"},
        "tenant_sk":{"S":"00001700000000#key_01HF7YAT000000000000000001"}}}"#;
    let parrot = Parrot::start(StatusCode::OK, body).await.unwrap();
    let keys = keys_behind(&parrot.url, "keys").await;
    let own = keys.lookup(&Digest::from_bytes([0; 32])).await.unwrap();
    assert_eq!(own.unwrap().tenant, "acme");
    let other = keys.lookup(&Digest::of("other", None)).await;
    assert!(matches!(other, Err(StoreError::Corrupt(_))), "{other:?}");
}

pub(crate) async fn a_missing_table_is_unavailable(store: &Store) {
    let client = store.table().client.clone();
    let keys = DynamoKeys::new(client, "no-such-table");
    is_unavailable(&keys, "ResourceNotFoundException").await;
}

pub(crate) async fn tables_that_exist_are_left_as_they_are(store: &Store) {
    let key = record("acme", 1);
    create(store, &key).await;
    let table = store.table();
    create_missing_tables(&table.client, &table.names)
        .await
        .unwrap();
    assert_eq!(store.ledger.fetch(&key.id).await, Ok(Some(key)));
    let ttl = table
        .client
        .describe_time_to_live()
        .table_name(&table.names.keys)
        .send()
        .await
        .unwrap();
    let attribute = ttl.time_to_live_description.unwrap().attribute_name;
    assert_eq!(attribute.as_deref(), Some("purge_at"));
}

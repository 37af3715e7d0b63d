//! Records and their companions to items.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use doorward_keys::{AuditEntry, Digest, Idempotency, KeyId, KeyRecord};

use crate::dynamodb::schema;

pub(in crate::dynamodb) type Item = HashMap<String, AttributeValue>;

pub(in crate::dynamodb) fn record_item(record: &KeyRecord) -> Item {
    let mut item = new_item(
        &schema::record_pk(&record.digest.to_hex()),
        schema::RECORD_SK,
    );
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::DIGEST, digest(&record.digest));
    set(schema::ID, text(record.id.as_str()));
    set(schema::TENANT, text(&record.tenant));
    set(schema::NAME, text(&record.name));
    set(schema::ENVIRONMENT, text(&record.environment));
    set(schema::SCOPES, texts(&record.scopes));
    if let Some(routes) = &record.routes {
        set(schema::ROUTES, texts(routes));
    }
    if let Some(addresses) = &record.addresses {
        let ranges: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        set(schema::ADDRESSES, texts(&ranges));
    }
    set(schema::CREATED_AT, number(&record.created_at.unix()));
    if let Some(end) = record.expires_at {
        set(schema::EXPIRES_AT, number(&end.unix()));
    }
    set(schema::STATUS, text(record.status.as_str()));
    if let Some(id) = &record.rotated_from {
        set(schema::ROTATED_FROM, text(id.as_str()));
    }
    if let Some(id) = &record.rotated_to {
        set(schema::ROTATED_TO, text(id.as_str()));
    }
    if let Some(key) = &record.usage_plan_key {
        set(schema::USAGE_PLAN_KEY, text(key));
    }
    if let Some(plan) = &record.plan {
        set(schema::PLAN, text(plan));
        set(schema::FORMAT, number(&schema::PLAN_FORMAT_VERSION));
    }
    let metadata = record.metadata.iter();
    let metadata = metadata.map(|(name, value)| (name.clone(), text(value)));
    set(schema::METADATA, AttributeValue::M(metadata.collect()));
    set(schema::VERSION, number(&record.version));
    set(schema::TENANT_PK, text(&schema::tenant_pk(&record.tenant)));
    set(schema::TENANT_SK, text(&record.list_position()));
    item
}

pub(in crate::dynamodb) fn id_item(record: &KeyRecord) -> Item {
    let mut item = new_item(&schema::id_pk(record.id.as_str()), schema::ID_SK);
    item.insert(schema::DIGEST.to_owned(), digest(&record.digest));
    item
}

pub(in crate::dynamodb) fn audit_item(entry: &AuditEntry) -> Item {
    let sk = format!("{}{}", schema::AUDIT_SK, entry.id);
    let mut item = new_item(&schema::id_pk(entry.key_id.as_str()), &sk);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::ACTION, text(entry.action.as_str()));
    set(schema::AT, number(&entry.at.unix()));
    set(schema::ACTOR, text(&entry.actor));
    set(schema::VERSION, number(&entry.version));
    if let Some(reason) = &entry.reason {
        set(schema::REASON, text(reason));
    }
    if let Some(related) = &entry.related {
        set(schema::RELATED, text(related.as_str()));
    }
    item
}

pub(in crate::dynamodb) fn request_item(request: &Idempotency, made: &KeyId) -> Item {
    let mut item = new_item(&schema::request_pk(&request.name), schema::REQUEST_SK);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::CONTENT, text(&request.content));
    set(schema::ID, text(made.as_str()));
    set(schema::PURGE_AT, number(&request.expires_at().unix()));
    item
}

fn new_item(pk: &str, sk: &str) -> Item {
    HashMap::from([
        (schema::PK.to_owned(), text(pk)),
        (schema::SK.to_owned(), text(sk)),
        (schema::FORMAT.to_owned(), number(&schema::FORMAT_VERSION)),
    ])
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn texts(values: &[String]) -> AttributeValue {
    AttributeValue::L(values.iter().map(|value| text(value)).collect())
}

fn digest(value: &Digest) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_bytes().to_vec()))
}

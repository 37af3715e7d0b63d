//! Records and their companions to items.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use doorward_keys::{AuditEntry, Digest, Idempotency, KeyEvent, KeyId, KeyRecord, Timestamp};

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
    set(schema::CHANGED_AT, number(&record.changed_at.unix()));
    if let Some(id) = &record.rotated_from {
        set(schema::ROTATED_FROM, text(id.as_str()));
    }
    if let Some(id) = &record.rotated_to {
        set(schema::ROTATED_TO, text(id.as_str()));
    }
    if let Some(at) = record.rotates_at {
        set(schema::ROTATES_AT, number(&at.unix()));
    }
    if let Some(key) = &record.usage_plan_key {
        set(schema::USAGE_PLAN_KEY, text(key));
    }
    if let Some(plan) = &record.plan {
        set(schema::PLAN, text(plan));
        set(schema::FORMAT, number(&schema::PLAN_FORMAT_VERSION));
    }
    if record.decoy {
        set(schema::DECOY, text("yes"));
        set(schema::FORMAT, number(&schema::DECOY_FORMAT_VERSION));
    }
    set(schema::METADATA, map(&record.metadata));
    set(schema::VERSION, number(&record.version));
    set(schema::TENANT_PK, text(&schema::tenant_pk(&record.tenant)));
    set(schema::TENANT_SK, text(&record.list_position()));
    if let Some((day, position)) = record.calendar_position() {
        set(schema::DAY_PK, text(&schema::expiry_pk(day)));
        set(schema::DAY_SK, text(&position));
    }
    item
}

/// What stands in the place of a deleted record.
pub(in crate::dynamodb) fn tombstone_item(record: &KeyRecord, at: Timestamp) -> Item {
    let pk = schema::record_pk(&record.digest.to_hex());
    let mut item = new_item(&pk, schema::RECORD_SK);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::DIGEST, digest(&record.digest));
    set(schema::ID, text(record.id.as_str()));
    set(schema::TENANT, text(&record.tenant));
    set(schema::DELETED_AT, number(&at.unix()));
    item
}

/// What stands under another digest of the key of `record`.
pub(in crate::dynamodb) fn link_item(record: &KeyRecord, other: &Digest, at: Timestamp) -> Item {
    let there = KeyRecord {
        digest: other.clone(),
        ..record.clone()
    };
    let mut item = tombstone_item(&there, at);
    item.insert(schema::MOVED_TO.to_owned(), digest(&record.digest));
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
    if !entry.fields.is_empty() {
        set(schema::FIELDS, texts(&entry.fields));
    }
    set(
        schema::TENANT_PK,
        text(&schema::tenant_audit_pk(&entry.tenant)),
    );
    set(
        schema::TENANT_SK,
        text(&format!("{}#{}", entry.id, entry.key_id)),
    );
    item
}

pub(in crate::dynamodb) fn event_item(event: &KeyEvent) -> Item {
    let part = schema::outbox_part(event.key_id.as_str());
    let mut item = new_item(&schema::outbox_pk(part), &event.id);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::KIND, text(event.kind.as_str()));
    set(schema::AT, number(&event.at.unix()));
    set(schema::ID, text(event.key_id.as_str()));
    set(schema::TENANT, text(&event.tenant));
    set(schema::NAME, text(&event.name));
    set(schema::ENVIRONMENT, text(&event.environment));
    set(schema::STATUS, text(event.status.as_str()));
    if let Some(end) = event.expires_at {
        set(schema::EXPIRES_AT, number(&end.unix()));
    }
    set(schema::VERSION, number(&event.version));
    if let Some(actor) = &event.actor {
        set(schema::ACTOR, text(actor));
    }
    if let Some(reason) = &event.reason {
        set(schema::REASON, text(reason));
    }
    if let Some(related) = &event.related {
        set(schema::RELATED, text(related.as_str()));
    }
    if !event.fields.is_empty() {
        set(schema::FIELDS, texts(&event.fields));
    }
    set(schema::DETAILS, map(&event.details));
    item
}

/// Remembers that an event of that name was written about a key.
pub(in crate::dynamodb) fn notice_item(id: &KeyId, name: &str, forgotten_at: Timestamp) -> Item {
    let sk = format!("{}{name}", schema::NOTICE_SK);
    let mut item = new_item(&schema::id_pk(id.as_str()), &sk);
    item.insert(schema::PURGE_AT.to_owned(), number(&forgotten_at.unix()));
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

pub(super) fn new_item(pk: &str, sk: &str) -> Item {
    HashMap::from([
        (schema::PK.to_owned(), text(pk)),
        (schema::SK.to_owned(), text(sk)),
        (schema::FORMAT.to_owned(), number(&schema::FORMAT_VERSION)),
    ])
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn texts(values: &[String]) -> AttributeValue {
    AttributeValue::L(values.iter().map(|value| text(value)).collect())
}

fn map(values: &BTreeMap<String, String>) -> AttributeValue {
    let values = values.iter();
    let values = values.map(|(name, value)| (name.clone(), text(value)));
    AttributeValue::M(values.collect())
}

fn digest(value: &Digest) -> AttributeValue {
    AttributeValue::B(Blob::new(value.as_bytes().to_vec()))
}

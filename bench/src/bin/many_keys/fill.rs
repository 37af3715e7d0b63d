//! Fills a table: one key is made as key administration makes it, and its items are copied.

use std::{collections::HashMap, io::Write as _};

use anyhow::Context as _;
use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use doorward_backends::dynamodb::{DynamoKeys, schema};
use doorward_keys::{
    AuditAction, AuditEntry, Digest, KeyId, KeyLedger as _, KeyRecord, Timestamp,
    lifecycle::{self, Draft, Fresh, Limits},
};

/// When the first key was made.
pub(crate) const BEGIN: Timestamp = Timestamp::from_unix(1_800_000_000);
pub(crate) const LARGE: &str = "large";
pub(crate) const SMALL: &str = "small";
const DAY: i64 = 86_400;

type Item = HashMap<String, AttributeValue>;

/// Key `number` of a table.
pub(crate) fn key(number: u32) -> KeyRecord {
    let tenant = if number % 10 == 9 { "other" } else { LARGE };
    record(number, tenant)
}

/// A key that is no copy; `number` tells it from the others.
fn record(number: u32, tenant: &str) -> KeyRecord {
    let draft = Draft {
        tenant: tenant.to_owned(),
        name: format!("key {number}"),
        environment: "live".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        routes: None,
        addresses: None,
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: std::collections::BTreeMap::new(),
        // Spread over days, so that none has more than its share, and also of few keys each has more than a page.
        lifetime_seconds: DAY * (1 + i64::from(number % 20)),
    };
    let fresh = Fresh {
        id: KeyId::new(BEGIN.plus(i64::from(number)), u128::from(number)),
        digest: Digest::of(&format!("key {number}"), None),
    };
    let limits = Limits {
        max_lifetime_seconds: DAY * 365,
        max_overlap_seconds: DAY,
    };
    let at = BEGIN.plus(i64::from(number));
    lifecycle::create(draft, fresh, at, limits).unwrap_or_else(|refusal| ended(&refusal))
}

fn ended(refusal: &lifecycle::Refusal) -> ! {
    eprintln!("the bench asks for a key that cannot be: {refusal}");
    std::process::exit(1)
}

/// Puts `count` keys into the table, and ten more of a small tenant.
pub(crate) async fn fill(client: &Client, table: &str, count: u32) -> anyhow::Result<()> {
    let keys = DynamoKeys::new(client.clone(), table);
    for number in 0..10 {
        let record = record(u32::MAX - number, SMALL);
        let entry = AuditEntry::of(
            AuditAction::Create,
            &record,
            "bench",
            BEGIN,
            u128::from(number),
        );
        keys.create(&record, &entry, None).await?;
    }
    let model = record(u32::MAX, SMALL);
    let pk = schema::record_pk(&model.digest.to_hex());
    let item = read(client, table, &pk, schema::RECORD_SK).await?;
    let pk = schema::id_pk(model.id.as_str());
    let pointer = read(client, table, &pk, schema::ID_SK).await?;
    let numbers: Vec<u32> = (0..count).collect();
    for chunk in numbers.chunks(12) {
        let puts = chunk
            .iter()
            .flat_map(|number| copies(&item, &pointer, &key(*number)));
        let puts = puts
            .map(|item| {
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let written = client.batch_write_item().request_items(table, puts);
        let left = written.send().await?.unprocessed_items.unwrap_or_default();
        anyhow::ensure!(left.is_empty(), "the table does not take all of a batch");
        if chunk.first().is_some_and(|first| first % 60_000 == 0) {
            eprint!(".");
            std::io::stderr().flush()?;
        }
    }
    eprintln!(" {count} keys");
    Ok(())
}

async fn read(client: &Client, table: &str, pk: &str, sk: &str) -> anyhow::Result<Item> {
    let found = client
        .get_item()
        .table_name(table)
        .key(schema::PK, AttributeValue::S(pk.to_owned()))
        .key(schema::SK, AttributeValue::S(sk.to_owned()))
        .send()
        .await?;
    found.item.context("the model is not there")
}

fn copies(item: &Item, pointer: &Item, key: &KeyRecord) -> [Item; 2] {
    let text = |value: String| AttributeValue::S(value);
    let number = |value: i64| AttributeValue::N(value.to_string());
    let digest = AttributeValue::B(Blob::new(key.digest.as_bytes().to_vec()));
    let (day, position) = key
        .calendar_position()
        .unwrap_or_else(|| std::process::exit(1));
    let end = key.expires_at.map_or(0, Timestamp::unix);
    let of_record = [
        (schema::PK, text(schema::record_pk(&key.digest.to_hex()))),
        ("digest", digest.clone()),
        ("id", text(key.id.to_string())),
        ("tenant", text(key.tenant.clone())),
        ("name", text(key.name.clone())),
        ("created_at", number(key.created_at.unix())),
        ("changed_at", number(key.changed_at.unix())),
        ("expires_at", number(end)),
        (schema::TENANT_PK, text(schema::tenant_pk(&key.tenant))),
        (schema::TENANT_SK, text(key.list_position())),
        (schema::DAY_PK, text(schema::expiry_pk(day))),
        (schema::DAY_SK, text(position)),
    ];
    let of_pointer = [
        (schema::PK, text(schema::id_pk(key.id.as_str()))),
        ("digest", digest),
    ];
    [changed(item, of_record), changed(pointer, of_pointer)]
}

fn changed<const N: usize>(item: &Item, changes: [(&str, AttributeValue); N]) -> Item {
    let mut item = item.clone();
    item.extend(changes.map(|(name, value)| (name.to_owned(), value)));
    item
}

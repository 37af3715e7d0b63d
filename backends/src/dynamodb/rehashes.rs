//! Moves of keys that the authorizer asks for, in the counters table: the authorizer writes nothing into the other one.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, config::Builder, primitives::Blob, types::AttributeValue};
use doorward_keys::{
    Cursor, Digest, KeyId, Page, Rehash, RehashBook, RehashSink, StoreError, Timestamp,
};

use super::{
    Patience,
    errors::unavailable,
    item::{Item, Reader},
    schema,
};

/// Moves that are asked for, in a table of `DynamoDB`. Asking needs the right to `dynamodb:UpdateItem`, doing what was asked for
/// those to `dynamodb:Query` and `dynamodb:DeleteItem`.
#[derive(Clone, Debug)]
pub struct DynamoRehashes {
    client: Client,
    table: String,
    patience: Patience,
}

impl DynamoRehashes {
    /// The moves in `table`, over the connections of `client`, each call with `patience`.
    pub fn new(client: &Client, table: impl Into<String>, patience: Patience) -> Self {
        Self {
            client: client.clone(),
            table: table.into(),
            patience,
        }
    }

    fn settings(&self) -> Builder {
        Builder::new()
            .timeout_config(self.patience.operation_timeouts())
            .retry_config(self.patience.retries())
    }
}

#[async_trait]
impl RehashSink for DynamoRehashes {
    async fn ask(&self, rehash: &Rehash, until: Timestamp) -> Result<(), StoreError> {
        let number = |number: i64| AttributeValue::N(number.to_string());
        let bytes = |digest: &Digest| AttributeValue::B(Blob::new(digest.as_bytes().to_vec()));
        let mut set = vec![
            (schema::FORMAT, number(schema::FORMAT_VERSION.into())),
            (schema::DIGEST, bytes(&rehash.digest)),
            (schema::COUNTERS_TTL, number(until.unix())),
        ];
        set.extend(
            rehash
                .proof
                .as_ref()
                .map(|proof| (schema::PROOF, bytes(proof))),
        );
        let assignments = set.iter().map(|(name, _)| format!("#{name} = :{name}"));
        let expression = assignments.collect::<Vec<_>>().join(", ");
        let names = set
            .iter()
            .map(|(name, _)| (format!("#{name}"), (*name).to_owned()));
        let names: HashMap<String, String> = names.collect();
        let values = set
            .into_iter()
            .map(|(name, value)| (format!(":{name}"), value));
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&rehash.key_id)))
            .update_expression(format!("SET {expression}"))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values.collect()))
            .customize()
            .config_override(self.settings())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| unavailable("UpdateItem", &self.table, &error))
    }
}

#[async_trait]
impl RehashBook for DynamoRehashes {
    fn parts(&self) -> u32 {
        schema::OUTBOX_PARTS
    }

    async fn asked(
        &self,
        part: u32,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Page<Result<Rehash, StoreError>>, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let behind = after.map_or("", Cursor::position);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            // Every sort key is behind a blank.
            .key_condition_expression("#pk = :pk AND #sk > :behind")
            .expression_attribute_names("#pk", schema::PK)
            .expression_attribute_names("#sk", schema::SK)
            .expression_attribute_values(":pk", text(&schema::rehash_pk(part)))
            .expression_attribute_values(
                ":behind",
                text(if behind.is_empty() { " " } else { behind }),
            )
            .consistent_read(true)
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .customize()
            .config_override(self.settings())
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        let more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default();
        let last = items.last().map(|item| Reader::text_of(item, schema::SK));
        Ok(Page {
            items: items.iter().map(read).collect(),
            next: last.transpose()?.filter(|_| more).map(Cursor::behind),
        })
    }

    async fn done(&self, id: &KeyId) -> Result<(), StoreError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .customize()
            .config_override(self.settings())
            .send()
            .await
            .map(|_| ())
            .map_err(|error| unavailable("DeleteItem", &self.table, &error))
    }
}

fn key(id: &KeyId) -> Item {
    let part = schema::outbox_part(id.as_str());
    HashMap::from([
        (
            schema::PK.to_owned(),
            AttributeValue::S(schema::rehash_pk(part)),
        ),
        (schema::SK.to_owned(), AttributeValue::S(id.to_string())),
    ])
}

fn read(item: &Item) -> Result<Rehash, StoreError> {
    let read = Reader::of(item)?;
    Ok(Rehash {
        key_id: read.key_id(schema::SK)?,
        digest: read.digest()?,
        proof: read.optional(schema::PROOF, Reader::bytes)?,
    })
}

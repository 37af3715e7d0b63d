//! One query of one partition, of the table or an index.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::StoreError;

use super::DynamoKeys;
use crate::dynamodb::{errors::unavailable, item::Item, schema};

/// What is looked for.
pub(super) struct Query {
    index: Option<&'static str>,
    pk: (&'static str, String),
    sk: &'static str,
    after: Option<String>,
    between: Option<(String, String)>,
}

impl Query {
    /// Everything in a partition of the table.
    pub(super) const fn of_table(partition: String) -> Self {
        Self {
            index: None,
            pk: (schema::PK, partition),
            sk: schema::SK,
            after: None,
            between: None,
        }
    }

    /// Everything in a partition of an index.
    pub(super) const fn of_index(
        index: &'static str,
        (pk, sk): (&'static str, &'static str),
        partition: String,
    ) -> Self {
        Self {
            index: Some(index),
            pk: (pk, partition),
            sk,
            after: None,
            between: None,
        }
    }

    /// Of it, what stands behind this sort key.
    pub(super) fn behind(self, after: Option<String>) -> Self {
        Self { after, ..self }
    }

    /// Of it, what stands from the first sort key to before the second.
    pub(super) fn between(self, first: String, behind: String) -> Self {
        Self {
            between: Some((first, behind)),
            ..self
        }
    }
}

impl DynamoKeys {
    /// At most `limit` items in order of their sort keys, and whether there may be more. Strongly consistent where that is to be
    /// had: not on an index.
    pub(super) async fn query(
        &self,
        query: Query,
        limit: usize,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let (pk, partition) = query.pk;
        let mut values = HashMap::from([(":pk".to_owned(), AttributeValue::S(partition))]);
        let mut names = HashMap::from([("#pk".to_owned(), pk.to_owned())]);
        let mut bind = |place: &str, value: String| {
            values.insert(place.to_owned(), AttributeValue::S(value));
            names.insert("#sk".to_owned(), query.sk.to_owned());
        };
        // The store takes one condition on the sort key. The place behind an item is the item's followed by the least character.
        let condition = match (query.after, query.between) {
            (None, None) => "#pk = :pk",
            (Some(after), None) => {
                bind(":after", after);
                "#pk = :pk AND #sk > :after"
            }
            (after, Some((first, behind))) => {
                let behind_last = after.map(|after| format!("{after}\u{1}"));
                let first = behind_last.map_or(first.clone(), |after| after.max(first));
                if first > behind {
                    return Ok((vec![], false));
                }
                bind(":first", first);
                bind(":behind", behind);
                "#pk = :pk AND #sk BETWEEN :first AND :behind"
            }
        };
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .consistent_read(query.index.is_none())
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        let more = answer.last_evaluated_key.is_some();
        Ok((answer.items.unwrap_or_default(), more))
    }
}

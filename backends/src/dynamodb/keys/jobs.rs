//! Flushes that are asked for, and how far long runs have come.

use async_trait::async_trait;
use doorward_keys::{FlushBook, JobPlaces, StoreError, Timestamp};

use super::{DynamoKeys, query::Query};
use crate::dynamodb::{
    item::{Item, Reader, flush_item, place_item},
    schema,
};

#[async_trait]
impl FlushBook for DynamoKeys {
    async fn ask(&self, stage: &str, from: Timestamp) -> Result<(), StoreError> {
        self.put(flush_item(stage, from)).await
    }

    async fn due(
        &self,
        stage: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let first = schema::time_sk(Timestamp::from_unix(0));
        let query = Query::of_table(schema::flush_pk(stage)).between(first, schema::time_sk(now));
        let (items, _) = self.query(query, limit.max(1)).await?;
        items.iter().map(time_of).collect()
    }

    async fn done(&self, stage: &str, from: Timestamp) -> Result<(), StoreError> {
        self.remove(schema::flush_pk(stage), schema::time_sk(from))
            .await
    }
}

fn time_of(item: &Item) -> Result<Timestamp, StoreError> {
    let read = Reader::of(item)?;
    let digits = read.text(schema::SK)?;
    let seconds = digits.parse().map_err(|_| read.corrupt(schema::SK))?;
    Ok(Timestamp::from_unix(seconds))
}

#[async_trait]
impl JobPlaces for DynamoKeys {
    async fn place(&self, job: &str) -> Result<Option<String>, StoreError> {
        let found = self.get(schema::place_pk(job), schema::PLACE_SK).await?;
        found
            .map(|item| Reader::of(&item)?.text(schema::PLACE).map(str::to_owned))
            .transpose()
    }

    async fn keep_place(&self, job: &str, place: &str) -> Result<(), StoreError> {
        self.put(place_item(job, place)).await
    }
}

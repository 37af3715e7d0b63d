//! What key administration does: sums over the items of an hour, whatever their regions.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::{
    Hour, Hours, KeyId, LastUse, Requests, StoreError, Timestamp, Usage, UsageHour, UsageReader,
};

use super::DynamoUsage;
use crate::dynamodb::{
    errors::unavailable,
    item::{Item, Reader},
    schema,
};

/// How many items are looked at in one call for the latest use: two for each of eight regions.
const NEWEST: i32 = 16;

#[async_trait]
impl UsageReader for DynamoUsage {
    async fn usage(&self, key: &KeyId, hours: Hours) -> Result<Vec<UsageHour>, StoreError> {
        let (from, until) = (hours.from(), hours.until());
        let within = Within {
            first: format!("{}{from}", schema::HOUR_SK),
            last: format!("{}{until}", schema::HOUR_SK),
        };
        let mut found: BTreeMap<Hour, (Usage, Requests)> = BTreeMap::new();
        let mut next = None;
        loop {
            let part = self.part(key, &within, Order::Forward, next).await?;
            for item in &part.items {
                let (hour, counted) = counted(item)?;
                let (decisions, requests) = found.entry(hour).or_default();
                match counted {
                    Counted::Decisions(more) => *decisions = decisions.plus(more),
                    Counted::Requests(more) => *requests = requests.plus(more),
                }
            }
            next = part.next;
            if next.is_none() {
                break;
            }
        }
        let hours = found.into_iter();
        let hours = hours.map(|(hour, (decisions, requests))| UsageHour {
            hour,
            decisions,
            requests,
        });
        Ok(hours.collect())
    }

    async fn last_use(&self, key: &KeyId) -> Result<Option<LastUse>, StoreError> {
        let all = Within {
            first: schema::HOUR_SK.to_owned(),
            // Behind every hour, as all of them begin with a digit.
            last: format!("{}~", schema::HOUR_SK),
        };
        let mut latest: Option<(Hour, LastUse)> = None;
        let mut next = None;
        loop {
            let part = self.part(key, &all, Order::Backward, next).await?;
            for item in &part.items {
                let (hour, counted) = counted(item)?;
                if let Some((known, last)) = latest
                    && hour < known
                {
                    return Ok(Some(last));
                }
                if let Counted::Decisions(Usage { last: Some(of), .. }) = counted {
                    let last = latest.map_or(of, |(_, last)| last.max(of));
                    latest = Some((hour, last));
                }
            }
            next = part.next;
            if next.is_none() {
                return Ok(latest.map(|(_, last)| last));
            }
        }
    }
}

/// The range of the sort key, both ends included.
struct Within {
    first: String,
    last: String,
}

/// From the first hour on, or from the last back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
}

struct Part {
    items: Vec<Item>,
    next: Option<Item>,
}

impl DynamoUsage {
    async fn part(
        &self,
        key: &KeyId,
        within: &Within,
        order: Order,
        after: Option<Item>,
    ) -> Result<Part, StoreError> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .set_expression_attribute_names(Some(HashMap::from([
                ("#pk".to_owned(), schema::PK.to_owned()),
                ("#sk".to_owned(), schema::SK.to_owned()),
            ])))
            .expression_attribute_values(":pk", text(&schema::usage_pk(key.as_str())))
            .expression_attribute_values(":first", text(&within.first))
            .expression_attribute_values(":last", text(&within.last))
            .scan_index_forward(order == Order::Forward)
            .set_limit((order == Order::Backward).then_some(NEWEST))
            .set_exclusive_start_key(after)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable("Query", &self.table, &error))?;
        Ok(Part {
            items: answer.items.unwrap_or_default(),
            next: answer.last_evaluated_key,
        })
    }
}

enum Counted {
    Decisions(Usage),
    Requests(Requests),
}

fn counted(item: &Item) -> Result<(Hour, Counted), StoreError> {
    let read = Reader::of(item)?;
    let place = read.text(schema::SK)?;
    let hour = place
        .strip_prefix(schema::HOUR_SK)
        .and_then(|rest| rest.split_once('#'))
        .and_then(|(hour, _)| Hour::parse(hour))
        .ok_or_else(|| read.corrupt(schema::SK))?;
    if place.ends_with(schema::REQUESTS_SK) {
        let requests = Requests {
            total: read.number(schema::REQUESTS)?,
            throttled: read
                .optional(schema::REQUESTS_THROTTLED, Reader::number)?
                .unwrap_or_default(),
            failed: read
                .optional(schema::REQUESTS_FAILED, Reader::number)?
                .unwrap_or_default(),
        };
        return Ok((hour, Counted::Requests(requests)));
    }
    let address = read.optional(schema::LAST_ADDRESS, Reader::text)?;
    let address = address
        .map(str::parse)
        .transpose()
        .map_err(|_| read.corrupt(schema::LAST_ADDRESS))?;
    let at = read.optional(schema::LAST_USED_AT, Reader::number)?;
    let usage = Usage {
        allowed: read.number(schema::ALLOWED)?,
        unauthenticated: read.number(schema::UNAUTHENTICATED)?,
        forbidden: read.number(schema::FORBIDDEN)?,
        throttled: read.number(schema::THROTTLED)?,
        unavailable: read.number(schema::UNAVAILABLE)?,
        last: at.map(|at| LastUse {
            at: Timestamp::from_unix(at),
            address,
        }),
    };
    Ok((hour, Counted::Decisions(usage)))
}

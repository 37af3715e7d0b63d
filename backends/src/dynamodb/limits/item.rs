//! A bucket as an item: its key, what an update names, and how it is read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_engine::limits::{Bucket, LimitStoreError, Moment, Rule, Span, State};

use super::Update;
use crate::dynamodb::schema;

type Attributes = HashMap<String, AttributeValue>;

/// Every name that an expression may use, as its placeholder and as it is stored. Placeholders keep clear of the words
/// that the expression language reserves.
const NAMES: [(&str, &str); 6] = [
    ("#pk", schema::PK),
    ("#format", schema::FORMAT),
    ("#mark", schema::MARK),
    ("#current", schema::CURRENT),
    ("#previous", schema::PREVIOUS),
    ("#expires_at", schema::COUNTERS_TTL),
];

pub(super) fn key(bucket: &Bucket, region: &str) -> Attributes {
    let text = AttributeValue::S;
    HashMap::from([
        (
            schema::PK.to_owned(),
            text(schema::rate_pk(bucket.as_str())),
        ),
        (schema::SK.to_owned(), text(schema::rate_sk(region))),
    ])
}

/// The names used in `expressions`; the service refuses a request that names more.
pub(super) fn names(expressions: &[&str]) -> HashMap<String, String> {
    let used = |name: &str| expressions.iter().any(|text| text.contains(name));
    NAMES
        .iter()
        .filter(|(placeholder, _)| used(placeholder))
        .map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned()))
        .collect()
}

/// The values used in the expressions of `update`.
pub(super) fn values(update: &Update, forget_at: i128) -> Attributes {
    let fixed = [
        (":format", i128::from(schema::FORMAT_VERSION)),
        (":expires_at", forget_at),
        (":zero", 0),
    ];
    let is_used = |name: &str| update.texts().iter().any(|text| text.contains(name));
    fixed
        .into_iter()
        .chain(update.numbers())
        .filter(|(name, _)| is_used(name))
        .map(|(name, number)| (name.to_owned(), AttributeValue::N(number.to_string())))
        .collect()
}

/// When the item may be deleted, in seconds: a day after the bucket is as good as untouched.
pub(super) fn forget_at(rule: &Rule, now: Moment) -> i128 {
    let whole = now.plus(rule.memory()).plus(Span::DAY);
    i128::from(whole.timestamp().unix()) + 1
}

/// The bucket in an item. What is not exactly of our form is corrupt, and never taken as untouched.
pub(super) fn state(bucket: &Bucket, attributes: &Attributes) -> Result<State, LimitStoreError> {
    let number = |name: &str| match attributes.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse::<u64>().ok(),
        _ => None,
    };
    let read = |name: &str| {
        number(name).ok_or_else(|| {
            LimitStoreError::Corrupt(format!(
                "attribute `{name}` of `{bucket}` is missing or not of format {}",
                schema::FORMAT_VERSION
            ))
        })
    };
    if read(schema::FORMAT)? != u64::from(schema::FORMAT_VERSION) {
        return Err(LimitStoreError::Corrupt(format!(
            "`{bucket}` is not of format {}",
            schema::FORMAT_VERSION
        )));
    }
    Ok(State {
        mark: read(schema::MARK)?,
        current: read(schema::CURRENT)?,
        previous: read(schema::PREVIOUS)?,
    })
}

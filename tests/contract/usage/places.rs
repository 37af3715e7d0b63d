//! The stores under test.

use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use aws_sdk_dynamodb::Client;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoUsage, Patience, TableNames, connect, create_missing_tables},
    memory::MemoryUsage,
};
use doorward_keys::{
    Hour, Hours, KeyId, LastUse, Timestamp, Usage, UsageEntry, UsageHour, UsageReader, UsageSink,
};
use doorward_tests::dynamodb::endpoint_of_environment;

/// When the samples are counted: 2026-11-27T05:33:20Z.
pub(super) const NOW: Timestamp = Timestamp::from_unix(1_795_757_600);

/// For tests of counting, which are not about time: a busy machine may be slow.
pub(super) const CALM: Patience = Patience {
    connect: Duration::from_secs(5),
    attempt: Duration::from_secs(10),
    attempts: 1,
};

/// Enough time for everything.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// One store under test, written to by two who share nothing else.
pub(super) struct Place {
    pub(super) sinks: [Arc<dyn UsageSink>; 2],
    pub(super) reader: Arc<dyn UsageReader>,
    _running: Option<EmbeddedDynamo>,
}

impl Place {
    pub(super) fn memory() -> Ready<Option<Self>> {
        let usage = Arc::new(MemoryUsage::new());
        ready(Some(Self {
            sinks: [Arc::clone(&usage) as _, Arc::clone(&usage) as _],
            reader: usage,
            _running: None,
        }))
    }

    pub(super) async fn embedded() -> Option<Self> {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
            .await
            .unwrap();
        let client = dynamo.client().clone();
        Some(Self::on(&client, &names.counters, Some(dynamo)))
    }

    pub(super) async fn endpoint() -> Option<Self> {
        let url = endpoint_of_environment()?;
        let client = connect(doorward::dynamodb::connection(&url)).await;
        let names = crate::stores::own_tables();
        create_missing_tables(&client, &names).await.unwrap();
        Some(Self::on(&client, &names.counters, None))
    }

    fn on(client: &Client, table: &str, running: Option<EmbeddedDynamo>) -> Self {
        let usage = || Arc::new(DynamoUsage::new(client, table, CALM));
        Self {
            sinks: [usage(), usage()],
            reader: usage(),
            _running: running,
        }
    }

    /// Adds `entries` through sink `number`; all of them are written.
    pub(super) async fn add(&self, number: usize, entries: &[UsageEntry]) {
        let added = self.sinks[number].add(entries, LONG).await;
        assert_eq!(added, vec![Ok(()); entries.len()]);
    }

    /// The usage of `key` from the hour of [`NOW`] on.
    pub(super) async fn read(&self, key: &KeyId) -> Vec<UsageHour> {
        let hours = Hours::new(Hour::of(NOW), Hour::of(NOW).plus(Hours::MAX)).unwrap();
        self.reader.usage(key, hours).await.unwrap()
    }
}

pub(super) fn key(number: u128) -> KeyId {
    KeyId::new(NOW, number)
}

/// `allowed` calls that ended with one at `at`.
pub(super) fn used(allowed: u64, at: Timestamp, address: Option<&str>) -> Usage {
    Usage {
        allowed,
        last: Some(LastUse {
            at,
            address: address.map(|text| text.parse().unwrap()),
        }),
        ..Usage::default()
    }
}

/// What is to be added to key `number` in the hour of its latest use.
pub(super) fn entry(flush: &str, number: u128, usage: Usage) -> UsageEntry {
    let hour = Hour::of(usage.last.map_or(NOW, |last| last.at));
    UsageEntry {
        flush: flush.to_owned(),
        key: key(number),
        hour,
        usage,
        expires_at: hour.end().plus(400 * 86_400),
    }
}

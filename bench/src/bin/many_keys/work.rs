//! What is done on the table, with the calls that it takes and the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::Context as _;
use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
    },
};
use doorward_backends::dynamodb::DynamoKeys;
use doorward_bench::keys::policy;
use doorward_key_admin::{
    Caller, Command, KeyAdmin, KeyPolicy, SystemEntropy,
    command::{GetKey, ListKeys, RotateKey},
};
use doorward_keys::{Calendar as _, Cursor, Day, KeyLookup as _, Timestamp};
use doorward_report::numbers::median;

use super::fill::{BEGIN, LARGE, SMALL, key};

/// How often an operation is done in a round.
pub(crate) const CALLS: u32 = 25;

/// What a page holds.
const PAGE: usize = 25;

/// What is done.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Find,
    Get,
    ListSmall,
    ListLarge,
    ListLargeFromMiddle,
    Expiring,
    Rotate,
}

impl Operation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Find,
        Self::Get,
        Self::ListSmall,
        Self::ListLarge,
        Self::ListLargeFromMiddle,
        Self::Expiring,
        Self::Rotate,
    ];

    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Find => "find by digest",
            Self::Get => "get by id",
            Self::ListSmall => "list a small tenant",
            Self::ListLarge => "list a large tenant from the first",
            Self::ListLargeFromMiddle => "list a large tenant from the middle",
            Self::Expiring => "25 keys that expire on a day",
            Self::Rotate => "rotate",
        }
    }
}

/// One operation, [`CALLS`] times over.
pub(crate) struct Measured {
    /// Calls to the table, of all.
    pub(crate) calls: u64,
    /// The median of one.
    pub(crate) micros: f64,
}

/// Counts calls.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicU64>);

impl Intercept for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_dynamodb::error::BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Key administration on one table.
pub(crate) struct Bench {
    counting: Counting,
    keys: DynamoKeys,
    admin: KeyAdmin,
    /// How many keys there are.
    count: u32,
    now: Timestamp,
}

impl Bench {
    pub(crate) fn new(client: &Client, table: &str, count: u32) -> Self {
        let counting = Counting::default();
        let config = client.config().to_builder().interceptor(counting.clone());
        let keys = DynamoKeys::new(Client::from_conf(config.build()), table);
        let policy = KeyPolicy {
            gateway_ttl_seconds: 300,
            ..policy()
        };
        Self {
            counting,
            admin: KeyAdmin::new(policy, Arc::new(keys.clone())),
            keys,
            count,
            now: BEGIN.plus(i64::from(count)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    pub(crate) async fn measured(
        &self,
        operation: Operation,
        round: u32,
    ) -> anyhow::Result<Measured> {
        let mut micros = Vec::new();
        let before = self.counting.0.load(Ordering::Relaxed);
        for turn in round * CALLS..(round + 1) * CALLS {
            let begun = Instant::now();
            let done = self.once(operation, turn).await;
            micros.push(begun.elapsed().as_secs_f64() * 1e6);
            done.with_context(|| operation.name())?;
        }
        Ok(Measured {
            calls: self.counting.0.load(Ordering::Relaxed) - before,
            micros: median(&micros),
        })
    }

    async fn once(&self, operation: Operation, turn: u32) -> anyhow::Result<()> {
        let some = || key((turn * 7919 + 13) % self.count);
        match operation {
            Operation::Find => {
                let found = self.keys.lookup(&some().digest).await?;
                found.context("no key")?;
                Ok(())
            }
            Operation::Get => {
                let id = some().id.to_string();
                self.ask(Command::Get(GetKey { id })).await
            }
            Operation::ListSmall => self.list(SMALL, None).await,
            Operation::ListLarge => self.list(LARGE, None).await,
            Operation::ListLargeFromMiddle => {
                // A key of the large tenant.
                let middle = key(self.count / 2 / 10 * 10);
                let cursor = Cursor::behind(middle.list_position());
                self.list(LARGE, Some(cursor.to_string())).await
            }
            Operation::Expiring => {
                let day = Day::of(self.now.plus(10 * 86_400));
                let page = self.keys.expiring(day, PAGE, None).await?;
                anyhow::ensure!(page.items.len() == PAGE, "too few keys expire on {day}");
                Ok(())
            }
            Operation::Rotate => {
                // Another one each time, unless 31 divides the count.
                let id = key((turn * 31 + 510) % self.count).id.to_string();
                let rotate = RotateKey {
                    id,
                    overlap_seconds: None,
                    expires_in_days: None,
                    expected_version: None,
                    reason: None,
                    idempotency_key: None,
                };
                self.ask(Command::Rotate(rotate)).await
            }
        }
    }

    async fn list(&self, tenant: &str, cursor: Option<String>) -> anyhow::Result<()> {
        let list = ListKeys {
            tenant: tenant.to_owned(),
            limit: u32::try_from(PAGE).ok(),
            cursor,
        };
        self.ask(Command::List(list)).await
    }

    async fn ask(&self, command: Command) -> anyhow::Result<()> {
        let operator = Caller::operator("bench");
        let done = self.admin.run(command, &operator, self.now, &SystemEntropy);
        done.await?;
        Ok(())
    }
}

//! What is done on the table, with the calls that it takes and the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::Context as _;
use aws_sdk_dynamodb::config::{
    ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef,
};
use doorward::dynamodb::EmbeddedDynamo;
use doorward_backends::dynamodb::DynamoKeys;
use doorward_key_admin::{
    Caller, Command, KeyAdmin, KeyPolicy, SystemEntropy,
    command::{GetKey, ListKeys, RotateKey},
};
use doorward_keys::{Calendar as _, Cursor, Day, KeyLookup as _, Timestamp, format::KeyFormat};

use super::fill::{BEGIN, Filled, LARGE, SMALL};

/// How often each operation is done.
const ROUNDS: u32 = 50;

/// One operation.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Calls to the table for one.
    pub(crate) calls: u64,
    /// The median.
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

pub(crate) async fn measure(
    dynamo: &EmbeddedDynamo,
    table: &str,
    filled: &Filled,
) -> anyhow::Result<Vec<Measured>> {
    let counting = Counting::default();
    let config = dynamo.client().config().to_builder();
    let client = aws_sdk_dynamodb::Client::from_conf(config.interceptor(counting.clone()).build());
    let keys = DynamoKeys::new(client, table);
    let admin = KeyAdmin::new(policy(), Arc::new(keys.clone()));
    let now = BEGIN.plus(i64::from(filled.count));
    let some = |round: u32| Filled::key((round * 7919 + 13) % filled.count);
    let bench = Bench {
        counting: &counting,
        admin: &admin,
        now,
    };
    let mut rows = vec![
        bench
            .row("find by digest", async |round| {
                keys.lookup(&some(round).digest).await?.context("no key")?;
                Ok(())
            })
            .await?,
        bench
            .row("get by id", async |round| {
                let id = some(round).id.to_string();
                bench.ask(Command::Get(GetKey { id })).await
            })
            .await?,
    ];
    for (name, tenant, after) in [
        ("list a small tenant", SMALL, None),
        ("list a large tenant from the first", LARGE, None),
        (
            "list a large tenant from the middle",
            LARGE,
            Some(Filled::key(filled.count / 2 / 10 * 10)),
        ),
    ] {
        let cursor = after.map(|key| Cursor::behind(key.list_position()).to_string());
        let row = bench.row(name, async |_| {
            let list = ListKeys {
                tenant: tenant.to_owned(),
                limit: Some(25),
                cursor: cursor.clone(),
            };
            bench.ask(Command::List(list)).await
        });
        rows.push(row.await?);
    }
    let day = Day::of(now.plus(10 * 86_400));
    rows.push(
        bench
            .row("25 keys that expire on a day", async |_| {
                let page = keys.expiring(day, 25, None).await?;
                anyhow::ensure!(!page.items.is_empty(), "nothing expires");
                Ok(())
            })
            .await?,
    );
    rows.push(
        bench
            .row("rotate", async |round| {
                let id = Filled::key((round * 31 + 90 * 5 + 60) % filled.count)
                    .id
                    .to_string();
                let rotate = RotateKey {
                    id,
                    overlap_seconds: None,
                    expires_in_days: None,
                    expected_version: None,
                    reason: None,
                    idempotency_key: None,
                };
                bench.ask(Command::Rotate(rotate)).await
            })
            .await?,
    );
    Ok(rows)
}

struct Bench<'a> {
    counting: &'a Counting,
    admin: &'a KeyAdmin,
    now: Timestamp,
}

impl Bench<'_> {
    async fn ask(&self, command: Command) -> anyhow::Result<()> {
        let operator = Caller::operator("bench");
        let done = self.admin.run(command, &operator, self.now, &SystemEntropy);
        done.await?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    async fn row(
        &self,
        name: &'static str,
        work: impl AsyncFn(u32) -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let mut micros = Vec::new();
        let before = self.counting.0.load(Ordering::Relaxed);
        for round in 0..ROUNDS {
            let begun = Instant::now();
            work(round).await.with_context(|| name.to_owned())?;
            micros.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        let calls = self.counting.0.load(Ordering::Relaxed) - before;
        micros.sort_by(f64::total_cmp);
        let median = micros.get(micros.len() / 2).copied();
        Ok(Measured {
            name,
            calls: calls / u64::from(ROUNDS),
            micros: median.unwrap_or_default(),
        })
    }
}

fn policy() -> KeyPolicy {
    KeyPolicy {
        format: KeyFormat {
            prefix: "ck".to_owned(),
            environments: vec!["live".to_owned()],
            pepper: None,
            previous_pepper: None,
        },
        default_lifetime_days: 90,
        max_lifetime_days: 365,
        retention_days: 30,
        cache_seconds: 60,
        gateway_ttl_seconds: 300,
    }
}

//! What a process of the crowd is told.

use std::{
    fmt,
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doorward_backends::{
    dynamodb::{DynamoLimits, connect},
    memory::MemoryLimits,
    redis::RedisLimits,
};
use doorward_engine::{
    layers::rate_limit::{Terms, leases::Leases},
    limits::{Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Rule, Spent},
};
use doorward_tests::{
    limits::{CALM, cost, one_of_each},
    servers::connection,
};
use serde::{Deserialize, Serialize};

/// The variable that carries the job.
pub(crate) const VARIABLE: &str = "DOORWARD_TEST_CROWD";

/// How many tokens a process takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lease {
    /// None: every call asks the store.
    None,
    /// So many.
    Of(u64),
    /// As many as there may be.
    Half,
}

/// Every setting of leases that is tried.
pub(crate) const LEASES: [Lease; 4] = [Lease::None, Lease::Of(2), Lease::Of(10), Lease::Half];

/// Where the limits are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Store {
    Dynamo {
        url: String,
        table: String,
    },
    Redis(SocketAddr),
    Valkey(SocketAddr),
    /// That of the process.
    Memory,
}

/// What the callers take for the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clock {
    /// One moment for all.
    Standing,
    /// That of the machine.
    Running,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) store: Store,
    pub(crate) algorithm: String,
    pub(crate) limit: u64,
    pub(crate) window: Duration,
    /// How many processes there are, and callers in each.
    pub(crate) processes: usize,
    pub(crate) tasks: usize,
    /// Calls of each caller while the clock stands.
    pub(crate) calls: u64,
    pub(crate) lease: Lease,
    pub(crate) clock: Clock,
}

impl Job {
    #[expect(
        clippy::disallowed_methods,
        reason = "suites are steered by the environment"
    )]
    pub(crate) fn of_environment() -> Option<Self> {
        let text = std::env::var(VARIABLE).ok()?;
        Some(serde_json::from_str(&text).expect("a job"))
    }

    pub(crate) fn rule(&self) -> Rule {
        let rules = one_of_each(self.limit, self.window);
        let found = rules.into_iter().find(|(name, _)| *name == self.algorithm);
        found.expect("an algorithm").1
    }

    /// The bucket, the same for every process.
    pub(crate) fn bucket(&self) -> String {
        format!("{} {:?} {:?}", self.algorithm, self.clock, self.lease)
    }

    /// How many are leased; nothing where slots cannot be held.
    pub(crate) fn leased(&self) -> Option<u64> {
        let is_queue = matches!(self.rule().algorithm(), Algorithm::LeakyBucket { .. });
        match self.lease {
            _ if is_queue => None,
            Lease::None => None,
            Lease::Of(lease) => Some(lease),
            Lease::Half => Some(self.limit / 2),
        }
    }

    /// What the store itself admits at one moment.
    pub(crate) fn held_by_the_store(&self) -> u64 {
        let terms = Terms::new(self.rule(), self.leased().map(cost));
        terms.expect("a lease that fits").shared.limit()
    }

    pub(crate) async fn limits(&self) -> Spender {
        let store: Arc<dyn LimitStore> = match &self.store {
            Store::Dynamo { url, table } => {
                let client = connect(doorward::dynamodb::connection(url)).await;
                Arc::new(DynamoLimits::new(&client, table, CALM))
            }
            Store::Memory => Arc::new(MemoryLimits::new()),
            Store::Redis(address) | Store::Valkey(address) => {
                let limits = RedisLimits::new(&connection(*address)).unwrap();
                limits.prepare().await.unwrap();
                Arc::new(limits)
            }
        };
        let lease = self.leased().map(cost);
        Spender {
            leases: Leases::new(Arc::clone(&store), NonZeroUsize::MIN),
            store,
            terms: Terms::new(self.rule(), lease).expect("a lease that fits"),
            lease,
            asked_at: AtomicU64::new(0),
            bucket: Bucket::of(&self.bucket(), []),
        }
    }
}

/// Spends as the engine does: from what is leased, then from the store.
pub(crate) struct Spender {
    store: Arc<dyn LimitStore>,
    leases: Leases,
    terms: Terms,
    lease: Option<NonZeroU64>,
    bucket: Bucket,
    /// The latest time at which a lease was asked for, in microseconds.
    asked_at: AtomicU64,
}

impl Spender {
    /// What came of asking, and when it did. Who spends from a lease that another caller of this process took meanwhile spends
    /// after that, whatever the time at which they began.
    pub(crate) async fn spend(&self, now: Moment) -> Result<(Spent, Moment), LimitStoreError> {
        let (bucket, rule, one) = (&self.bucket, &self.terms.shared, cost(1));
        let Some(lease) = self.lease else {
            let spent = self.store.spend(bucket, rule, one, now).await?;
            return Ok((spent, now));
        };
        let spent = if let Some(spent) = self.leases.spend_leased(bucket, rule, one, now) {
            spent
        } else {
            self.asked_at.fetch_max(now.micros(), Ordering::SeqCst);
            let (spent, _) = self.leases.spend(bucket, rule, lease, one, now).await?;
            spent
        };
        let asked_at = self.asked_at.load(Ordering::SeqCst);
        let at = match rule.algorithm() {
            // Tokens lapse, so a later time could be behind the end of the lease.
            Algorithm::TokenBucket { .. } => now,
            _ => now.max(Moment::from_micros(asked_at)),
        };
        Ok((spent, at))
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = match self.store {
            Store::Dynamo { .. } => "DynamoDB",
            Store::Redis(_) => "Redis",
            Store::Valkey(_) => "Valkey",
            Store::Memory => "memory",
        };
        let Self {
            algorithm,
            limit,
            lease,
            clock,
            ..
        } = self;
        write!(
            f,
            "{store}, {algorithm}, lease {lease:?}, clock {clock:?}, limit {limit}"
        )
    }
}

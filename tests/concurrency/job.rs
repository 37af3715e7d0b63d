//! What a process of the crowd is told.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use doorward_backends::{
    dynamodb::{DynamoLimits, connect},
    redis::RedisLimits,
};
use doorward_engine::limits::{LimitStore, Rule};
use doorward_tests::{
    limits::{CALM, one_of_each},
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
}

/// Every setting of leases that is tried.
pub(crate) const LEASES: [Lease; 1] = [Lease::None];

/// Where the limits are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Store {
    Dynamo { url: String, table: String },
    Redis(SocketAddr),
    Valkey(SocketAddr),
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

    pub(crate) async fn limits(&self) -> Arc<dyn LimitStore> {
        let store: Arc<dyn LimitStore> = match &self.store {
            Store::Dynamo { url, table } => {
                let client = connect(doorward::dynamodb::connection(url)).await;
                Arc::new(DynamoLimits::new(&client, table, CALM))
            }
            Store::Redis(address) | Store::Valkey(address) => {
                let limits = RedisLimits::new(&connection(*address)).unwrap();
                limits.prepare().await.unwrap();
                Arc::new(limits)
            }
        };
        match self.lease {
            Lease::None => store,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = match self.store {
            Store::Dynamo { .. } => "DynamoDB",
            Store::Redis(_) => "Redis",
            Store::Valkey(_) => "Valkey",
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

//! Limits under many processes: of 64 callers in 8 processes, who share nothing but the store, no more are admitted than
//! the limit says, not even one.
//!
//! Every algorithm over every store, without leases and with small and large ones, twice: at one moment, where exactly the limit
//! is admitted or what leases leave of it, and with the clock running, where the bound of the algorithm holds over all that was
//! admitted. Prints a line for each, which says how much of the limit leases leave to be used. The memory of one process has
//! all 64 callers in it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test may panic"
)]

mod bounds;
mod caller;
mod crowd;
mod job;

use std::time::Duration;

use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;
use doorward_tests::{
    limits::one_of_each,
    servers::{Flavour, RedisServer},
};

use self::job::{Clock, Job, LEASES, Lease, Store};

const WINDOW: Duration = Duration::from_secs(1);

/// How much the crowd asks and is granted: always a multiple of the limit.
struct Load {
    /// Calls of each of the 64 while the clock stands, and the limit then.
    standing: (u64, u64),
    /// The limit while the clock runs.
    running: u64,
}

/// Every algorithm with every lease over `store`.
async fn hold_under_a_crowd(store: Store, load: Load) {
    for clock in [Clock::Standing, Clock::Running] {
        let (calls, limit) = match clock {
            Clock::Standing => load.standing,
            Clock::Running => (u64::MAX, load.running),
        };
        for (algorithm, rule) in one_of_each(limit, WINDOW) {
            for lease in LEASES {
                let (processes, tasks) = match store {
                    Store::Memory => (1, 64),
                    _ => (8, 8),
                };
                let job = Job {
                    store: store.clone(),
                    processes,
                    tasks,
                    algorithm: algorithm.to_owned(),
                    limit,
                    window: WINDOW,
                    calls,
                    lease,
                    clock,
                };
                if lease != Lease::None && job.leased().is_none() {
                    continue;
                }
                let seen = crowd::run(&job).await;
                println!("{job}: {}", seen.told(&job));
                seen.check(&job, &rule);
            }
        }
    }
}

/// Servers that answer thousands of calls in a second.
const SWIFT: Load = Load {
    standing: (5, 150),
    running: 150,
};
/// One that answers some dozens, built for debugging as it is here.
const SLOW: Load = Load {
    standing: (2, 50),
    running: 20,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_admitted_above_a_limit_in_dynamodb() {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
        .await
        .unwrap();
    let store = Store::Dynamo {
        url: dynamo.endpoint_url(),
        table: names.counters,
    };
    hold_under_a_crowd(store, SLOW).await;
}

#[tokio::test]
async fn nobody_is_admitted_above_a_limit_in_redis() {
    if let Some(server) = RedisServer::start(Flavour::Redis, &[]).await {
        hold_under_a_crowd(Store::Redis(server.address()), SWIFT).await;
    }
}

#[tokio::test]
async fn nobody_is_admitted_above_a_limit_in_valkey() {
    if let Some(server) = RedisServer::start(Flavour::Valkey, &[]).await {
        hold_under_a_crowd(Store::Valkey(server.address()), SWIFT).await;
    }
}

#[tokio::test]
async fn nobody_is_admitted_above_a_limit_in_memory() {
    hold_under_a_crowd(Store::Memory, SWIFT).await;
}

/// One process of the crowd: this program again, told by a variable what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the others"]
async fn a_process_of_the_crowd() {
    if let Some(job) = Job::of_environment() {
        caller::run(&job).await;
    }
}

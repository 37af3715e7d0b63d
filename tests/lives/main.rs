//! The lives of keys under many hands at once, on a store whose answers get lost: random commands of concurrent actors, who
//! repeat what they heard no answer to, and runs of jobs beside them. Afterwards the table is read, and what it holds must be explained by what was
//! answered.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod actor;
mod chance;
mod findings;
mod foreign;
mod jobs;
mod world;

use world::World;

/// Whose turn it is: how often calls are lost before and behind the store, in thousandths.
async fn live(seed: u64, lost: u64, unanswered: u64) {
    let world = World::new(seed, lost, unanswered).await;
    let mut actors = Vec::new();
    for number in 0..6 {
        let world = world.clone();
        actors.push(tokio::spawn(async move {
            actor::act(&world, number, 40).await;
        }));
    }
    // Two runs at once, as when one takes longer than a minute.
    for _ in 0..2 {
        let world = world.clone();
        actors.push(tokio::spawn(async move { jobs::run(&world, 25).await }));
    }
    for actor in actors {
        actor.await.unwrap();
    }
    jobs::settle(&world).await;
    findings::check(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hands_lose_no_update() {
    live(1, 0, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_never_arrive_leave_nothing_half_done() {
    live(2, 100, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_get_lost_hide_nothing_and_double_nothing() {
    live(3, 0, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_at_once_do_no_more_harm() {
    live(4, 60, 60).await;
}

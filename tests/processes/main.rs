//! The authorizer as a process of its own, with what surrounds it on Lambda: events, a table, and an end that it is told of
//! or not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod blocks;
mod breakers;
mod counting;
mod ending;
mod outages;
mod sandbox;
mod together;

//! The access log, from the batch that CloudWatch Logs sends to the counts in the table and what is shown of them.
//!
//! `documentation.json` is the sample that AWS gives for the event of a subscription, as the console of Lambda offers it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod counting;
mod house;
mod interrupted;
mod template;

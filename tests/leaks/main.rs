//! Reports of leaked keys: signed with a key that a server publishes, over an embedded `DynamoDB`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod github;
mod house;
mod refusals;
mod reports;
mod rotation;

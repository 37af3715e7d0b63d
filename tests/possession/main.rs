//! Client certificates and proofs of possession, from the event to the answer, with certificates of a tree of authorities and
//! proofs that are signed when the test runs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod bound;
mod caching;
mod certificates;
mod gate;
mod opaque;
mod processes;
mod proofs;
mod revocation;

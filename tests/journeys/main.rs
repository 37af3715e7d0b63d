//! `doorward local` through real sockets: what a caller sees, what the backend sees, and whether the authorizer was asked.
//! `docs/local.md` names a test of this suite after each of its paragraphs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails the test"
)]

mod addresses;
mod backend;
mod blocking;
mod caching;
mod credentials;
mod documentation;
mod house;
mod identity;
mod limits;
mod mtls;
mod paths;
mod refusals;
mod revocation;
mod usage;

//! The binary itself, as somebody at a terminal uses it: what it prints where, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper of a test fails the test"
)]

mod answers;
mod api;
mod api_bulk;
mod block;
mod bound;
mod bulk;
mod exports;
mod limits;
mod local;
mod opaque;
mod probe;
mod run;
mod secrets;
mod usage;
mod wired;

//! The decision engine: a checked [`Request`] goes in, a [`Verdict`] comes out.
//!
//! The journey of a request, in reading order:
//!
//! 1. [`request`]: what a caller asks, checked and stamped once with the time it was received.
//! 2. [`pipeline`]: **the order** of all layers, in one straight function, [`Engine::decide`].
//! 3. [`layers`]: one folder each; every result is evidence that the next step demands.
//! 4. [`decision`] and [`denial`]: what comes out, and the one table from reason to answer class.
//! 5. [`usage`]: what is counted of decisions, and when it is written.
//! 6. [`config`]: raw text to checked configuration, every fault at once with its place.
//!
//! Invariant: nothing here knows AWS, opens a socket, reads the environment or a clock.

pub mod attempt;
pub mod authority;
pub mod config;
pub mod context;
pub mod decision;
pub mod denial;
pub mod identity;
pub mod identity_token;
pub mod key_admin;
pub mod layers;
pub mod leaks;
pub mod limits;
mod memory;
pub mod pipeline;
pub mod request;
pub mod routes;
mod template;
#[cfg(test)]
mod test_support;
pub mod usage;
mod waiting;

pub use attempt::Attempt;
pub use config::Config;
pub use decision::{Decision, Grant, Trail, Verdict};
pub use denial::{Class, Denial, Reason};
pub use pipeline::{Engine, Sources};
pub use request::Request;

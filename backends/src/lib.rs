//! The traits' implementations.

pub mod http;

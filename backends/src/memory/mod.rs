//! Stores that live as long as the process: for tests, for trying things out without a table, and for limits and
//! breakers that one process keeps by itself.

mod breakers;
mod buckets;
mod keys;
mod limits;

pub use breakers::MemoryBreakers;
pub(crate) use buckets::Buckets;
pub use keys::MemoryKeys;
pub use limits::MemoryLimits;

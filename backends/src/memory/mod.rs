//! Stores that live as long as the process: for tests, for trying things out without a table, and for limits that one
//! process keeps by itself.

mod buckets;
mod keys;
mod limits;
mod usage;

pub(crate) use buckets::Buckets;
pub use keys::MemoryKeys;
pub use limits::MemoryLimits;
pub use usage::MemoryUsage;

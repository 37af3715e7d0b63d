//! Stores that live as long as the process: for tests, for trying things out without a table, and for limits that one
//! process keeps by itself.

mod buckets;
mod crls;
mod keys;
mod limits;
mod replays;

pub(crate) use buckets::Buckets;
pub use crls::MemoryCrls;
pub use keys::MemoryKeys;
pub use limits::MemoryLimits;
pub use replays::MemoryReplays;

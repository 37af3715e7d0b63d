//! Stores that live as long as the process: for tests, for trying things out without a table, and for limits and
//! breakers that one process keeps by itself.

mod blocks;
mod breakers;
mod buckets;
mod crls;
mod keys;
mod limits;
mod rehashes;
mod replays;
mod usage;

pub use blocks::MemoryBlocks;
pub use breakers::MemoryBreakers;
pub(crate) use buckets::Buckets;
pub use crls::MemoryCrls;
pub use keys::MemoryKeys;
pub use limits::MemoryLimits;
pub use rehashes::MemoryRehashes;
pub use replays::MemoryReplays;
pub use usage::MemoryUsage;

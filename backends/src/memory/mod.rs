//! Stores that live as long as the process: for tests, and for trying things out without a table.

mod keys;

pub use keys::MemoryKeys;

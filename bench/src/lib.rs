//! What the measurements share.

pub mod keys;
pub mod report;

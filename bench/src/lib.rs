//! What the measurements share.

pub mod keys;

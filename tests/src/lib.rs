//! Support for the suites: samples, counterparts and faults.

pub mod dynamodb;
pub mod keys;

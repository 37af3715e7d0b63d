//! Support for the suites: builders, faults and the comparison with committed files.

pub mod dynamodb;
pub mod faulty;
pub mod golden;
pub mod keys;

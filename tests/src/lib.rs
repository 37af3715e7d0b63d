//! Support for the suites: builders of what reaches Doorward from outside, faults, and the comparison with committed files.

pub mod authorities;
pub mod between;
pub mod certificates;
pub mod documents;
pub mod dynamodb;
pub mod faulty;
pub mod golden;
pub mod keys;
pub mod limits;
pub mod line;
pub mod oauth;
pub mod proofs;
pub mod remote;
pub mod runtime_api;
pub mod servers;

pub use doorward_tokens as tokens;

//! What the suites share: builders of the things that reach Doorward from outside.

pub mod documents;
pub mod tokens;

//! The `doorward` command: a whole gateway on this machine, keys, tokens, checks and explanations.

pub mod dynamodb;
pub mod local;
pub mod openapi;
pub mod reference;
pub mod state;

//! The `doorward` command: a whole gateway on this machine, keys, tokens, checks and explanations.

pub mod args;
pub mod caching;
pub mod clock;
pub mod commands;
pub mod configuration;
pub mod decider;
pub mod duration;
pub mod dynamodb;
pub mod exit;
pub mod input;
pub mod local;
pub mod openapi;
pub mod output;
pub mod reference;
mod shown_token;
pub mod state;
pub mod target;
pub mod template;
pub mod when;
pub mod wiring;

//! The life of API keys as commands: a library for the command line, and a companion Lambda.
//!
//! In reading order: [`command`] is what can be asked, checked with every fault at once; [`caller`] is who asks and how far
//! their word reaches, always from a verified identity and never from the request; [`KeyAdmin::run`] does it; [`reply`]
//! and [`error`] are what comes of it. [`jobs`] is what happens by itself; [`lambda`] brings events to commands and jobs, [`rest`] those
//! of a gateway; [`settings`] and [`wiring`] build the function.
//!
//! Rules:
//!
//! 1. The secret of a key is shown once, in the reply that made it, and stored nowhere. A repeat of the request answers
//!    the id only; a lost secret is replaced by rotating the key.
//! 2. Every change is written together with its audit entry, or not at all.
//! 3. Nobody grants what they lack: a caller bound to a tenant makes and rotates keys with scopes of their own only.
//! 4. A key of another tenant is not there, for reading as for changing.
//! 5. Blocks of tokens ([`BlockAdmin`]) are for operators.

pub mod access_log;
mod admin;
mod blocks;
pub mod caller;
pub mod command;
pub mod entropy;
pub mod error;
pub mod jobs;
pub mod lambda;
pub mod leaks;
mod log;
pub mod reply;
pub mod rest;
pub mod settings;
mod strict_json;
pub mod wiring;

pub use admin::{FlushPolicy, KeyAdmin, KeyPolicy};
pub use blocks::{BlockAdmin, BlockPolicy};
pub use caller::{Caller, Permission};
pub use command::Command;
pub use entropy::{Entropy, SystemEntropy};
pub use error::AdminError;
pub use jobs::{Job, Jobs};
pub use log::panics_to;
pub use reply::Reply;

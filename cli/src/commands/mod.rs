//! The commands, one folder each: `args.rs` is what can be said, `mod.rs` does it. What several of them need of the API of key
//! administration is in `admin_api.rs`.

pub mod addresses;
mod admin_api;
pub mod block;
pub mod check;
pub mod explain;
pub mod keys;
pub mod local;
pub mod probe;
pub mod routes;
pub mod schema;
pub mod token;

use crate::{
    args::{Args, Command},
    exit::Failure,
};

/// Does what the command line says.
///
/// # Errors
/// How the command ends when it does not succeed, and why.
pub async fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Local(args) => Box::pin(local::run(*args)).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Block(args) => block::run(args).await,
        Command::Token(args) => token::run(&args),
        Command::Check(args) => check::run(&args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Addresses(args) => addresses::run(&args).await,
        Command::Probe(args) => probe::run(args).await,
        Command::Routes(args) => routes::run(&args),
        Command::Schema => schema::run(),
    }
}

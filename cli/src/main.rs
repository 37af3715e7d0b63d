//! The `doorward` command.

use std::process::ExitCode;

use clap::Parser as _;
use doorward::{args::Args, commands, output};

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(commands::run(Args::parse())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                output::say(&format!(
                    "{}: {failure}",
                    output::styled(output::BAD, "doorward")
                ));
            }
            ExitCode::from(&failure)
        }
    }
}

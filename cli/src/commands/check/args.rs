//! What can be said to `doorward check`.

use std::path::PathBuf;

use clap::Args;

/// Find every fault of a configuration at once, with its place and what would be right.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward check                          doorward.toml in this folder
  doorward check infra/doorward.toml
  doorward check --json | jq '.faults[].message'

Secrets that cannot be had here (ssm:, secretsmanager:, unset variables) are not looked at; a note says which.
Exit codes: 0 no fault, 1 faults found, 2 the file cannot be read.")]
pub struct CheckArgs {
    /// The configuration; TOML, or JSON when it begins with `{`.
    #[arg(value_name = "FILE", default_value = "doorward.toml")]
    pub file: PathBuf,
    /// The configuration, as an option.
    #[arg(long = "config", value_name = "FILE", conflicts_with = "file")]
    pub config: Option<PathBuf>,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
    /// Treat warnings as faults.
    #[arg(long)]
    pub strict: bool,
}

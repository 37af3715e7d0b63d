//! What can be said to `doorward check`.

use clap::Args;
use doorward_backends::sources::ConfigSource;

use crate::configuration::parse_source;

/// Find every fault of a configuration.
///
/// All at once, each with its place and what would be right; and warnings of what works but should be known of.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward check                          doorward.toml in this folder
  doorward check infra/doorward.toml
  doorward check ssm:/doorward/config     the one that a function has
  doorward check --json | jq '.faults[].message'

Nobody is asked for a secret: those of SSM and Secrets Manager, and variables
that are not set, are not looked at; a note says which.

Exit codes:
  0  no fault
  1  faults found; with --strict, warnings too
  2  the file cannot be read
  3  a remote configuration cannot be had")]
pub struct CheckArgs {
    /// The configuration: a file, `ssm:/parameter`, `secretsmanager:name` or `appconfig:application/environment/profile`;
    /// TOML, or JSON when it begins with `{`.
    #[arg(value_name = "SOURCE", default_value = "doorward.toml", value_parser = parse_source)]
    pub file: ConfigSource,
    /// The configuration, as an option.
    #[arg(long = "config", value_name = "SOURCE", value_parser = parse_source, conflicts_with = "file")]
    pub config: Option<ConfigSource>,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
    /// Treat warnings as faults.
    #[arg(long)]
    pub strict: bool,
}

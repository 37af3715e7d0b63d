//! What can be said to `doorward explain`.

use std::path::PathBuf;

use clap::Args;
use doorward_backends::sources::ConfigSource;

use crate::configuration::parse_source;

/// Say layer by layer why an event is allowed or refused, and what would have to change.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward explain event.json                        with doorward.toml, now
  doorward explain event.json --at 1795428000        as it was at that time
  doorward explain - --json < event.json | jq .refusal.reason
  doorward explain event.json --table doorward-keys  with the keys of a table

Without --table, keys are looked for in the running `doorward local` of this
folder. Tables are only read.

Exit codes:
  0  the request would be allowed
  1  it would be refused
  2  the event or the configuration cannot be understood
  3  a secret or a remote configuration cannot be had")]
pub struct ExplainArgs {
    /// The event as the authorizer got it; `-` for standard input.
    #[arg(value_name = "EVENT")]
    pub event: PathBuf,
    /// The configuration: a file, `ssm:/parameter`, `secretsmanager:name` or `appconfig:application/environment/profile`.
    /// Without, that of the running gateway, or doorward.toml.
    #[arg(long, value_name = "SOURCE", value_parser = parse_source)]
    pub config: Option<ConfigSource>,
    /// The table with the keys.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The address of DynamoDB, for one that is not on AWS.
    #[arg(long, value_name = "URL", requires = "table")]
    pub endpoint: Option<String>,
    /// The time to decide for, in seconds since 1970-01-01T00:00:00Z. Without, now.
    #[arg(long, value_name = "SECONDS")]
    pub at: Option<i64>,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
}

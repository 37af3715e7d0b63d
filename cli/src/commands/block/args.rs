//! What can be said to `doorward block`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use doorward_backends::sources::ConfigSource;

use crate::{configuration::parse_source, duration, when::When};

/// End tokens before they expire.
///
/// Works on the running `doorward local` of this folder, on the table that --table names, or over the API that --api names, with
/// the AWS credentials of the environment. Only gates whose configuration has `block_list` look at the list.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward block add --token - --reason 'laptop stolen' < token.txt
  doorward block add --subject ann --issued-before now --for 12h
  doorward block list --table doorward-keys
  doorward block list --api \"$ADMIN_API_URL\"
  doorward block remove blk_01JD3Z9M8Q4W2Y6B0C5F7H1K3N

Exit codes:
  0  done
  1  no such block
  2  the command or the configuration cannot be understood, or has no
     `block_list`
  3  the table or the API does not answer")]
pub struct BlockArgs {
    /// The table with the keys, where blocks are too. Without, that of the running `doorward local`.
    #[arg(long, global = true, value_name = "NAME")]
    pub table: Option<String>,
    /// The address of DynamoDB, for one that is not on AWS.
    #[arg(long, global = true, value_name = "URL", requires = "table")]
    pub endpoint: Option<String>,
    /// The address of the API of key administration, in place of a table: with its stage, as the stack's output
    /// `AdminApiUrl` has it. Requests are signed with the AWS credentials of the environment.
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["table", "endpoint", "gateway_ttl"])]
    pub api: Option<String>,
    /// The configuration, for issuers and `block_list`: a file, `ssm:/parameter`, `secretsmanager:name` or
    /// `appconfig:application/environment/profile`. Without, that of the running gateway, or doorward.toml.
    #[arg(long, global = true, value_name = "SOURCE", value_parser = parse_source)]
    pub config: Option<ConfigSource>,
    /// How long the gateway keeps an answer, in seconds, for the time that is stated. Without, that of the running gateway, or with
    /// a table the longest there is: 3600.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub gateway_ttl: Option<u32>,
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with blocks.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Block tokens. The id of the block goes alone to standard output.
    Add(Add),
    /// Show the blocks, the first made first.
    #[command(after_help = "Example:\n  doorward block list --json")]
    List(Part),
    /// Take a block back.
    #[command(
        after_help = "Example:\n  doorward block remove blk_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --reason 'was found'"
    )]
    Remove(Remove),
    /// Show what was done to blocks, by whom and why, the first change first.
    #[command(after_help = "Example:\n  doorward block audit --limit 100")]
    Audit(Part),
}

/// `add`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["token", "jti", "origin_jti", "subject", "client", "all"]),
    after_help = "\
Examples:
  doorward block add --token - < token.txt
  doorward block add --jti 0e8b2c --for 1h --reason leaked
  doorward block add --subject ann --issued-before now --for 12h
  doorward block add --issuer https://id.example.com --client app --for 7d
  doorward block add --all --issued-before 2026-11-27T06:00:00Z --for 1d

A block must last as long as the tokens that it ends: --for at least their
lifetime. Says when they are refused everywhere."
)]
pub struct Add {
    /// `iss` of the tokens. Without, the only issuer of the configuration.
    #[arg(long, value_name = "ISSUER")]
    pub issuer: Option<String>,
    /// The JWT in this file, `-` for standard input: its `iss` and `jti`, and the end of the block from its `exp`. It is
    /// neither verified nor kept.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["issuer", "issued_before"])]
    pub token: Option<PathBuf>,
    /// The token with this `jti`.
    #[arg(long, value_name = "ID", conflicts_with = "issued_before")]
    pub jti: Option<String>,
    /// The tokens of the login with this `origin_jti`.
    #[arg(long, value_name = "ID")]
    pub origin_jti: Option<String>,
    /// The tokens of this subject.
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// The tokens of this OAuth client.
    #[arg(long, value_name = "ID")]
    pub client: Option<String>,
    /// All tokens of the issuer.
    #[arg(long)]
    pub all: bool,
    /// Leave tokens alone that were issued then or later: `now`, `36h` or `7d` ago, `2026-11-01`, or `2026-11-01T06:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub issued_before: Option<When>,
    /// How long the block counts, such as `12h`. Needed, but with --token.
    #[arg(long = "for", value_name = "TIME", value_parser = duration::not_negative, required_unless_present = "token")]
    pub lasting: Option<i64>,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `list` and `audit`.
#[derive(Debug, Args)]
pub struct Part {
    /// How many at most: 1 to 100.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Go on where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// The id of the block, such as `blk_01JD3Z…`.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

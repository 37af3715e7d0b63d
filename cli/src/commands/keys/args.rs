//! What can be said to `doorward keys`.

use clap::{Args, Subcommand, ValueEnum};
use doorward_backends::sources::ConfigSource;

use crate::{configuration::parse_source, when::When};

/// Make, show, rotate and revoke API keys.
///
/// Works on the running `doorward local` of this folder, or on the table that --table names, with the AWS credentials of the
/// environment. A new secret goes alone to standard output, everything that is said about it to standard error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys create --tenant acme --name ci --scope orders:read > key.txt
  doorward keys list --tenant acme --table doorward-keys
  doorward keys revoke key_01JD3Z… --reason 'left the company'
  doorward keys usage key_01JD3Z… --by day --since 30d
  doorward keys list --tenant acme --api \"$ADMIN_API_URL\"

Over the API only the right to call it is needed; `import` of keys needs the
pepper too. On a table `create`, `import`, `rotate` and `verify` need it; the
others work without.

Exit codes:
  0  done
  1  no such key, or the change is refused
  2  the command or the configuration cannot be understood
  3  the table or the API does not answer, or the pepper cannot be had")]
pub struct KeysArgs {
    /// The table with the keys. Without, that of the running `doorward local`.
    #[arg(long, global = true, value_name = "NAME")]
    pub table: Option<String>,
    /// The address of DynamoDB, for one that is not on AWS.
    #[arg(long, global = true, value_name = "URL", requires = "table")]
    pub endpoint: Option<String>,
    /// The address of the API of key administration, in place of a table: with its stage, as the stack's output
    /// `AdminApiUrl` has it. Requests are signed with the AWS credentials of the environment.
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["table", "endpoint"])]
    pub api: Option<String>,
    /// The configuration, for prefix, environments, pepper and lifetimes: a file, `ssm:/parameter`, `secretsmanager:name` or
    /// `appconfig:application/environment/profile`. Without, that of the running gateway, or doorward.toml.
    #[arg(long, global = true, value_name = "SOURCE", value_parser = parse_source)]
    pub config: Option<ConfigSource>,
    /// How long the gateway keeps an answer of the authorizer, in seconds, for saying when a change counts. Without, with a table,
    /// the longest there is: 3600.
    #[arg(long, global = true, value_name = "SECONDS", requires = "table", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub gateway_ttl: Option<u32>,
    /// Answer as JSON, secret included.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a key. Its secret is shown once, alone on standard output.
    Create(Create),
    /// Show one key.
    #[command(
        visible_alias = "show",
        after_help = "Example:\n  doorward keys get key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --json"
    )]
    Get(One),
    /// Show the keys of a tenant, the oldest first.
    List(List),
    /// Give a key a successor with the same rights; the old one works on for the overlap.
    Rotate(Rotate),
    /// Say when a key is to be rotated by itself, or that it is not.
    Schedule(super::schedule::Args),
    /// Switch a key off; it can be switched on again.
    #[command(
        after_help = "Example:\n  doorward keys disable key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --reason 'odd calls'"
    )]
    Disable(Change),
    /// Switch a key on again.
    #[command(after_help = "Example:\n  doorward keys enable key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N")]
    Enable(Change),
    /// End a key for good.
    #[command(after_help = "\
Example:
  doorward keys revoke key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --reason leaked

Says after how many seconds at most the key is refused everywhere.")]
    Revoke(Change),
    /// Change what a key may do and what is known of it; what is not named stays.
    Update(super::update::Args),
    /// Remove what is stored of a key that was revoked, or has expired, long enough ago. Cannot be undone.
    Delete(Delete),
    /// Say whether a printed key is good, and what it may do. Reads the key from standard input.
    #[command(after_help = "Example:\n  doorward keys verify < key.txt")]
    Verify,
    /// Show the changes of a key, or of all keys of a tenant, the first one first.
    Audit(Audit),
    /// Print a regular expression that finds keys of this configuration, for secret scanners.
    #[command(after_help = "Example:\n  git grep -P \"$(doorward keys pattern)\"")]
    Pattern,
    /// Bring keys from elsewhere: plain lists, CSV, and exports of API Gateway, Kong and Tyk.
    Import(super::bulk::args::Import),
    /// Write all keys of tenants to standard output, without secrets.
    Export(super::bulk::args::Export),
    /// Show how often a key was used: what the authorizer decided beside what the access log of the gateway saw.
    Usage(Usage),
}

/// `create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys create --tenant acme --name ci --scope orders:read
  doorward keys create --tenant acme --name nightly --scope orders:read \\
      --route 'GET /orders/{id}' --address 203.0.113.0/24 \\
      --expires-in-days 30 --metadata team=billing
  doorward keys create --from partners.csv --secrets-to secrets.jsonl

With --from, --tenant, --environment, --scope and --expires-in-days hold for
rows that say nothing of it; other options cannot be given.")]
pub struct Create {
    /// Owner.
    #[arg(long, value_name = "TENANT", required_unless_present = "from")]
    pub tenant: Option<String>,
    /// What people call it.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    pub name: Option<String>,
    /// Many keys at once.
    #[command(flatten)]
    pub many: super::bulk::args::From,
    /// The environment word in the key. Without, the first one of the configuration.
    #[arg(long, value_name = "WORD")]
    pub environment: Option<String>,
    /// Scopes; several times, or several in one text.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Names of routes it may use; several times. Without, all that its scopes allow.
    #[arg(long = "route", conflicts_with = "from", value_name = "NAME")]
    pub routes: Vec<String>,
    /// Addresses and ranges from which it may be used; several times. Without, anywhere.
    #[arg(long = "address", conflicts_with = "from", value_name = "CIDR")]
    pub addresses: Vec<String>,
    /// How long it lives, in days. Without, as the configuration says.
    #[arg(long, value_name = "DAYS")]
    pub expires_in_days: Option<u32>,
    /// The value of a usage-plan key of the gateway.
    #[arg(long, conflicts_with = "from", value_name = "VALUE")]
    pub usage_plan_key: Option<String>,
    /// The name of a plan of the configuration, whose numbers its limits have. Without, those of everybody.
    #[arg(long, conflicts_with = "from", value_name = "NAME")]
    pub plan: Option<String>,
    /// Make a decoy: a key that opens nothing and whose first use is an alarm.
    #[arg(long, conflicts_with_all = ["scopes", "routes", "addresses", "usage_plan_key", "plan"])]
    pub decoy: bool,
    /// A fact for the backend: a name, `=`, a text; several times.
    #[arg(long = "metadata", conflicts_with = "from", value_name = "NAME=TEXT")]
    pub metadata: Vec<String>,
    /// Names this request, so that repeating it does not make a second key.
    #[arg(long, conflicts_with = "from", value_name = "TEXT")]
    pub idempotency_key: Option<String>,
}

/// `get`.
#[derive(Debug, Args)]
pub struct One {
    /// The id of the key, such as `key_01JD3Z…`; never the key itself.
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  doorward keys list --tenant acme --limit 100")]
pub struct List {
    /// Owner.
    #[arg(long, value_name = "TENANT")]
    pub tenant: String,
    /// How many at most: 1 to 100.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Go on where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  doorward keys rotate key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --overlap 12h > key.txt")]
pub struct Rotate {
    /// The id of the key.
    #[arg(value_name = "ID")]
    pub id: String,
    /// For how long the old key works beside the new one, such as `12h`. Without, a day.
    #[arg(long, value_name = "TIME", value_parser = crate::duration::not_negative)]
    pub overlap: Option<i64>,
    /// How long the successor lives, in days.
    #[arg(long, value_name = "DAYS")]
    pub expires_in_days: Option<u32>,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The version that you have seen; without, any.
    #[arg(long, value_name = "NUMBER")]
    pub expected_version: Option<u64>,
    /// Names this request, so that repeating it does not make a second successor.
    #[arg(long, value_name = "TEXT")]
    pub idempotency_key: Option<String>,
}

/// `disable`, `enable`, `revoke`.
#[derive(Debug, Args)]
pub struct Change {
    /// The id of the key.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why, for the audit.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The version that you have seen; without, any.
    #[arg(long, value_name = "NUMBER")]
    pub expected_version: Option<u64>,
}

/// `delete`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  doorward keys delete key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --yes

How long a key is kept after its end: `api_keys.retention_days`.")]
pub struct Delete {
    /// Which key, and why.
    #[command(flatten)]
    pub change: Change,
    /// Do it without being asked.
    #[arg(long)]
    pub yes: bool,
}

/// `audit`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys audit key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N
  doorward keys audit --tenant acme --action revoke --since 7d")]
pub struct Audit {
    /// The id of the key.
    #[arg(
        value_name = "ID",
        required_unless_present = "tenant",
        conflicts_with = "tenant"
    )]
    pub id: Option<String>,
    /// All keys of this owner.
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// What was done, such as `revoke`.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// Who did it: the whole name as the changes show it.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// From when: `36h` or `7d` ago, `2026-11-01`, or `2026-11-01T06:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub since: Option<When>,
    /// Until before when.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub until: Option<When>,
    /// How many at most: 1 to 100.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,
    /// Go on where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// `usage`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys usage key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N
  doorward keys usage key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --by day --since 90d
  doorward keys usage key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N --by month --csv \\
      --table doorward-keys --counters-table doorward-counters > usage.csv

A request that the gateway's cache answers is in the access log and was never
decided by the authorizer. Where no access log is counted, requests are `?`.")]
pub struct Usage {
    /// The id of the key.
    #[arg(value_name = "ID")]
    pub id: String,
    /// In which steps, of UTC.
    #[arg(long, value_enum, default_value_t = Step::Hour)]
    pub by: Step,
    /// From when: `36h` or `7d` ago, `2026-11-01`, or `2026-11-01T06:00:00Z`. Without, 24 hours, 30 days or 12 months.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub since: Option<When>,
    /// Until when; without, now.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    pub until: Option<When>,
    /// Answer as comma-separated values, one line for each step.
    #[arg(long)]
    pub csv: bool,
    /// The table with the counters. Needed with --table.
    #[arg(long, value_name = "NAME")]
    pub counters_table: Option<String>,
}

/// A step of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month of the calendar.
    Month,
}

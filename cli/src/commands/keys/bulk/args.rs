//! What can be said to `doorward keys import` and `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::read::Format;

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys import keys.csv --format aws --tenant acme --scope orders:read
  doorward keys import kong.json --format kong --tenant-column consumer
  doorward keys import hashes.csv --format csv --former-hash sha256

The keys themselves are digested here and stored nowhere. What is there already
stays as it is, so the command can be repeated; after an interruption it goes on
where it was. The authorizer takes these keys when `[[api_keys.imported]]` says
what they look like. See docs/importing-keys.md.

Exit codes:
  0  every key is there now
  1  some rows are faulty or refused; the others were imported
  2  the command, the configuration or the file cannot be understood
  3  the table did not answer; give the command again to go on")]
pub struct Import {
    /// The file with the keys.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What the file is.
    #[arg(long, value_enum)]
    pub format: Format,
    /// The owner of all keys.
    #[arg(long, value_name = "TENANT", conflicts_with = "tenant_column")]
    pub tenant: Option<String>,
    /// The column, or member, that names the owner.
    #[arg(long, value_name = "NAME")]
    pub tenant_column: Option<String>,
    /// The environment word of all keys. Without, the first one of the configuration.
    #[arg(long, value_name = "WORD")]
    pub environment: Option<String>,
    /// Scopes of keys for which the file names none; several times, or several in one text.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// How long keys live from now on for which the file says nothing, in days. Without, as the configuration says.
    #[arg(long, value_name = "DAYS")]
    pub expires_in_days: Option<u32>,
    /// The hash of the column `hash`, or of the keys of a hashed Tyk: `sha256`, `sha512` or `hmac-sha256`.
    #[arg(long, value_name = "HASH")]
    pub former_hash: Option<String>,
    /// Which columns mean what, and what their values mean here, as TOML.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// How many keys are imported at the same time.
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// Check everything, and say what would be imported.
    #[arg(long)]
    pub dry_run: bool,
    /// Where it is written how far the import is. Without, beside the file.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward keys export --tenant acme > acme.jsonl
  doorward keys export --tenant acme --tenant globex --format csv > keys.csv
  doorward keys export --tenant acme --with-digests > acme.jsonl

Secrets are stored nowhere and cannot be exported. With digests, the keys can be
imported into another table whose pepper is the same.")]
pub struct Export {
    /// Owner; several times.
    #[arg(long = "tenant", value_name = "TENANT", required = true)]
    pub tenants: Vec<String>,
    /// In which form.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub format: ExportFormat,
    /// With the digests under which keys are stored.
    #[arg(long)]
    pub with_digests: bool,
    /// Go on where an export of the first tenant was interrupted.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line, for machines and for `import --format doorward`.
    Jsonl,
    /// Comma-separated values, for spreadsheets.
    Csv,
}

/// How `create` makes many keys.
#[derive(Debug, Args)]
pub struct From {
    /// Make a key for each row of this file of comma-separated values, with the columns `tenant`, `name` and, where wanted,
    /// `environment`, `scopes`, `routes`, `addresses`, `expires_in_days`, `plan` and `metadata.NAME`.
    #[arg(long, value_name = "FILE", requires = "secrets_to")]
    pub from: Option<PathBuf>,
    /// A new file for the secrets: one JSON object a line, for your eyes only.
    #[arg(long, value_name = "FILE", requires = "from")]
    pub secrets_to: Option<PathBuf>,
}

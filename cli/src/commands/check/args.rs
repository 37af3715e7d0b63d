//! What can be said to `doorward check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use doorward_backends::sources::ConfigSource;

use crate::configuration::parse_source;

/// Find every fault of a configuration, and of the template that wires it.
///
/// All at once, each with its place and what would be right; and warnings of what works but should be known of. With
/// --template also what is unsafe or broken between the configuration and the APIs of a template of SAM or AWS.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward check                          doorward.toml in this folder
  doorward check infra/doorward.toml
  doorward check ssm:/doorward/config     the one that a function has
  doorward check --json | jq '.faults[].message'
  doorward check --template template.yaml --parameter AuthorizerTtlSeconds=300
  doorward check --template template.yaml --format sarif > doorward.sarif

Nobody is asked for a secret: those of SSM and Secrets Manager, and variables
that are not set, are not looked at; a note says which.

Exit codes:
  0  no fault
  1  faults or errors found; with --strict, warnings too
  2  a file cannot be read
  3  a remote configuration cannot be had")]
pub struct CheckArgs {
    /// The configuration: a file, `ssm:/parameter`, `secretsmanager:name` or `appconfig:application/environment/profile`;
    /// TOML, or JSON when it begins with `{`.
    #[arg(value_name = "SOURCE", default_value = "doorward.toml", value_parser = parse_source)]
    pub file: ConfigSource,
    /// The configuration, as an option.
    #[arg(long = "config", value_name = "SOURCE", value_parser = parse_source, conflicts_with = "file")]
    pub config: Option<ConfigSource>,
    /// The template that wires APIs to the authorizer, for SAM or as AWS has it, YAML or JSON.
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// The value of a parameter of the template, in place of its default; several times for several.
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "template", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// How to answer.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Answer as JSON; the same as `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Treat warnings as faults.
    #[arg(long)]
    pub strict: bool,
}

/// How the findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// JSON.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl CheckArgs {
    /// How to answer.
    pub(super) const fn form(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

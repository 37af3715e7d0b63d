//! What can be said to `doorward routes`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Take routes over from elsewhere.
#[derive(Debug, Args)]
pub struct RoutesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with routes.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Write the `[[routes]]` for the paths and security of an `OpenAPI` document.
    Import(Import),
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward routes import openapi.yaml >> doorward.toml
  curl -s https://api.example.com/openapi.json | doorward routes import -

The routes go to standard output; what could not be taken over is said on
standard error.

Exit codes: 0 done, 2 the document cannot be read or imported")]
pub struct Import {
    /// The document, YAML or JSON; `-` for standard input.
    #[arg(value_name = "OPENAPI")]
    pub document: PathBuf,
}

//! The command line. Each command has its own arguments beside it; nothing is done here.

use clap::{Parser, Subcommand};

use crate::commands::{check, explain, keys, local, routes, token};

/// Keys, tokens and addresses at the edge of an AWS API.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Begin with:
  doorward local                     a whole gateway on this machine; prints curl lines to paste
  doorward check doorward.toml       every fault of a configuration, with its place
  doorward explain event.json        why a request is refused, layer by layer

Exit codes:
  0  done; the answer is yes
  1  done; the answer is no: faults found, request refused, no such key, change refused
  2  the command line or a file that it names cannot be understood
  3  something that is needed does not work: a port, the table, the network"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A gateway on this machine, with everything behind it.
    Local(Box<local::args::LocalArgs>),
    /// Make, show, rotate and revoke API keys.
    Keys(keys::args::KeysArgs),
    /// Mint a token of the demo issuer.
    Token(token::args::TokenArgs),
    /// Find every fault of a configuration.
    Check(check::args::CheckArgs),
    /// Say layer by layer why an event is allowed or refused.
    Explain(explain::args::ExplainArgs),
    /// Take routes over from elsewhere.
    Routes(routes::args::RoutesArgs),
    /// Print the JSON Schema of the configuration.
    #[command(after_help = "\
Example, for editors that read the schema beside the file:
  doorward schema > doorward.schema.json")]
    Schema,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_examples() {
        let mut root = Args::command();
        root.build();
        let mut unexplained = vec![];
        let mut open: Vec<clap::Command> = vec![root];
        while let Some(command) = open.pop() {
            let children: Vec<_> = command
                .get_subcommands()
                .filter(|child| child.get_name() != "help")
                .cloned()
                .collect();
            let has_examples = command
                .get_after_help()
                .is_some_and(|text| text.to_string().contains("doorward "));
            if children.is_empty() && !has_examples {
                unexplained.push(command.get_name().to_owned());
            }
            open.extend(children);
        }
        assert!(unexplained.is_empty(), "no example: {unexplained:?}");
    }
}

//! The command line. Each command has its own arguments beside it; nothing is done here.

use clap::{Parser, Subcommand};

use crate::commands::{addresses, block, check, explain, keys, local, probe, routes, token};

/// Keys, tokens and addresses at the edge of an AWS API.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Begin with:
  doorward local                  a gateway on this machine; prints curl lines
  doorward check doorward.toml    every fault of a configuration, with its place
  doorward explain event.json     why a request is refused, layer by layer

Exit codes:
  0  done; the answer is yes
  1  done; the answer is no: `check` found faults, `explain` says refused,
     there is no such key, the change of a key is refused
  2  the command line or a file that it names cannot be understood
  3  something that is needed does not work: a port, the table, a secret"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a comment here would replace the help that stands beside the arguments"
)]
pub enum Command {
    Local(Box<local::args::LocalArgs>),
    Keys(keys::args::KeysArgs),
    Block(block::args::BlockArgs),
    Token(token::args::TokenArgs),
    Check(check::args::CheckArgs),
    Explain(explain::args::ExplainArgs),
    Probe(probe::args::ProbeArgs),
    Routes(routes::args::RoutesArgs),
    Addresses(addresses::args::AddressesArgs),
    /// Print the JSON Schema of the configuration.
    #[command(after_help = "\
Example, for editors that read the schema beside the file:
  doorward schema > doorward.schema.json")]
    Schema,
}

/// Scopes as given: several times, or several in one text.
pub fn scopes(given: &[String]) -> Vec<String> {
    let words = given.iter().flat_map(|scopes| scopes.split(' '));
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
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
    fn what_is_said_after_the_options_fits_a_terminal() {
        let mut root = Args::command();
        root.build();
        let mut open: Vec<clap::Command> = vec![root];
        while let Some(command) = open.pop() {
            let text = command.get_after_help().map(ToString::to_string);
            for line in text.unwrap_or_default().lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            open.extend(command.get_subcommands().cloned());
        }
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

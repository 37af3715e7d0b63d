//! What can be said to `doorward addresses`.

use clap::{Args, ValueEnum};
use doorward_backends::sources::ConfigSource;

use crate::configuration::parse_source;

/// Write the addresses for every route as address sets of AWS WAF.
///
/// Those of `addresses.allow` and `addresses.deny`, with the lists that they name, IPv4 and IPv6 apart. WAF refuses before
/// the authorizer is asked; the authorizer refuses all the same, also where no WAF stands.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward addresses > address-sets.json
  aws cloudformation deploy --template-file address-sets.json --stack-name sets
  doorward addresses --format terraform infra/doorward.toml > sets.tf.json
  doorward addresses --format json | jq '.deny.ipv4[]'

Exit codes:
  0  done
  1  the configuration has no addresses for every route, or more than WAF takes
  2  the file cannot be read, or has faults
  3  a remote configuration cannot be had")]
pub struct AddressesArgs {
    /// The configuration: a file, `ssm:/parameter`, `secretsmanager:name` or `appconfig:application/environment/profile`.
    #[arg(value_name = "SOURCE", default_value = "doorward.toml", value_parser = parse_source)]
    pub file: ConfigSource,
    /// For whom.
    #[arg(long, value_enum, default_value_t = Format::Cloudformation)]
    pub format: Format,
    /// What the names of the sets begin with.
    #[arg(long, default_value = "doorward", value_parser = parse_name)]
    pub name: String,
}

/// For whom the sets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A template of `CloudFormation`, in JSON, with the ARNs as outputs.
    Cloudformation,
    /// Resources of Terraform, for a file whose name ends in `.tf.json`.
    Terraform,
    /// The addresses alone.
    Json,
}

/// A name that sets may begin with: WAF takes letters, digits, `-` and `_`, at most 128 with what follows.
fn parse_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && text.len() <= 100 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("begin with a letter, go on with letters, digits, `-` and `_`, 100 at most".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_name;

    #[test]
    fn names_are_those_that_waf_takes() {
        assert!(parse_name("acme_prod-1").is_ok());
        for bad in ["", "1a", "a b", "a.b", "ä", "-a", &"a".repeat(101)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }
}

//! What can be said to `doorward probe`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;
use doorward_backends::sources::ConfigSource;

use crate::configuration::parse_source;

/// A method and a path as it is called.
pub type AskedRoute = (String, String);

/// Try on a deployed stage what no emulator can prove.
///
/// Sends a few harmless requests with a credential of your own, and says of each assumption that Doorward rests on what was
/// seen: errors that become 401, cached answers, spellings of paths, preflight requests, the default endpoint, 429.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward probe https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1 \\
      --credential key.txt --allowed 'GET /orders' --refused 'GET /admin'
  doorward probe https://api.example.com --credential key.txt \\
      --config doorward.toml --table doorward-keys
  doorward token --scope orders:read | doorward probe http://127.0.0.1:8787 \\
      --credential -

The file holds what goes into Authorization, such as `ApiKey ck_live_…` or
`Bearer eyJ…`; without a scheme, a key or a token is told by its form. It must
open the one route and not the other. It is sent to this address alone, and
printed nowhere. Routes that are not named are found in the configuration: the
engine says which ones the credential opens.

Exit codes:
  0  everything that was tried is as assumed
  1  something differs; the table says what to do
  2  the command cannot be understood
  3  the address does not answer")]
pub struct ProbeArgs {
    /// The address of the stage, such as `https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1`.
    #[arg(value_name = "URL")]
    pub url: String,
    /// A file with a credential; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub credential: PathBuf,
    /// A route that the credential opens, with the path as it is called.
    #[arg(long, value_name = "'METHOD /PATH'", value_parser = route)]
    pub allowed: Option<AskedRoute>,
    /// A route that has the authorizer and that the credential does not open.
    #[arg(long, value_name = "'METHOD /PATH'", value_parser = route)]
    pub refused: Option<AskedRoute>,
    /// A route that the credential opens from other addresses only.
    #[arg(long, value_name = "'METHOD /PATH'", value_parser = route)]
    pub elsewhere: Option<AskedRoute>,
    /// The configuration in which routes are found that are not named: a file, `ssm:/parameter`, `secretsmanager:name` or
    /// `appconfig:application/environment/profile`. Without, that of the running gateway, or doorward.toml.
    #[arg(long, value_name = "SOURCE", value_parser = parse_source)]
    pub config: Option<ConfigSource>,
    /// The table with the keys, to find routes for a key.
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The address of DynamoDB, for one that is not on AWS.
    #[arg(long, value_name = "URL", requires = "table")]
    pub endpoint: Option<String>,
    /// The address from which the stage sees this machine call, to find a route that is closed to it.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<IpAddr>,
    /// The certificate of a client, in PEM, where the stage asks for one.
    #[arg(long, value_name = "FILE", requires = "private_key")]
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<PathBuf>,
    /// The certificates that vouch for the stage, in PEM, where this machine knows others.
    #[arg(long, value_name = "FILE")]
    pub authority: Option<PathBuf>,
    /// The address that AWS gave the API, where the stage is called at a domain of its own and that should be closed.
    #[arg(long, value_name = "URL")]
    pub default_endpoint: Option<String>,
    /// A file with a token that opens the same route and ends within two minutes: whether a kept answer ends with it. Takes until
    /// its end and the leeway after it.
    #[arg(long, value_name = "FILE")]
    pub ending_token: Option<PathBuf>,
    /// How far the clocks of issuer and gateway may differ, in seconds: `leeway_seconds` of the issuer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i64).range(0..=300))]
    pub leeway: i64,
    /// How long the gateway keeps an answer, in seconds: whether it drops that of the ending token then. Takes that much longer.
    #[arg(long, value_name = "SECONDS", requires = "ending_token", value_parser = clap::value_parser!(i64).range(1..=3600))]
    pub ttl: Option<i64>,
    /// Send so many requests more, as fast as they are answered, to see how callers over a limit are answered.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub burst: Option<u32>,
    /// Answer as JSON.
    #[arg(long)]
    pub json: bool,
}

fn route(text: &str) -> Result<(String, String), String> {
    let fits = |(method, path): &(&str, &str)| {
        !method.is_empty()
            && method.bytes().all(|byte| byte.is_ascii_uppercase())
            && path.starts_with('/')
            && !path.contains(['{', ' '])
    };
    let parts = text.split_once(' ').filter(fits);
    let (method, path) = parts.ok_or(
        "expected a method and a path as it is called, without `{…}`, such as 'GET /orders/42'",
    )?;
    Ok((method.to_owned(), path.to_owned()))
}

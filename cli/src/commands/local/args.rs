//! What can be said to `doorward local`.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use doorward_backends::sources::ConfigSource;

use crate::{configuration::parse_source, local::gateway::IdentitySource};

/// A gateway on this machine, with everything behind it.
///
/// Treats requests as API Gateway would, with an embedded DynamoDB, a demo issuer and a demo key.
/// Prints curl lines to paste and then one line for each request. Ctrl-C stops it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward local                                  doorward.toml here, or a demo
  doorward local --api http --stage '$default'    an HTTP API
  doorward local --backend http://localhost:3000  in front of your own service
  doorward local --ttl 0 --identity-source none   credentials in any header
  doorward local --store keys.db                  keys that outlive the process
  doorward local --mtls                           mutual TLS beside it

While it runs, in the same folder:
  doorward keys create --tenant acme --name demo --scope orders:read
  doorward token --scope orders:read

Exit codes:
  0  stopped by Ctrl-C or SIGTERM
  2  the options or the configuration cannot be understood
  3  a port, a file or a secret cannot be had")]
pub struct LocalArgs {
    /// The configuration: a file, `ssm:/parameter`, `secretsmanager:name` or `appconfig:application/environment/profile`.
    /// Without, doorward.toml in this folder, or the built-in demonstration.
    #[arg(long, value_name = "SOURCE", value_parser = parse_source)]
    pub config: Option<ConfigSource>,
    /// The port of the gateway; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8787)]
    pub port: u16,
    /// The address to listen on. Anybody who reaches it reaches the backend through the gateway.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port of the demo issuer; 0 for a free one. Without, the one after the gateway's.
    #[arg(long, value_name = "PORT")]
    pub issuer_port: Option<u16>,
    /// The port of the API of key administration; 0 for a free one. Without, the third after the gateway's.
    #[arg(long, value_name = "PORT")]
    pub admin_port: Option<u16>,
    /// The kind of API.
    #[arg(long, value_enum, default_value_t = ApiArg::Rest)]
    pub api: ApiArg,
    /// The kind of authorizer. Without, `request` for a REST API and `2.0` for an HTTP API.
    #[arg(long, value_enum)]
    pub authorizer: Option<AuthorizerArg>,
    /// The stage.
    #[arg(long, value_name = "NAME", default_value = "v1")]
    pub stage: String,
    /// An identity source: `header:NAME`, `query:NAME`, `context:NAME`, or as API Gateway writes it; several times; `none`
    /// alone for none. Without, the Authorization header.
    #[arg(long = "identity-source", value_name = "SOURCE", value_parser = identity_source)]
    pub identity_sources: Vec<SourceArg>,
    /// How long the gateway keeps an answer of the authorizer, in seconds; 0 to 3600.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub ttl: u64,
    /// Usage plans of a REST API, in TOML; every route with an authorizer then requires a key of one of them, which the
    /// authorizer names. The plans of `answers.penalty_key` and `answers.usage_plan_key` need no file.
    #[arg(long, value_name = "FILE")]
    pub usage_plans: Option<PathBuf>,
    /// What a REST API answers where a policy denies. Without, 429 where the configuration has limits and
    /// `answers.rate_limited` is `deny`, else 403.
    #[arg(long, value_enum, value_name = "403|429")]
    pub denied_status: Option<DeniedArg>,
    /// A domain with mutual TLS beside the address without: clients need a certificate that the truststore vouches for.
    /// Without further options with certificates for demonstration, in `.doorward/mtls/`.
    #[arg(long)]
    pub mtls: bool,
    /// The port of the domain; 0 for a free one. Without, the second after the gateway's.
    #[arg(long, value_name = "PORT", requires = "mtls")]
    pub mtls_port: Option<u16>,
    /// The certificates that vouch for clients, in PEM.
    #[arg(long, value_name = "FILE", requires = "mtls")]
    pub mtls_truststore: Option<PathBuf>,
    /// The certificate of the server and those between it and its authority, in PEM.
    #[arg(long, value_name = "FILE", requires_all = ["mtls", "mtls_key"])]
    pub mtls_certificate: Option<PathBuf>,
    /// The private key of the server, in PEM.
    #[arg(long, value_name = "FILE", requires_all = ["mtls", "mtls_certificate"])]
    pub mtls_key: Option<PathBuf>,
    /// Whether the API with a domain can still be called by its default address, which asks for no certificate.
    #[arg(long, value_enum, value_name = "open|closed", default_value_t = EndpointArg::Open, requires = "mtls")]
    pub default_endpoint: EndpointArg,
    /// Where keys are kept: `memory`, or a file.
    #[arg(long, value_name = "memory|FILE", default_value = "memory")]
    pub store: String,
    /// The server behind the gateway. Without, an echo answers what it was sent.
    #[arg(long, value_name = "URL")]
    pub backend: Option<String>,
}

/// The kind of API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApiArg {
    /// A REST API.
    Rest,
    /// An HTTP API.
    Http,
}

/// The kind of authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthorizerArg {
    /// REST API, type REQUEST.
    Request,
    /// REST API, type TOKEN.
    Token,
    /// HTTP API, payload format 1.0.
    #[value(name = "1.0")]
    Format1,
    /// HTTP API, payload format 2.0.
    #[value(name = "2.0")]
    Format2,
}

/// The status of what a policy denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeniedArg {
    /// As AWS has it.
    #[value(name = "403")]
    Forbidden,
    /// `ACCESS_DENIED` with another status.
    #[value(name = "429")]
    TooManyRequests,
}

/// The default address of an API with a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EndpointArg {
    /// As AWS has it.
    Open,
    /// `DisableExecuteApiEndpoint: true`.
    Closed,
}

/// One `--identity-source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceArg {
    /// `none`.
    None,
    /// A source.
    Source(IdentitySource),
}

fn identity_source(text: &str) -> Result<SourceArg, String> {
    if text == "none" {
        return Ok(SourceArg::None);
    }
    IdentitySource::parse(text).map(SourceArg::Source)
}

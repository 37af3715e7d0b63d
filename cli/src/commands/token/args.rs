//! What can be said to `doorward token`.

use clap::{Args, ValueEnum};

use crate::duration;

/// Mint a token of the demo issuer.
///
/// Signed with the keys that `doorward local` left in this folder. The token alone goes to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  curl -H \"Authorization: Bearer $(doorward token --scope orders:read)\" \\
      http://127.0.0.1:8787/orders/42
  doorward token --scope 'orders:read orders:write' --role admin --expires 5m
  doorward token --expires=-5m                      a token that has expired
  doorward token --claim tenant=acme --claim 'realm_access={\"roles\":[\"ops\"]}'

Exit codes: 0 done, 2 the options cannot be understood, 3 no gateway runs here")]
pub struct TokenArgs {
    /// Scopes; several times, or several in one text.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// The subject.
    #[arg(long, value_name = "NAME", default_value = "demo-user")]
    pub sub: String,
    /// Roles; several times.
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// Audiences; several times. Without, the audience of the running gateway.
    #[arg(long = "aud", value_name = "AUDIENCE")]
    pub audiences: Vec<String>,
    /// How long it lives, such as `15m`; negative for one that has expired.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration::seconds, allow_hyphen_values = true)]
    pub expires: i64,
    /// The OAuth client.
    #[arg(long, value_name = "ID", default_value = "demo-client")]
    pub client_id: String,
    /// Another claim: a name, `=`, and a text or JSON. Replaces any claim of that name; `NAME=null` says null.
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    pub claims: Vec<String>,
    /// The signature.
    #[arg(long, value_enum, default_value_t = Signature::Es256)]
    pub alg: Signature,
    /// `typ` of the header.
    #[arg(long, value_name = "TYPE", default_value = "at+jwt")]
    pub typ: String,
    /// The `iss`. Without, the demo issuer of the running gateway.
    #[arg(long, value_name = "ISSUER")]
    pub iss: Option<String>,
}

/// The signature of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signature {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    #[value(name = "RS256", alias = "rs256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[value(name = "ES256", alias = "es256")]
    Es256,
}

//! What can be said to `doorward token`.

use std::fmt;

use clap::{Args, Subcommand, ValueEnum};

use crate::duration;

/// Mint a token of the demo issuer.
///
/// Signed with the keys that `doorward local` left in this folder. The token alone goes to standard output.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  curl -H \"Authorization: Bearer $(doorward token --scope orders:read)\" \\
      http://127.0.0.1:8787/orders/42
  doorward token --scope 'orders:read orders:write' --role admin --expires 5m
  doorward token --expires=-5m                      a token that has expired
  doorward token --claim tenant=acme --claim 'realm_access={\"roles\":[\"ops\"]}'
  doorward token --certificate                      bound to the demo client's
  TOKEN=$(doorward token --dpop --scope orders:read)
  doorward token dpop-proof GET http://127.0.0.1:8787/orders/42 --token \"$TOKEN\"

Exit codes: 0 done, 2 the options cannot be understood, 3 no gateway runs here"
)]
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
    /// Bind it to a certificate (RFC 8705): `cnf` with the thumbprint of the one in this PEM file. Without a file, that of the
    /// demo client of `doorward local --mtls`.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
    pub certificate: Option<String>,
    /// Bind it to the DPoP key of this folder (RFC 9449), which is made where there is none.
    #[arg(long)]
    pub dpop: bool,
    /// Something else than a token.
    #[command(subcommand)]
    pub action: Option<TokenAction>,
}

/// What `doorward token` makes besides tokens.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Make a DPoP proof for one request.
    ///
    /// Signed with the DPoP key of this folder. The proof alone goes to standard output.
    DpopProof(ProofArgs),
}

/// What a proof is for.
#[derive(Args)]
#[command(after_help = "\
Examples:
  URL=http://127.0.0.1:8787/orders/42
  TOKEN=$(doorward token --dpop --scope orders:read)
  curl -H \"Authorization: DPoP $TOKEN\" \\
      -H \"DPoP: $(doorward token dpop-proof GET $URL --token \"$TOKEN\")\" $URL
  doorward token dpop-proof GET $URL --token \"$TOKEN\" --nonce NONCE

Exit codes: 0 done, 2 the options cannot be understood, 3 no key can be kept")]
pub struct ProofArgs {
    /// The method, such as GET.
    #[arg(value_name = "METHOD")]
    pub method: String,
    /// The address that is called. Query and fragment do not count.
    #[arg(value_name = "URL")]
    pub url: String,
    /// The token that goes with it.
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The nonce that the server gave.
    #[arg(long, value_name = "NONCE")]
    pub nonce: Option<String>,
    /// Its id. Without, a made-up one; the same one again shows how a replay is answered.
    #[arg(long, value_name = "ID")]
    pub jti: Option<String>,
    /// When it was made, from now: `-5m` for an old one.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::seconds, allow_hyphen_values = true)]
    pub issued: i64,
}

/// Without the token.
impl fmt::Debug for ProofArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofArgs")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
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

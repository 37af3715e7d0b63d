//! JSON Web Tokens of the configured issuers.
mod algorithm;
mod claim_path;
mod claims;
mod clock;
mod compact;
mod config;
mod discovery;
mod facts;
mod header;
mod issuer_keys;
mod issuers;
mod json;
mod jwk;
mod key_set;
mod profile;
mod seen;
mod shown;
mod source;
#[cfg(test)]
mod test_support;

pub use algorithm::Algorithm;
pub use config::{
    IssuerConfig, RawClaims, RawFormat, RawIssuer, RawKeySet, RawPath, RawProfile, RawScalar,
    ReadFile,
};
pub use issuers::Issuers;
pub use source::{FetchError, Fetched, KeySetSource, Origin};

//! JSON Web Tokens of the configured issuers.

mod config;
mod source;

pub use config::IssuerConfig;
pub use source::{FetchError, Fetched, KeySetSource, Origin};

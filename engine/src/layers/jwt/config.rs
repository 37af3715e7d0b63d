//! The checked configuration of one issuer.

/// One issuer, checked.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// The name in logs.
    pub name: String,
    /// `iss`, compared character by character.
    pub issuer: String,
}

//! An evaluator of IAM policies, for the documents that a Lambda authorizer returns.
//!
//! Written from AWS's documentation and from nothing else; it shares no code with the builder of policies, so that each
//! can be tested against the other. The rules, with the pages of the IAM User Guide they come from:
//!
//! 1. A matching Deny wins over every Allow, and what no statement matches is denied (*Policy evaluation logic*).
//! 2. `Action` ignores letter case; `Resource` does not. `*` stands for any run of characters, `/` included, and `?` for
//!    exactly one; neither crosses the colons between the first five parts of an ARN (*IAM JSON policy elements: Action*,
//!    *Resource*).
//! 3. All operators of a condition must hold, and all keys within each. Of the values of one key one must match, or for a
//!    negated operator none. A key that the request does not carry fails an operator and satisfies a negated or
//!    `...IfExists` one (*IAM JSON policy elements: Condition operators*, *Conditions with multiple context keys or values*).
//! 4. A document that is malformed anywhere, in a statement that does not match as well, is never an Allow: API Gateway
//!    answers 500 for it.
//!
//! Not supported, and refused as malformed: policy variables, `ForAnyValue:` and `ForAllValues:`, ARN and binary operators,
//! `Principal`. The keys are those that a request without IAM identity carries (API Gateway Developer Guide, *AWS condition
//! keys that can be used in API Gateway resource policies*).

mod condition;
mod document;
mod glob;
mod resource;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use doorward_keys::Timestamp;

use document::Document;

/// What a policy says about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement matches it.
    ImplicitDeny,
}

/// What the request brings for conditions.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `aws:CurrentTime` and `aws:EpochTime`.
    pub now: Timestamp,
    /// `aws:SourceIp`.
    pub source_ip: Option<IpAddr>,
    /// `aws:SecureTransport`.
    pub secure_transport: bool,
    /// `aws:UserAgent`.
    pub user_agent: Option<String>,
    /// `aws:Referer`.
    pub referer: Option<String>,
}

/// Why a document is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed policy: {place}: {message}")]
pub struct Malformed {
    place: String,
    message: String,
}

impl Malformed {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

/// What `policy` says about `action` on `resource`.
///
/// # Errors
/// [`Malformed`] when any part of the document, whether it matches or not, is not as IAM demands or not supported here.
pub fn evaluate(
    policy: &serde_json::Value,
    action: &str,
    resource: &str,
    facts: &Facts,
) -> Result<Effect, Malformed> {
    let document = Document::read(policy)?;
    let mut effect = Effect::ImplicitDeny;
    for statement in &document.statements {
        if !statement.covers(action, resource, facts) {
            continue;
        }
        if statement.denies() {
            return Ok(Effect::ExplicitDeny);
        }
        effect = Effect::Allow;
    }
    Ok(effect)
}

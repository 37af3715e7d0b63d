//! What the authorizer answered, read as strictly as the gateway reads it.

use serde_json::{Map, Value};

use super::{
    super::iam::{self, Effect, Facts},
    context::Context,
    settings::{ApiKind, Payload},
};

/// An answer in the form that the API expects. Kept as a whole in the cache; the policy is evaluated on every request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    verdict: Verdict,
    pub(super) context: Context,
    /// The key under which usage plans count, on a REST API.
    pub(super) usage_key: Option<String>,
}

#[derive(Clone, Debug)]
enum Verdict {
    Policy(Value),
    Simple(bool),
}

impl Answer {
    /// Reads an answer (API Gateway Developer Guide, *Output from an API Gateway Lambda authorizer*; *Control access to HTTP
    /// APIs with AWS Lambda authorizers*, response format). The error says for the operator why the gateway answers 500.
    pub(super) fn read(payload: Payload, answer: Value) -> Result<Self, String> {
        let Value::Object(mut members) = answer else {
            return Err("the answer is not an object".to_owned());
        };
        let facts = match members.remove("context") {
            None => Map::new(),
            Some(Value::Object(facts)) => facts,
            Some(_) => return Err("`context` is not an object".to_owned()),
        };
        if payload.api() == ApiKind::Rest || payload == Payload::Http1 {
            flat(&facts)?;
        }
        let (verdict, principal) = if payload == Payload::Http2Simple {
            match members.remove("isAuthorized") {
                Some(Value::Bool(is_authorized)) => (Verdict::Simple(is_authorized), None),
                _ => return Err("`isAuthorized` is not there or not a boolean".to_owned()),
            }
        } else {
            let document = members
                .remove("policyDocument")
                .ok_or("`policyDocument` is missing")?;
            match members.remove("principalId") {
                Some(Value::String(principal)) => (Verdict::Policy(document), Some(principal)),
                _ => return Err("`principalId` is not there or not a text".to_owned()),
            }
        };
        let usage_key = match members.remove("usageIdentifierKey") {
            Some(Value::String(key)) if payload.api() == ApiKind::Rest => Some(key),
            _ => None,
        };
        Ok(Self {
            verdict,
            context: Context { principal, facts },
            usage_key,
        })
    }

    /// What the answer says about a request. The error says for the operator why the gateway answers 500.
    pub(super) fn effect(&self, arn: &str, facts: &Facts) -> Result<Effect, String> {
        match &self.verdict {
            Verdict::Simple(true) => Ok(Effect::Allow),
            Verdict::Simple(false) => Ok(Effect::ExplicitDeny),
            Verdict::Policy(document) => iam::evaluate(document, "execute-api:Invoke", arn, facts)
                .map_err(|malformed| malformed.to_string()),
        }
    }
}

/// REST APIs and format 1.0 take texts, numbers and booleans only.
fn flat(facts: &Map<String, Value>) -> Result<(), String> {
    let is_flat = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    match facts.iter().find(|(_, value)| !is_flat(value)) {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "`context.{name}` is neither text, number nor boolean"
        )),
    }
}

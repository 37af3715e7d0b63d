//! Verdicts in, answers out, each in the shape of the event that asked.
//!
//! 1. Bad or missing credentials: the error text `Unauthorized`, letter for letter; any other text becomes a 500 (AWS:
//!    output from a Lambda authorizer). Errors are not cached. Where the shape has a boolean, it is `false`.
//! 2. Not permitted: a Deny of exactly what was asked, beside what else the caller may do where that is known. The
//!    context says the class of the refusal, never its reason; and, because the gateway may keep the answer and let the caller
//!    through elsewhere, who is calling.
//! 3. Over a limit, where `answers.rate_limited` is `deny`: a Deny of what was asked until there is room again, with the
//!    limit in the context. Where it is `backend` or `penalty_key` the engine allows, and somebody else refuses: the backend
//!    by the context, or a REST API by the usage plan of the penalty key. What has no usage plans is refused by the engine as
//!    with `deny`; an Allow that came here all the same is refused here.
//! 4. Could not find out: an error with another text, so that nothing is cached and nobody takes it for a bad credential.
//! 5. An Allow comes from a [`Grant`](doorward_engine::Grant) alone. A statement that is empty, or applies to nobody, is
//!    left out; if nothing is left, the answer is an error.
//! 6. Nothing the caller chose stands in a policy, save one plain path in a Deny.

mod appsync;
mod context;
mod iam;
mod refusal;
mod simple;

use doorward_engine::{
    Class, Decision, Reason, Verdict,
    config::{AnswersConfig, HttpApiAnswer, RateLimited},
    decision::Context,
    identity_token::IdentityToken,
    layers::policy::{Condition, Policy, Statement},
    limits::LimitReport,
};
use doorward_keys::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use appsync::AppSyncAnswer;
use iam::PolicyAnswer;
pub use refusal::Refusal;
use simple::SimpleAnswer;

use crate::event::{EventKind, MethodArn};

/// What the function returns to the gateway: an IAM policy, the simple response of HTTP APIs or the answer to AppSync. It is
/// JSON already, and written no second time.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Answer(Box<RawValue>);

impl Answer {
    fn of(said: &impl Serialize) -> Self {
        // What is said has text keys and plain values only, so this cannot fail; `null` would be a refusal at the gateway.
        Self(serde_json::value::to_raw_value(said).unwrap_or_default())
    }

    /// The answer as text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// The answer as a JSON value.
    pub fn to_value(&self) -> serde_json::Value {
        // It was written as JSON, so it can be read.
        serde_json::from_str(self.as_json()).unwrap_or_default()
    }
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Answer {}

/// To whom the answer goes.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The kind of event.
    pub kind: EventKind,
    /// What was asked for, where the event said so.
    pub asked: Option<&'a MethodArn>,
    /// When the event was received.
    pub received_at: Timestamp,
}

/// An answer, and whether the encoder had to refuse what the engine allowed.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// What goes to the gateway.
    pub answer: Result<Answer, Refusal>,
    /// Why an Allow could not be said, if that happened.
    pub overruled: Option<Reason>,
}

/// What the encoders see of a verdict.
#[derive(Clone, Copy)]
enum Outcome<'a> {
    Allow(Allowed<'a>),
    Deny(Refused<'a>),
}

/// The tokens for the backend that an answer carries.
#[derive(Clone, Copy, Default)]
struct Tokens<'a> {
    /// That of an exchange.
    downstream: Option<&'a str>,
    /// An identity token.
    signed: Option<Signed<'a>>,
}

/// An identity token for the backend.
#[derive(Clone, Copy)]
struct Signed<'a> {
    text: &'a str,
    expires_at: Timestamp,
}

impl<'a> Signed<'a> {
    fn of(token: &'a IdentityToken) -> Self {
        Self {
            text: token.text().expose(),
            expires_at: token.expires_at(),
        }
    }
}

#[derive(Clone, Copy)]
struct Allowed<'a> {
    principal: &'a str,
    statements: &'a [Statement],
    /// Whose statements they are; it keeps what was written of them.
    policy: Option<&'a Policy>,
    context: &'a Context,
    valid_until: Option<Timestamp>,
    by_token_alone: bool,
    usage_plan_key: Option<&'a str>,
    limit: Option<&'a LimitReport>,
    tokens: Tokens<'a>,
}

#[derive(Clone, Copy)]
struct Refused<'a> {
    class: Class,
    principal: Option<&'a str>,
    statements: &'a [Statement],
    context: Option<&'a Context>,
    usage_plan_key: Option<&'a str>,
    limit: Option<&'a LimitReport>,
    holds: &'a Condition,
    signed: Option<Signed<'a>>,
}

/// Says `verdict` in the shape that `asker` understands.
pub fn encode(verdict: &Verdict, asker: Asker<'_>, answers: &AnswersConfig) -> Encoded {
    let principal = verdict.trail.principal.as_deref();
    let outcome = match &verdict.decision {
        Decision::Allow(grant) => Outcome::Allow(Allowed {
            principal: grant.principal(),
            statements: grant.policy().map_or(&[], |policy| policy.statements()),
            policy: grant.policy(),
            context: grant.context(),
            valid_until: grant.valid_until(),
            by_token_alone: grant.by_credential_alone(),
            usage_plan_key: grant.usage_plan_key(),
            limit: grant.limit(),
            tokens: Tokens {
                downstream: grant.downstream_token(),
                signed: grant.identity_token().map(Signed::of),
            },
        }),
        Decision::Deny(denial) => Outcome::Deny(Refused {
            class: denial.class(),
            principal,
            statements: denial.policy().map_or(&[], |policy| policy.statements()),
            context: Some(denial.context()),
            usage_plan_key: denial.usage_plan_key(),
            limit: denial.limit(),
            holds: denial.holds(),
            signed: denial.identity_token().map(Signed::of),
        }),
    };
    say(outcome, asker, answers)
}

fn say(outcome: Outcome<'_>, asker: Asker<'_>, answers: &AnswersConfig) -> Encoded {
    let Some(shape) = Shape::of(asker.kind, answers) else {
        return Encoded {
            answer: Err(Refusal::Failed),
            overruled: None,
        };
    };
    let allowed = match outcome {
        Outcome::Allow(allowed) => allowed,
        Outcome::Deny(refused) => {
            return Encoded {
                answer: shape.refuse(refused, asker, answers),
                overruled: None,
            };
        }
    };
    match shape.allow(allowed, asker, answers) {
        Ok(answer) => Encoded {
            answer: Ok(answer),
            overruled: None,
        },
        Err(reason) => {
            let refused = Refused {
                class: reason.class(),
                principal: Some(allowed.principal),
                statements: &[],
                context: None,
                usage_plan_key: None,
                limit: allowed.limit,
                holds: &Condition::default(),
                signed: None,
            };
            Encoded {
                answer: shape.refuse(refused, asker, answers),
                overruled: Some(reason),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Policy { usage_plans: bool },
    Simple,
    AppSync,
}

impl Shape {
    const fn of(kind: EventKind, answers: &AnswersConfig) -> Option<Self> {
        match (kind, answers.http_api) {
            (EventKind::RestToken | EventKind::RestRequest | EventKind::WebSocket, _) => {
                Some(Self::Policy { usage_plans: true })
            }
            (EventKind::HttpApiV1, _) | (EventKind::HttpApiV2, HttpApiAnswer::Policy) => {
                Some(Self::Policy { usage_plans: false })
            }
            (EventKind::HttpApiV2, HttpApiAnswer::Simple) => Some(Self::Simple),
            (EventKind::AppSync, _) => Some(Self::AppSync),
            (EventKind::IotCore | EventKind::Unknown, _) => None,
        }
    }

    fn allow(
        self,
        allowed: Allowed<'_>,
        asker: Asker<'_>,
        answers: &AnswersConfig,
    ) -> Result<Answer, Reason> {
        let is_limited = allowed.limit.is_some_and(LimitReport::is_exceeded);
        if is_limited
            && matches!(answers.rate_limited, RateLimited::PenaltyKey(_))
            && !has_penalties(asker.kind)
        {
            return Err(Reason::RateLimited);
        }
        let max_bytes = answers.max_context_bytes;
        let context = context::of_grant(allowed.context, allowed.tokens, max_bytes);
        match self {
            Self::Policy { usage_plans } => {
                let arn = asker.asked.ok_or(Reason::Internal)?;
                let max_bytes = answers.max_policy_bytes;
                let write = || iam::Document::allowing(allowed.statements, arn, max_bytes);
                let document = match allowed.policy {
                    Some(policy) => policy.document(arn.stage().arn_prefix(), write)?,
                    None => write()?,
                };
                let of_all = answers
                    .usage_plan_key
                    .as_ref()
                    .map(|key| key.expose().as_str());
                let usage_plan_key = match &answers.rate_limited {
                    RateLimited::PenaltyKey(key) if is_limited => Some(key.expose().as_str()),
                    _ => allowed.usage_plan_key.or(of_all),
                };
                let usage_plan_key = usage_plan_key.filter(|_| usage_plans);
                Ok(Answer::of(&PolicyAnswer::new(
                    allowed.principal,
                    document,
                    context,
                    usage_plan_key,
                )))
            }
            Self::Simple => Ok(Answer::of(&SimpleAnswer {
                is_authorized: true,
                context,
            })),
            Self::AppSync => Ok(Answer::of(&AppSyncAnswer::allow(
                allowed,
                context,
                asker.received_at,
            ))),
        }
    }

    fn refuse(
        self,
        refused: Refused<'_>,
        asker: Asker<'_>,
        answers: &AnswersConfig,
    ) -> Result<Answer, Refusal> {
        let context = context::of_refusal(refused, asker.received_at, answers.max_context_bytes);
        match (refused.class, self) {
            (Class::Unavailable, _) => Err(Refusal::Failed),
            (Class::Unauthenticated, Self::Policy { .. }) => Err(Refusal::Unauthorized),
            (Class::Forbidden | Class::Throttled, Self::Policy { usage_plans }) => {
                let document = iam::Document::refusing(
                    refused.statements,
                    asker.asked,
                    refused.holds,
                    answers.max_policy_bytes,
                );
                let principal = refused.principal.unwrap_or(UNKNOWN_PRINCIPAL);
                // What the policy lets pass needs the key as much as it would by an Allow.
                let of_all = answers.usage_plan_key.as_ref();
                let key = refused
                    .usage_plan_key
                    .or(of_all.map(|key| key.expose().as_str()));
                let key = key.filter(|_| usage_plans && !refused.statements.is_empty());
                Ok(Answer::of(&PolicyAnswer::new(
                    principal, document, context, key,
                )))
            }
            (Class::Unauthenticated | Class::Forbidden | Class::Throttled, Self::Simple) => {
                Ok(Answer::of(&SimpleAnswer {
                    is_authorized: false,
                    context,
                }))
            }
            (Class::Unauthenticated | Class::Forbidden | Class::Throttled, Self::AppSync) => {
                Ok(Answer::of(&AppSyncAnswer::refuse(context)))
            }
        }
    }
}

/// Whether a usage plan without allowance stops a call: on a REST API whose methods require keys. Anything else would let it
/// pass; of a WebSocket API it is not known whether its `$connect` requires one.
const fn has_penalties(kind: EventKind) -> bool {
    matches!(kind, EventKind::RestToken | EventKind::RestRequest)
}

/// The principal of a refusal that came before anybody was recognised. The engine's principals have a `|` or are
/// `anonymous`, so this is nobody's.
const UNKNOWN_PRINCIPAL: &str = "unknown";

#[cfg(test)]
mod tests;

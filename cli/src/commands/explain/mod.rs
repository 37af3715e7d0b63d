//! `doorward explain`.

pub mod args;
mod human;
mod machine;

use doorward_authorizer::{Answer, Explained};
use doorward_engine::{Decision, Reason};
use doorward_keys::Timestamp;
use serde_json::Value;

use self::args::ExplainArgs;
use crate::{clock, decider::Decider, exit::Failure, input, output, shown_token, target::Target};

/// Decides one event and says how.
///
/// # Errors
/// [`Failure::no`] when the request would be refused.
pub async fn run(args: ExplainArgs) -> Result<(), Failure> {
    let text = input::read(&args.event)?;
    let target = Target {
        table: args.table.as_deref(),
        endpoint: args.endpoint.as_deref(),
        config: args.config.as_ref(),
    };
    let document = target.document().await?;
    let checked = document.read().await?;
    let decider = Decider::new(&document, checked.config, &target).await?;
    let at = args
        .at
        .map_or_else(clock::moment, |at| Timestamp::from_unix(at).into());
    let explained = decider.explain(&text, at).await;
    if args.json {
        output::answer(&format!("{:#}", machine::answer(&explained)))?;
    } else {
        output::answer(&human::text(&explained, at.timestamp()))?;
    }
    match refusal(&explained) {
        None => Ok(()),
        Some(_) => Err(Failure::no()),
    }
}

/// The answer to the gateway, with nothing in it that would open a backend to whoever reads it.
fn shown(answer: &Answer) -> Value {
    let mut answer = answer.to_value();
    shown_token::hide(&mut answer, "/context");
    shown_token::hide(&mut answer, "/resolverContext");
    answer
}

/// Why the request would be refused: the reason and the detail for the operator; `None` when it would be allowed.
fn refusal(explained: &Explained) -> Option<(Reason, &str)> {
    match (&explained.verdict.decision, explained.overruled) {
        (_, Some(reason)) => Some((
            reason,
            "the decision was to allow, but no answer could be written for it",
        )),
        (Decision::Deny(denial), None) => Some((denial.reason(), denial.detail())),
        (Decision::Allow(_), None) => None,
    }
}

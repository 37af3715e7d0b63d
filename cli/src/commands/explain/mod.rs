//! `doorward explain`.

pub mod args;
mod human;
mod machine;
mod no_table;

use std::sync::Arc;

use doorward_authorizer::{Answer, Authorizer, Call, Event, Explained};
use doorward_backends::{
    dynamodb::{DynamoBlocks, DynamoKeys, Patience},
    http::{HttpEndpoints, HttpKeySets},
    memory::{MemoryLimits, MemoryReplays},
};
use doorward_engine::{Decision, Engine, Reason, Sources, authority::Authorities};
use doorward_keys::{BlockReader, KeyLookup, Timestamp};
use serde_json::Value;

use self::{args::ExplainArgs, no_table::NoTable};
use crate::{
    clock, configuration,
    exit::Failure,
    input, output, shown_token,
    target::{Tables, Target},
};

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
    let (keys, blocks) = stores(target.tables(Patience::ADMIN).await);
    let sources = Sources {
        keys,
        blocks,
        key_sets: Arc::new(HttpKeySets::new()),
        crls: document.crls(&checked.config).await,
        authorities: Authorities {
            endpoints: Arc::new(HttpEndpoints::new()),
            // What other machines saw says nothing of this one.
            breakers: None,
            watch: Arc::new(|_| {}),
        },
        // What is only explained spends nothing of anybody's, and uses no proof up.
        replays: Arc::new(MemoryReplays::new()),
        limits: Arc::new(MemoryLimits::new()),
        pause: clock::pause,
        stopwatch: clock::stopwatch,
    };
    let kms = configuration::kms(&checked.config).await?;
    let mut engine = Engine::new(checked.config, sources);
    if let Some(kms) = kms {
        engine = engine.with_remote_signer(Arc::new(kms));
    }
    let authorizer = Authorizer::new(engine, Arc::new(|_| {}), clock::stopwatch);
    let call = Call {
        request_id: "explain".to_owned(),
        trace_id: None,
        received_at: args
            .at
            .map_or_else(clock::moment, |at| Timestamp::from_unix(at).into()),
        time_left: None,
    };
    let explained = authorizer.explain(&Event::parse(&text), &call).await;
    if args.json {
        output::answer(&format!("{:#}", machine::answer(&explained)))?;
    } else {
        output::answer(&human::text(&explained, call.received_at.timestamp()))?;
    }
    match refusal(&explained) {
        None => Ok(()),
        Some(_) => Err(Failure::no()),
    }
}

/// Keys and blocks of the table, or what says that there is none.
fn stores(tables: Option<Tables>) -> (Arc<dyn KeyLookup>, Arc<dyn BlockReader>) {
    match tables {
        Some(Tables { client, keys, .. }) => (
            Arc::new(DynamoKeys::new(client.clone(), &keys)),
            Arc::new(DynamoBlocks::new(client, keys)),
        ),
        None => (Arc::new(NoTable), Arc::new(NoTable)),
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

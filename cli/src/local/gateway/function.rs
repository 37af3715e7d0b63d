//! The authorizer as the gateway sees it: a function that is sent an event.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

/// The time that API Gateway waits for an authorizer (API Gateway Developer Guide, *Quotas for HTTP APIs*).
const PATIENCE: Duration = Duration::from_secs(10);

/// What one call of the authorizer came to.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The answer, or the `errorMessage` of a function error.
    pub answer: Result<Value, String>,
    /// What the line of the request says about it, such as the reason of a refusal. No secrets.
    pub note: Option<String>,
}

/// A Lambda authorizer.
#[async_trait]
pub trait AuthorizerFunction: Send + Sync {
    /// Sends it `event`.
    async fn invoke(&self, event: Value) -> Invocation;
}

/// Invokes `function` as Lambda would: with a time limit, and so that a panic ends this call only.
pub(super) async fn invoke(function: &Arc<dyn AuthorizerFunction>, event: Value) -> Invocation {
    let function = Arc::clone(function);
    let call = tokio::spawn(async move { function.invoke(event).await });
    let failed = |message: &str| Invocation {
        answer: Err(message.to_owned()),
        note: None,
    };
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(invocation)) => invocation,
        Ok(Err(_)) => failed("the authorizer panicked"),
        Err(_) => failed("the authorizer did not answer in time"),
    }
}

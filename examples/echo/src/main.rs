//! A backend for demonstration: it tells the caller what the authorizer told it.
//!
//! It shows the one rule every backend behind an authorizer must keep: **no authorizer context, no answer**. A route that
//! was left without an authorizer by mistake, or a catch-all route that reaches the same function, then refuses instead
//! of serving strangers. Only `/health` is meant for everybody.
//!
//! And the rule where the authorizer leaves the refusal of callers over a limit to the backend: 429 until the limit has room
//! again ([`limit`]).

mod answer;
mod limit;

use std::time::{SystemTime, UNIX_EPOCH};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        Ok::<Value, Error>(answer::answer(&event.payload, now()))
    }))
    .await
}

/// The time in whole seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the edge of the function")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

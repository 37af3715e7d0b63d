//! The companion Lambda: key administration behind IAM.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use doorward_key_admin::{
    SystemEntropy,
    lambda::{Answer, Event, Function},
    settings, wiring,
};
use doorward_keys::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let admin = wiring::key_admin(&settings::environment()).await?;
    let function = Function::new(admin, Arc::new(SystemEntropy), |line| println!("{line}"));
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let function = function.clone();
        async move {
            let LambdaEvent { payload, context } = event;
            match function.answer(payload, &context.request_id, now()).await {
                Answer::Body(body) => Ok(body),
                Answer::Failure(diagnostic) => Err(diagnostic),
            }
        }
    });
    lambda_runtime::run_concurrent(handler)
        .await
        .map_err(|error| anyhow::anyhow!("{error}"))
}

/// The clock of the function. A clock before 1970 counts as 1970, where every key that was ever made is still to come.
#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock is read"
)]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

//! The companion Lambda: key administration behind IAM.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use doorward_key_admin::{
    SystemEntropy,
    lambda::{Answer, Event, Function},
    panics_to, settings,
    wiring::Service,
};
use doorward_keys::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let log = |line: &str| println!("{line}");
    panics_to(log);
    let service = Service::start(settings::environment(), stopwatch(), system, log).await?;
    let service = Arc::new(service);
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let service = Arc::clone(&service);
        async move {
            let LambdaEvent { payload, context } = event;
            let admin = service.admin(stopwatch()).await;
            let jobs = service.jobs(admin.clone(), stopwatch);
            let function = Function::new(admin, Arc::new(SystemEntropy), log)
                .with_requests(service.requests())
                .with_apis(service.apis())
                .with_public_keys(service.public_keys())
                .with_jobs(jobs);
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

/// The clock of the function in whole seconds. A clock before 1970 counts as 1970, where every key that was ever made is
/// still to come.
fn now() -> Timestamp {
    let since = system().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Timestamp::from_unix(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock is read"
)]
fn system() -> SystemTime {
    SystemTime::now()
}

/// A monotonic clock: time since its first use.
#[expect(
    clippy::disallowed_methods,
    reason = "the edge where the clock is read"
)]
fn stopwatch() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

//! What happens to keys by itself, by the very code of the Lambda: the minute's job every second, the day's every minute.

use std::{sync::Arc, time::Duration};

use doorward_backends::dynamodb::{DynamoKeys, DynamoRehashes};
use doorward_engine::Engine;
use doorward_key_admin::{FlushPolicy, Job, Jobs, KeyAdmin, jobs::LogBus};
use doorward_keys::StageCache;

use crate::{clock, output};

/// How often the minute's job runs here.
const EVERY: Duration = Duration::from_secs(1);
/// How many of these are a day.
const DAY: u64 = 60;
/// How long one run works.
const BUDGET: Duration = Duration::from_secs(5);

/// The flushes of the one stage there is.
pub fn flush_policy() -> FlushPolicy {
    FlushPolicy {
        stages: vec!["local".to_owned()],
        settle_seconds: 1,
        every_seconds: 1,
        late_seconds: 6,
    }
}

/// The jobs on `keys`, under `admin`; `None` where no keys are accepted. Events are lines of standard error.
pub(super) fn of(
    admin: Option<KeyAdmin>,
    keys: Arc<DynamoKeys>,
    rehashes: DynamoRehashes,
    gateway: Arc<dyn StageCache>,
) -> Option<Jobs> {
    let bus = Arc::new(LogBus::new(output::say));
    let time: (fn() -> Duration, Duration) = (clock::stopwatch, BUDGET);
    let jobs = Jobs::new(admin?, keys, bus, time, output::say);
    let rehashes = Some(Arc::new(rehashes) as _);
    Some(jobs.with_stages(Some(gateway)).with_rehashes(rehashes))
}

/// Runs jobs until `end`, and before each has `engine` ask for the moves of keys that it noted.
pub(super) async fn run(
    jobs: Jobs,
    engine: Arc<Engine>,
    end: impl Future<Output = ()>,
) -> Result<(), String> {
    let mut end = std::pin::pin!(end);
    for second in 0.. {
        let job = if second % DAY == 0 {
            Job::Day
        } else {
            Job::Minute
        };
        // What is not asked for is noted again at a later use.
        let _ = engine.ask_rehashes(clock::wall()).await;
        // A run is not broken off: it ends within its budget.
        jobs.run(job, clock::wall()).await;
        tokio::select! {
            () = &mut end => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    Ok(())
}

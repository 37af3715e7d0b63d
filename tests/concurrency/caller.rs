//! One process of the crowd: its tasks ask, and it reports what was admitted.

use std::{
    io::{BufRead, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use doorward_engine::limits::{Moment, Outcome};
use doorward_tests::limits::NEAR_MIDNIGHT;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::job::{Clock, Job};

/// What lines to the parent begin with; the harness prints lines of its own.
pub(crate) const MARK: &str = "@crowd ";
/// How long a task calls while the clock runs: over the ends of two windows.
const LASTING: Duration = Duration::from_millis(1600);

/// One that was admitted; times in microseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Admission {
    pub(crate) now: u64,
    pub(crate) wait: u64,
    /// The mark of the bucket afterwards.
    pub(crate) mark: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) asked: u64,
    pub(crate) admitted: Vec<Admission>,
}

pub(crate) async fn run(job: &Job) {
    let limits = Arc::new(job.limits().await);
    say("ready");
    // All processes begin together.
    let mut go = String::new();
    std::io::stdin().lock().read_line(&mut go).unwrap();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..job.tasks)
        .map(|_| {
            let (limits, job) = (Arc::clone(&limits), job.clone());
            tokio::spawn(async move {
                let mut report = Report::default();
                loop {
                    let goes_on = match job.clock {
                        Clock::Standing => report.asked < job.calls,
                        Clock::Running => begun.elapsed() < LASTING,
                    };
                    if !goes_on {
                        return report;
                    }
                    let now = match job.clock {
                        Clock::Standing => NEAR_MIDNIGHT,
                        Clock::Running => clock(),
                    };
                    let at = Moment::from_micros(now);
                    let (spent, at) = limits.spend(at).await.unwrap();
                    report.asked += 1;
                    // What is spent in memory waits for nothing, and would not let the others have their turn.
                    tokio::task::yield_now().await;
                    if let Outcome::Admitted { wait } = spent.outcome {
                        let (wait, mark) = (wait.micros(), spent.state.mark);
                        let now = at.micros();
                        report.admitted.push(Admission { now, wait, mark });
                    }
                }
            })
        })
        .collect();
    let mut sum = Report::default();
    for task in tasks {
        let report = task.await.unwrap();
        sum.asked += report.asked;
        sum.admitted.extend(report.admitted);
    }
    say(&serde_json::to_string(&sum).unwrap());
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // The harness may have begun a line.
    writeln!(out, "\n{MARK}{text}").unwrap();
    out.flush().unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "callers at the edge read the clock of their machine"
)]
fn clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_micros()).unwrap()
}

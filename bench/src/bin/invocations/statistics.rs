//! Numbers from numbers.

use std::time::Duration;

use doorward_report::numbers::{median, rounded, spread};
use serde_json::{Value, json};

/// What came of one scenario in one round, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) cpu: f64,
}

impl Sample {
    pub(crate) fn of(mut took: Vec<Duration>, cpu: Duration) -> Self {
        took.sort_unstable();
        let calls = u32::try_from(took.len()).unwrap_or(u32::MAX).max(1);
        let at = |percent: usize| {
            let index = took
                .len()
                .saturating_sub(1)
                .saturating_mul(percent)
                .div_euclid(100);
            took.get(index).map_or(0.0, |time| micros(*time))
        };
        Self {
            p50: at(50),
            p90: at(90),
            p99: at(99),
            cpu: micros(cpu) / f64::from(calls),
        }
    }
}

pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The middle of the ratios of one to the other, round by round, the ends, and the middle of each run of so many rounds.
pub(crate) fn ratio(of: &[f64], to: &[f64], rounds: usize) -> Value {
    let ratios: Vec<f64> = of.iter().zip(to).map(|(of, to)| of / to).collect();
    let of_run = ratios.chunks(rounds.max(1)).map(|run| rounded(median(run)));
    let runs: Vec<f64> = of_run.collect();
    let mut all = spread(&ratios);
    if let Some(all) = all.as_object_mut() {
        all.insert("runs".to_owned(), json!(runs));
    }
    all
}

//! Time against size.

use std::hint::black_box;

use doorward_micro::{
    credentials::Credentials,
    house::{Size, stopwatch},
    scene::{Scene, Staged},
};
use doorward_report::numbers::{median, rounded, spread};
use serde_json::{Value, json};

pub(crate) const ROUNDS: usize = 15;

/// Calls of each size in each round.
pub(crate) const CALLS: u32 = 1000;

/// One thing that grows, and the call that is made meanwhile.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) scene: Scene,
    pub(crate) sizes: &'static [u32],
    pub(crate) of: fn(u32) -> Size,
}

/// The time of one decision at each size, in microseconds, and how many times that of the smallest it is.
pub(crate) fn measured(series: &Series, credentials: &Credentials) -> anyhow::Result<Value> {
    let staged = series.sizes.iter().map(|size| {
        let staged = Staged::new(series.scene, (series.of)(*size), credentials, stopwatch)?;
        // As many different callers as are asked for, and what first calls set up.
        (0..staged.callers()).try_for_each(|number| staged.play(number).map(drop))?;
        Ok(staged)
    });
    let staged = staged.collect::<anyhow::Result<Vec<Staged>>>()?;
    let mut micros = vec![Vec::new(); staged.len()];
    let mut turn = 0;
    for _ in 0..ROUNDS {
        for (staged, micros) in staged.iter().zip(&mut micros) {
            let begun = stopwatch();
            for number in turn..turn + CALLS as usize {
                black_box(staged.play(number)?);
            }
            let took = stopwatch().saturating_sub(begun);
            micros.push(took.as_secs_f64() * 1e6 / f64::from(CALLS));
        }
        turn += CALLS as usize;
    }
    let smallest = micros.first().cloned().unwrap_or_default();
    let points = series.sizes.iter().zip(&micros).map(|(size, micros)| {
        let ratios: Vec<f64> = micros
            .iter()
            .zip(&smallest)
            .map(|(of, to)| of / to)
            .collect();
        json!({"size": size, "us": rounded(median(micros)), "ratio": spread(&ratios)})
    });
    Ok(json!({
        "name": series.name, "call": series.scene.name(), "points": points.collect::<Vec<_>>(),
    }))
}

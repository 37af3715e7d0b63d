//! The requests of a batch, counted by key and hour and cut into pieces.
//!
//! A piece is what one transaction can write: its name, and at most [`LogPiece::MAX_COUNTS`] counts. The name is SHA-256 over
//! log group, log stream and the ids of the events counted in it. The same batch gives the same pieces, in whatever order its
//! events come, so a second delivery finds the names of the first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use doorward_keys::{Hour, KeyId, LogPiece, RequestCount, Requests, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{
    Batch,
    line::{self, Line},
};

const SECONDS_OF_DAY: i64 = 86_400;
/// How long the name of a piece is kept, in seconds: three days. CloudWatch Logs tries to deliver for a day, and Lambda to
/// invoke for six hours.
const REMEMBERED: i64 = 3 * SECONDS_OF_DAY;

/// What a batch holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What is to be written.
    pub pieces: Vec<LogPiece>,
    /// How many lines there are.
    pub lines: usize,
    /// How many of them are requests with a key.
    pub requests: usize,
    /// How many are requests without one.
    pub without_key: usize,
    /// How many are not of our form.
    pub foreign: usize,
    /// How many have the id of another line of the batch, and are left out.
    pub repeated: usize,
}

#[derive(Default)]
struct Cell<'batch> {
    ids: Vec<&'batch str>,
    requests: Requests,
}

impl Tally {
    /// Counts the lines of `batch`, which came at `now`. Counts are kept for so many days behind the end of their hour.
    pub fn of(batch: &Batch, now: Timestamp, kept_days: u32) -> Self {
        let mut tally = Self {
            lines: batch.events.len(),
            ..Self::default()
        };
        let mut seen = BTreeSet::new();
        let mut cells: BTreeMap<(KeyId, Hour), Cell<'_>> = BTreeMap::new();
        for event in &batch.events {
            if !seen.insert(event.id.as_str()) {
                tally.repeated += 1;
                continue;
            }
            let request = match line::read(event) {
                Line::Request(request) => request,
                Line::NoKey => {
                    tally.without_key += 1;
                    continue;
                }
                Line::Foreign => {
                    tally.foreign += 1;
                    continue;
                }
            };
            tally.requests += 1;
            let counted = request.counted();
            let cell = cells
                .entry((request.key, Hour::of(request.at)))
                .or_default();
            cell.ids.push(&event.id);
            cell.requests = cell.requests.plus(counted);
        }
        let cells: Vec<_> = cells.into_iter().collect();
        let pieces = cells.chunks(LogPiece::MAX_COUNTS);
        tally.pieces = pieces
            .map(|cells| piece(batch, cells, now, kept_days))
            .collect();
        tally
    }
}

fn piece(
    batch: &Batch,
    cells: &[((KeyId, Hour), Cell<'_>)],
    now: Timestamp,
    kept_days: u32,
) -> LogPiece {
    let mut ids: Vec<&str> = cells
        .iter()
        .flat_map(|(_, cell)| cell.ids.iter().copied())
        .collect();
    ids.sort_unstable();
    let names = [batch.group.as_str(), batch.stream.as_str()];
    let mut hash = Sha256::new();
    for part in names.into_iter().chain(ids) {
        // The length before each part makes the joining unambiguous.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let name = hash
        .finalize()
        .iter()
        .fold(String::new(), |mut name, byte| {
            // Writing to a text does not fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
    let kept = i64::from(kept_days).saturating_mul(SECONDS_OF_DAY);
    let counts = cells.iter().map(|((key, hour), cell)| RequestCount {
        key: key.clone(),
        hour: *hour,
        requests: cell.requests,
        expires_at: hour.end().plus(kept),
    });
    LogPiece {
        name,
        counts: counts.collect(),
        expires_at: now.plus(REMEMBERED),
    }
}

#[cfg(test)]
mod tests;

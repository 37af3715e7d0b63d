//! The requests of a batch, counted by key and hour and cut into chunks.
//!
//! A chunk is what one transaction can write: a marker, and at most [`Chunk::MAX_COUNTS`] counts. The marker is SHA-256 over
//! log group, log stream and the ids of the events counted in the chunk. The same batch gives the same chunks, in whatever
//! order its events come, so a second delivery finds the markers of the first.

use std::collections::{BTreeMap, BTreeSet};

use doorward_keys::{KeyId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{
    Batch,
    line::{self, Line, Request},
};

const SECONDS_OF_HOUR: i64 = 3600;

/// What a batch holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What is to be written.
    pub chunks: Vec<Chunk>,
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

/// What is written at once or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Names the chunk: 64 lower-case hexadecimal digits.
    pub marker: String,
    /// The counts, by key and hour.
    pub counts: Vec<Count>,
}

/// Requests with one key in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The key.
    pub key: KeyId,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// How many.
    pub requests: u64,
    /// The latest of them.
    pub last: Request,
}

impl Chunk {
    /// How many counts fit beside the marker: a transaction holds 100 writes
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
    pub const MAX_COUNTS: usize = 99;
}

struct Cell<'batch> {
    ids: Vec<&'batch str>,
    last: Request,
}

impl Tally {
    /// Counts the lines of `batch`.
    pub fn of(batch: &Batch) -> Self {
        let mut tally = Self {
            lines: batch.events.len(),
            ..Self::default()
        };
        let mut seen = BTreeSet::new();
        let mut cells: BTreeMap<(KeyId, i64), Cell<'_>> = BTreeMap::new();
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
            let hour = request.at.unix().div_euclid(SECONDS_OF_HOUR);
            cells
                .entry((request.key.clone(), hour))
                .and_modify(|cell| {
                    cell.ids.push(&event.id);
                    if request.at >= cell.last.at {
                        cell.last = request.clone();
                    }
                })
                .or_insert_with(|| Cell {
                    ids: vec![&event.id],
                    last: request,
                });
        }
        let cells: Vec<_> = cells.into_iter().collect();
        let chunks = cells.chunks(Chunk::MAX_COUNTS);
        tally.chunks = chunks.map(|cells| chunk(batch, cells)).collect();
        tally
    }
}

fn chunk(batch: &Batch, cells: &[((KeyId, i64), Cell<'_>)]) -> Chunk {
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
    let counts = cells.iter().map(|((key, hour), cell)| Count {
        key: key.clone(),
        hour: Timestamp::from_unix(hour.saturating_mul(SECONDS_OF_HOUR)),
        requests: cell.ids.len() as u64,
        last: cell.last.clone(),
    });
    Chunk {
        marker: hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        counts: counts.collect(),
    }
}

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::access_log::LogEvent;

/// The beginning of an hour.
const HOUR: i64 = 1_795_428_000;

fn event(id: &str, key: Option<&KeyId>, at: i64, address: u8) -> LogEvent {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
    let at = Timestamp::from_unix(at);
    LogEvent {
        id: id.to_owned(),
        timestamp: at.unix() * 1000,
        message: line::write("r", at, 200, key.map(KeyId::as_str), address),
    }
}

fn batch(events: Vec<LogEvent>) -> Batch {
    Batch {
        group: "g".to_owned(),
        stream: "s".to_owned(),
        events,
    }
}

fn key(number: u128) -> KeyId {
    KeyId::new(Timestamp::from_unix(HOUR), number)
}

fn markers(tally: &Tally) -> Vec<&str> {
    tally
        .chunks
        .iter()
        .map(|chunk| chunk.marker.as_str())
        .collect()
}

#[test]
fn requests_are_counted_by_key_and_hour() {
    let (one, two) = (key(1), key(2));
    let foreign = LogEvent {
        message: "no line of ours".to_owned(),
        ..event("6", None, HOUR, 1)
    };
    let tally = Tally::of(&batch(vec![
        event("1", Some(&one), HOUR, 1),
        event("2", Some(&one), HOUR + 3599, 2),
        event("3", Some(&one), HOUR + 3600, 3),
        event("4", Some(&two), HOUR - 1, 4),
        event("5", None, HOUR, 5),
        foreign,
        event("2", Some(&one), HOUR, 6),
        // Later in the stream, earlier in time.
        event("7", Some(&one), HOUR + 5, 7),
    ]));
    let found: Vec<_> = tally.chunks[0]
        .counts
        .iter()
        .map(|count| (count.key.clone(), count.hour.unix(), count.requests))
        .collect();
    let expected = [
        (one.clone(), HOUR, 3),
        (one, HOUR + 3600, 1),
        (two, HOUR - 3600, 1),
    ];
    assert_eq!(found, expected);
    let last = &tally.chunks[0].counts[0].last;
    assert_eq!(last.at, Timestamp::from_unix(HOUR + 3599));
    assert_eq!(last.address, Some("192.0.2.2".parse().unwrap()));
    assert_eq!(
        (
            tally.lines,
            tally.requests,
            tally.without_key,
            tally.foreign,
            tally.repeated
        ),
        (8, 5, 1, 1, 1)
    );
}

#[test]
fn the_same_batch_has_the_same_chunks_in_any_order() {
    let events: Vec<_> = (0..500_u32)
        .map(|number| {
            let key = key(u128::from(number % 250));
            event(&number.to_string(), Some(&key), HOUR, 1)
        })
        .collect();
    let tally = Tally::of(&batch(events.clone()));
    let sizes: Vec<_> = tally
        .chunks
        .iter()
        .map(|chunk| chunk.counts.len())
        .collect();
    assert_eq!(sizes, [99, 99, 52]);
    assert_eq!(
        markers(&tally).into_iter().collect::<BTreeSet<_>>().len(),
        3
    );
    let turned = Tally::of(&batch(events.into_iter().rev().collect()));
    assert_eq!(markers(&turned), markers(&tally));
    let counted: u64 = tally
        .chunks
        .iter()
        .flat_map(|chunk| &chunk.counts)
        .map(|count| count.requests)
        .sum();
    assert_eq!(counted, 500);
}

#[test]
fn other_events_streams_and_groups_have_other_markers() {
    let one = key(1);
    let base = batch(vec![
        event("1", Some(&one), HOUR, 1),
        event("23", Some(&one), HOUR, 1),
    ]);
    let joined = batch(vec![
        event("12", Some(&one), HOUR, 1),
        event("3", Some(&one), HOUR, 1),
    ]);
    let fewer = batch(vec![event("1", Some(&one), HOUR, 1)]);
    let stream = Batch {
        stream: "t".to_owned(),
        ..base.clone()
    };
    let group = Batch {
        group: "h".to_owned(),
        ..base.clone()
    };
    let swapped = Batch {
        group: "s".to_owned(),
        stream: "g".to_owned(),
        ..base.clone()
    };
    let all = [base, joined, fewer, stream, group, swapped];
    let markers: BTreeSet<_> = all
        .iter()
        .map(|batch| Tally::of(batch).chunks.remove(0).marker)
        .collect();
    assert_eq!(markers.len(), all.len());
}

#[test]
fn a_batch_without_a_key_has_nothing_to_write() {
    let tally = Tally::of(&batch(vec![event("1", None, HOUR, 1)]));
    assert_eq!((tally.chunks.len(), tally.without_key), (0, 1));
    assert_eq!(Tally::of(&batch(vec![])), Tally::default());
}

use super::*;
use crate::access_log::LogEvent;

/// The beginning of an hour.
const HOUR: i64 = 1_795_428_000;

fn event(id: &str, key: Option<&KeyId>, at: i64) -> LogEvent {
    with_status(id, key, at, 200)
}

fn with_status(id: &str, key: Option<&KeyId>, at: i64, status: u16) -> LogEvent {
    let at = Timestamp::from_unix(at);
    LogEvent {
        id: id.to_owned(),
        timestamp: at.unix() * 1000,
        message: line::write("r", at, status, key.map(KeyId::as_str)),
    }
}

fn of(batch: &Batch) -> Tally {
    Tally::of(batch, Timestamp::from_unix(HOUR), 30)
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

fn names(tally: &Tally) -> Vec<&str> {
    tally
        .pieces
        .iter()
        .map(|piece| piece.name.as_str())
        .collect()
}

#[test]
fn requests_are_counted_by_key_and_hour() {
    let (one, two) = (key(1), key(2));
    let foreign = LogEvent {
        message: "no line of ours".to_owned(),
        ..event("6", None, HOUR)
    };
    let tally = of(&batch(vec![
        event("1", Some(&one), HOUR),
        event("2", Some(&one), HOUR + 3599),
        with_status("3", Some(&one), HOUR + 3600, 429),
        event("4", Some(&two), HOUR - 1),
        event("5", None, HOUR),
        foreign,
        event("2", Some(&one), HOUR),
        with_status("7", Some(&one), HOUR + 5, 502),
    ]));
    let found: Vec<_> = tally.pieces[0]
        .counts
        .iter()
        .map(|count| {
            assert_eq!(count.expires_at, count.hour.end().plus(30 * 86_400));
            (count.key.clone(), count.hour.begin().unix(), count.requests)
        })
        .collect();
    let counts = |total, throttled, failed| Requests {
        total,
        throttled,
        failed,
    };
    let expected = [
        (one.clone(), HOUR, counts(3, 0, 1)),
        (one, HOUR + 3600, counts(1, 1, 0)),
        (two, HOUR - 3600, counts(1, 0, 0)),
    ];
    assert_eq!(found, expected);
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
fn the_same_batch_has_the_same_pieces_in_any_order() {
    let events: Vec<_> = (0..500_u32)
        .map(|number| {
            let key = key(u128::from(number % 250));
            event(&number.to_string(), Some(&key), HOUR)
        })
        .collect();
    let tally = of(&batch(events.clone()));
    let sizes: Vec<_> = tally
        .pieces
        .iter()
        .map(|piece| piece.counts.len())
        .collect();
    assert_eq!(sizes, [99, 99, 52]);
    assert_eq!(names(&tally).into_iter().collect::<BTreeSet<_>>().len(), 3);
    let turned = of(&batch(events.into_iter().rev().collect()));
    assert_eq!(names(&turned), names(&tally));
    let counted: u64 = tally
        .pieces
        .iter()
        .flat_map(|piece| &piece.counts)
        .map(|count| count.requests.total)
        .sum();
    assert_eq!(counted, 500);
}

#[test]
fn other_events_streams_and_groups_have_other_names() {
    let one = key(1);
    let base = batch(vec![
        event("1", Some(&one), HOUR),
        event("23", Some(&one), HOUR),
    ]);
    let joined = batch(vec![
        event("12", Some(&one), HOUR),
        event("3", Some(&one), HOUR),
    ]);
    let fewer = batch(vec![event("1", Some(&one), HOUR)]);
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
    let names: BTreeSet<_> = all
        .iter()
        .map(|batch| of(batch).pieces.remove(0).name)
        .collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn a_batch_without_a_key_has_nothing_to_write() {
    let tally = of(&batch(vec![event("1", None, HOUR)]));
    assert_eq!((tally.pieces.len(), tally.without_key), (0, 1));
    assert_eq!(of(&batch(vec![])), Tally::default());
}

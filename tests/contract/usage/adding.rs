//! Additions: each is made once, in whatever order and through whomever they come.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use doorward_keys::{Hour, Hours, KeyId, LastUse, Requests, Usage, UsageHour};
use proptest::{
    prelude::{Strategy, any},
    strategy::ValueTree,
    test_runner::TestRunner,
};

use super::places::{LONG, NOW, Place, entry, key, used};

pub(super) async fn what_is_added_is_read_by_hour(place: &Place) {
    let first = Usage {
        allowed: 1,
        unauthenticated: 2,
        forbidden: 3,
        throttled: 4,
        unavailable: 5,
        last: Some(LastUse {
            at: NOW,
            address: Some("192.0.2.7".parse().unwrap()),
        }),
    };
    let later = used(7, NOW.plus(3600), Some("2001:db8::7"));
    let unplaced = used(9, NOW.plus(7200), None);
    let entries = [
        entry("a", 1, first),
        entry("a", 1, later),
        entry("a", 1, unplaced),
    ];
    place.add(0, &entries).await;
    let expected = entries.map(|entry| UsageHour {
        hour: entry.hour,
        decisions: entry.usage,
        requests: Requests::default(),
    });
    assert_eq!(place.read(&key(1)).await, expected);
    let last = place.reader.last_use(&key(1)).await.unwrap();
    assert_eq!(last, unplaced.last);
}

pub(super) async fn random_additions_sum_up(place: &Place) {
    let counts = (0..1000_u64, 0..1000_u64, 0..3_u64, 0..5_u64, 0..7_u64);
    let last = (0..4 * 3600_i64, proptest::option::of(any::<[u8; 4]>()));
    let usage =
        (counts, last).prop_map(|((allowed, refused, forbidden, throttled, away), last)| {
            let (after, address) = last;
            Usage {
                allowed,
                unauthenticated: refused,
                forbidden,
                throttled,
                unavailable: away,
                last: Some(LastUse {
                    at: NOW.plus(after),
                    address: address.map(Into::into),
                }),
            }
        });
    let additions = proptest::collection::vec((0..3_u128, 0..2_usize, usage), 150);
    let mut runner = TestRunner::deterministic();
    let additions = additions.new_tree(&mut runner).unwrap().current();
    let mut model: BTreeMap<(KeyId, Hour), Usage> = BTreeMap::new();
    for (number, (whose, through, usage)) in additions.into_iter().enumerate() {
        let entry = entry(&format!("flush-{number}"), whose, usage);
        let counted = model.entry((entry.key.clone(), entry.hour)).or_default();
        *counted = counted.plus(usage);
        place.add(through, &[entry]).await;
    }
    for whose in 0..3 {
        let of_key = model.iter().filter(|((id, _), _)| *id == key(whose));
        let expected: Vec<_> = of_key.map(|((_, hour), usage)| (*hour, *usage)).collect();
        let read = place.read(&key(whose)).await;
        let read: Vec<_> = read.iter().map(|one| (one.hour, one.decisions)).collect();
        assert_eq!(read, expected);
        let last = expected.iter().filter_map(|(_, usage)| usage.last).max();
        assert_eq!(place.reader.last_use(&key(whose)).await.unwrap(), last);
    }
}

pub(super) async fn an_addition_that_comes_again_is_not_made_twice(place: &Place) {
    let once = [entry("a", 1, used(3, NOW, Some("192.0.2.1")))];
    place.add(0, &once).await;
    place.add(0, &once).await;
    place.add(1, &once).await;
    assert_eq!(place.read(&key(1)).await[0].decisions, once[0].usage);
    // Under another name it is another one.
    let other = [entry("b", 1, once[0].usage)];
    place.add(0, &other).await;
    assert_eq!(place.read(&key(1)).await[0].decisions.allowed, 6);
    // Behind a later use as well.
    let early = [entry("c", 1, used(5, NOW.plus(-60), None))];
    place.add(1, &early).await;
    place.add(1, &early).await;
    assert_eq!(place.read(&key(1)).await[0].decisions.allowed, 11);
}

pub(super) async fn a_later_use_never_gives_way_to_an_earlier_one(place: &Place) {
    let late = used(1, NOW, Some("192.0.2.2"));
    for (number, usage) in [
        used(1, NOW.plus(-2), Some("192.0.2.1")),
        late,
        used(1, NOW.plus(-1), Some("2001:db8::1")),
        used(1, NOW.plus(-1), None),
    ]
    .into_iter()
    .enumerate()
    {
        let entries = [entry(&format!("flush-{number}"), 1, usage)];
        place.add(number % 2, &entries).await;
    }
    let read = place.read(&key(1)).await[0].decisions;
    assert_eq!((read.allowed, read.last), (4, late.last));
    // One without an address takes the address away, as that was of another use.
    let unplaced = used(1, NOW.plus(1), None);
    place.add(0, &[entry("last", 1, unplaced)]).await;
    assert_eq!(place.read(&key(1)).await[0].decisions.last, unplaced.last);
}

pub(super) async fn additions_at_one_moment_all_count(place: &Place) {
    let tasks: Vec<_> = (0..40_u32)
        .map(|number| {
            let sink = Arc::clone(&place.sinks[number as usize % 2]);
            let at = NOW.plus(i64::from(number * 7 % 40));
            let entries = [1, 2].map(|whose| {
                let usage = used(u64::from(number), at, Some("192.0.2.1"));
                entry(&format!("flush-{number}"), whose, usage)
            });
            tokio::spawn(async move { sink.add(&entries, LONG).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), vec![Ok(()), Ok(())]);
    }
    for whose in [1, 2] {
        let read = place.read(&key(whose)).await[0].decisions;
        assert_eq!(read.allowed, (0..40).sum::<u64>());
        assert_eq!(read.last.unwrap().at, NOW.plus(39));
    }
}

pub(super) async fn numbers_at_the_ends_of_the_range_are_counted_exactly(place: &Place) {
    let most = (1 << 53) - 1;
    place.add(0, &[entry("a", 1, used(most, NOW, None))]).await;
    place.add(1, &[entry("b", 1, used(1, NOW, None))]).await;
    assert_eq!(place.read(&key(1)).await[0].decisions.allowed, most + 1);
    let ends = [
        used(1, doorward_keys::Timestamp::from_unix(0), None),
        used(1, Hour::of(NOW).begin(), None),
        used(1, Hour::of(NOW).end().plus(-1), None),
    ];
    let entries = ends.map(|usage| entry("a", 2, usage));
    place.add(0, &entries[..1]).await;
    place.add(0, &entries[1..2]).await;
    let last = [doorward_keys::UsageEntry {
        flush: "b".to_owned(),
        ..entries[2].clone()
    }];
    place.add(0, &last).await;
    assert_eq!(place.read(&key(2)).await.len(), 1);
    let epoch = Hour::parse("1970-01-01T00").unwrap();
    let hours = Hours::new(epoch, epoch.plus(1)).unwrap();
    let read = place.reader.usage(&key(2), hours).await.unwrap();
    assert_eq!(read[0].decisions, ends[0]);
}

pub(super) async fn usage_of_another_key_or_hour_is_not_shown(place: &Place) {
    let at = [-3600, 0, 3600, 7200];
    for (number, after) in at.into_iter().enumerate() {
        let usage = used(number as u64 + 1, NOW.plus(after), None);
        place.add(0, &[entry("a", 1, usage)]).await;
        place
            .add(0, &[entry("a", 2, used(100, NOW.plus(after), None))])
            .await;
    }
    let hour = Hour::of(NOW);
    let hours = Hours::new(hour, hour.plus(2)).unwrap();
    let read = place.reader.usage(&key(1), hours).await.unwrap();
    let read: Vec<_> = read
        .iter()
        .map(|one| (one.hour, one.decisions.allowed))
        .collect();
    assert_eq!(read, [(hour, 2), (hour.plus(1), 3)]);
}

pub(super) async fn a_key_that_was_never_used_has_no_usage(place: &Place) {
    place.add(0, &[entry("a", 1, used(1, NOW, None))]).await;
    assert_eq!(place.read(&key(2)).await, []);
    assert_eq!(place.reader.last_use(&key(2)).await, Ok(None));
}

pub(super) async fn no_entry_is_no_work(place: &Place) {
    assert_eq!(place.sinks[0].add(&[], Duration::ZERO).await, []);
}

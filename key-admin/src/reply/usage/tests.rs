use doorward_keys::{Hour, Timestamp};

use super::*;
use crate::command::{By, Check, ReadUsage, check_span};

/// 2026-11-23T10:00:00Z.
const BEGIN: i64 = 1_795_428_000;

fn hour(number: i64, decisions: [u64; 5], requests: u64) -> UsageHour {
    let [allowed, unauthenticated, forbidden, throttled, unavailable] = decisions;
    UsageHour {
        hour: Hour::of(Timestamp::from_unix(BEGIN)).plus(number),
        decisions: Usage {
            allowed,
            unauthenticated,
            forbidden,
            throttled,
            unavailable,
            last: None,
        },
        requests: Requests {
            total: requests,
            ..Requests::default()
        },
    }
}

fn shown(by: By, hours: &[UsageHour]) -> UsageView {
    let asked = ReadUsage {
        id: String::new(),
        by: Some(by),
        from: Some(BEGIN),
        to: Some(BEGIN + 4 * 3600),
    };
    let now = Timestamp::from_unix(BEGIN);
    let span = check_span(&asked, now, &mut Check::default()).unwrap();
    steps_of(&span, hours, None)
}

/// Decisions, requests and what the cache answered, of each step and of all.
fn counts(view: &UsageView) -> Vec<(u64, Option<u64>, Option<u64>)> {
    let steps = view.steps.iter().chain([&view.total]);
    steps
        .map(|step| {
            (
                step.decisions.total,
                step.requests.map(|r| r.total),
                step.cached,
            )
        })
        .collect()
}

#[test]
fn the_cache_answered_what_was_not_decided() {
    let view = shown(
        By::Hour,
        &[
            hour(0, [2, 0, 1, 1, 0], 100),
            // A refusal whose line names no key takes nothing off.
            hour(1, [1, 5, 0, 0, 3], 10),
            // Nothing of this hour came to the authorizer.
            hour(3, [0; 5], 7),
        ],
    );
    assert_eq!(
        counts(&view),
        [
            (4, Some(100), Some(96)),
            (9, Some(10), Some(9)),
            (0, Some(0), Some(0)),
            (0, Some(7), Some(7)),
            (13, Some(117), Some(112)),
        ]
    );
}

#[test]
fn without_an_access_log_the_requests_are_unknown_and_not_none() {
    let view = shown(By::Hour, &[hour(1, [3, 0, 0, 0, 0], 0)]);
    assert_eq!(
        counts(&view),
        [
            (0, None, None),
            (3, None, None),
            (0, None, None),
            (0, None, None),
            (3, None, None)
        ]
    );
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["total"].get("requests"), None);
    assert_eq!(json["total"].get("cached"), None);
}

#[test]
fn an_hour_before_the_access_log_is_unknown_and_counts_nothing_as_cached() {
    let view = shown(
        By::Hour,
        &[hour(0, [50, 0, 0, 0, 0], 0), hour(1, [1, 0, 0, 0, 0], 5)],
    );
    assert_eq!(counts(&view)[0], (50, None, None));
    assert_eq!(counts(&view)[1], (1, Some(5), Some(4)));
    assert_eq!(counts(&view)[4], (51, Some(5), Some(4)));
}

#[test]
fn fewer_requests_than_decisions_are_never_less_than_nothing() {
    let view = shown(
        By::Hour,
        &[hour(0, [3, 0, 0, 0, 0], 2), hour(1, [2, 0, 0, 0, 0], 3)],
    );
    assert_eq!(counts(&view)[0], (3, Some(2), Some(0)));
    assert_eq!(counts(&view)[4], (5, Some(5), Some(1)));
}

#[test]
fn hours_are_summed_up_by_day_and_month() {
    let hours = [
        hour(-10, [1, 0, 0, 0, 0], 1),
        hour(0, [2, 0, 0, 0, 0], 4),
        hour(13, [4, 0, 0, 0, 0], 4),
    ];
    for by in [By::Day, By::Month] {
        let view = shown(by, &hours);
        assert_eq!(view.steps.len(), 1);
        assert_eq!(
            counts(&view),
            [(7, Some(9), Some(2)), (7, Some(9), Some(2))]
        );
        assert!(view.from <= BEGIN - 36_000 && view.to > BEGIN);
    }
}

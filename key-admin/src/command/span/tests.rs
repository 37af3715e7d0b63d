use super::*;

/// 2026-11-27T05:30:10Z.
const NOW: i64 = 1_795_757_410;

fn at(text: &str) -> i64 {
    let (date, hour) = text.split_once(' ').unwrap_or((text, "00"));
    let hour = Hour::parse(&format!("{date}T{hour}")).unwrap();
    hour.begin().unix()
}

fn span(by: Option<By>, from: Option<i64>, to: Option<i64>) -> Result<Span, Vec<String>> {
    let asked = ReadUsage {
        id: String::new(),
        by,
        from,
        to,
    };
    let mut check = Check::default();
    let found = check_span(&asked, Timestamp::from_unix(NOW), &mut check);
    let faults = check.faults.into_iter();
    found.ok_or_else(|| {
        faults
            .map(|fault| format!("{} {}", fault.field, fault.message))
            .collect()
    })
}

#[track_caller]
fn edges(by: By, from: Option<i64>, to: Option<i64>, expected: (&str, &str, usize)) {
    let span = span(Some(by), from, to).unwrap();
    let found = (span.from().unix(), span.to().unix(), span.steps().count());
    assert_eq!(
        found,
        (at(expected.0), at(expected.1), expected.2),
        "{by:?}"
    );
}

#[test]
fn without_times_it_is_the_last_day_month_or_year() {
    assert_eq!(span(None, None, None), span(Some(By::Hour), None, None));
    edges(By::Hour, None, None, ("2026-11-26 06", "2026-11-27 06", 24));
    edges(By::Day, None, None, ("2026-10-29", "2026-11-28", 30));
    edges(By::Month, None, None, ("2025-12-01", "2026-12-01", 12));
}

#[test]
fn steps_are_whole_and_meet() {
    let (from, to) = (at("2026-01-31 07") + 59, at("2026-03-01"));
    edges(
        By::Hour,
        Some(from),
        Some(at("2026-01-31 09") + 1),
        ("2026-01-31 07", "2026-01-31 10", 3),
    );
    edges(
        By::Day,
        Some(from),
        Some(to),
        ("2026-01-31", "2026-03-01", 29),
    );
    edges(
        By::Month,
        Some(from),
        Some(to),
        ("2026-01-01", "2026-03-01", 2),
    );
    edges(
        By::Month,
        Some(at("2024-02-29")),
        Some(at("2024-02-29") + 1),
        ("2024-02-01", "2024-03-01", 1),
    );
    let span = span(Some(By::Month), Some(from), Some(to)).unwrap();
    let steps: Vec<_> = span.steps().collect();
    assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0));
}

#[test]
fn a_long_time_is_read_in_parts_without_a_gap() {
    let span = span(Some(By::Month), Some(at("2025-11-05")), None).unwrap();
    let parts = span.hours();
    assert_eq!(parts[0].from().begin(), span.from());
    assert_eq!(parts.last().unwrap().until().begin(), span.to());
    assert!(
        parts
            .windows(2)
            .all(|pair| pair[0].until() == pair[1].from())
    );
    assert_eq!(parts.len(), 13);
}

#[test]
fn times_that_make_no_sense_are_refused() {
    for (by, from, to, says) in [
        (By::Hour, Some(-1), None, "from is -1"),
        (By::Hour, None, Some(LAST_SECOND + 1), "to is 253402300800"),
        (
            By::Hour,
            Some(NOW + 3600),
            None,
            "from is not before the end",
        ),
        (
            By::Hour,
            Some(at("2026-11-27")),
            Some(at("2026-11-27")),
            "from is not before",
        ),
        (
            By::Hour,
            Some(NOW - 32 * 86_400),
            None,
            "from is 33 days before the end, expected at most 31 by hour",
        ),
        (
            By::Day,
            Some(NOW - 433 * 86_400),
            None,
            "expected at most 432 by day",
        ),
        (By::Month, Some(0), None, "expected at most 432 by month"),
        (By::Month, None, Some(0), "from is not before the end"),
    ] {
        let faults = span(Some(by), from, to).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(says), "{faults:?}");
    }
}

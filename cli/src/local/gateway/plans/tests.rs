use super::*;

const KEY: &str = "key-of-a-usage-plan-1";
const OTHER: &str = "key-of-a-usage-plan-2";
/// Monday, 23 November 2026, 10:00 UTC.
const NOON: i64 = 1_795_428_000;

fn meters(text: &str) -> Meters {
    Meters::new(UsagePlans::read(text, "plans.toml").unwrap())
}

fn plan(more: &str) -> String {
    format!("[[usage_plans]]\nname = \"p\"\nkeys = [\"{KEY}\", \"{OTHER}\"]\n{more}\n")
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn day(days: i64) -> Timestamp {
    Timestamp::from_unix(NOON + days * 86_400)
}

#[test]
fn without_plans_no_key_is_required() {
    let meters = Meters::new(UsagePlans::default());
    assert_eq!(meters.count(None, day(0), at(0)), Counted::Passes);
}

#[test]
fn a_key_in_no_plan_is_refused() {
    let meters = meters(&plan(""));
    for key in [None, Some(""), Some("key-of-a-usage-plan-3")] {
        assert_eq!(meters.count(key, day(0), at(0)), Counted::KeyInvalid);
    }
    assert_eq!(meters.count(Some(KEY), day(0), at(0)), Counted::Passes);
}

#[test]
fn refuses_above_the_rate_for_each_key_apart() {
    let meters = meters(&plan("rate = 2\nburst = 3"));
    let count = |key, now| meters.count(Some(key), day(0), at(now));
    for _ in 0..3 {
        assert_eq!(count(KEY, 0), Counted::Passes);
    }
    assert_eq!(count(KEY, 499), Counted::Throttled);
    assert_eq!(count(OTHER, 499), Counted::Passes);
    assert_eq!(count(KEY, 500), Counted::Passes);
    assert_eq!(count(KEY, 500), Counted::Throttled);
    // However long nobody calls, no more than the burst is saved up; a clock that goes back saves nothing.
    assert_eq!(count(KEY, 100_000), Counted::Passes);
    assert_eq!(count(KEY, 0), Counted::Passes);
    assert_eq!(count(KEY, 100_000), Counted::Passes);
    assert_eq!(count(KEY, 100_000), Counted::Throttled);
}

#[test]
fn a_plan_without_allowance_never_lets_anything_pass() {
    for allowance in [
        "rate = 0\nburst = 0",
        "rate = 0\nburst = 5",
        "rate = 5\nburst = 0",
    ] {
        let meters = meters(&plan(allowance));
        for now in [0, 1_000_000] {
            assert_eq!(meters.count(Some(KEY), day(0), at(now)), Counted::Throttled);
        }
    }
}

#[test]
fn refuses_above_the_quota_until_the_period_ends() {
    // Monday the 23rd: the day ends in between, the week with Saturday the 28th, the month with the 30th.
    for (period, last, first) in [("day", 0, 1), ("week", 5, 6), ("month", 7, 8)] {
        let meters = meters(&plan(&format!(
            "quota = {{ limit = 2, period = \"{period}\" }}"
        )));
        let count = |wall| meters.count(Some(KEY), wall, at(0));
        assert_eq!(count(day(0)), Counted::Passes);
        assert_eq!(count(day(last)), Counted::Passes);
        assert_eq!(count(day(last)), Counted::QuotaExceeded, "{period}");
        assert_eq!(count(day(first)), Counted::Passes, "{period}");
    }
}

#[test]
fn what_is_throttled_is_not_counted_against_the_quota() {
    let meters = meters(&plan(
        "rate = 1\nburst = 1\nquota = { limit = 2, period = \"day\" }",
    ));
    let count = |now| meters.count(Some(KEY), day(0), at(now));
    assert_eq!(count(0), Counted::Passes);
    assert_eq!(count(0), Counted::Throttled);
    assert_eq!(count(1000), Counted::Passes);
    assert_eq!(count(2000), Counted::QuotaExceeded);
}

#[test]
fn refuses_plans_that_the_gateway_would_not_take_and_shows_no_key() {
    let twice = format!("{}{}", plan(""), plan(""));
    for (text, expected) in [
        (plan("rate = 1"), "both `rate` and `burst`"),
        (plan("burst = 1"), "both `rate` and `burst`"),
        (plan("rate = -1\nburst = 1"), "near line 4"),
        (plan("per_second = 1"), "per_second"),
        (
            plan("quota = { limit = 1, period = \"year\" }"),
            "near line 4",
        ),
        (plan("").replace("usage_plans", "plans"), "plans"),
        (plan("").replace(KEY, "short"), "20 to 128"),
        (twice, "share a key"),
    ] {
        let error = UsagePlans::read(&text, "plans.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains(OTHER) && !error.contains('\n'), "{error}");
    }
    let plans = UsagePlans::read(&plan(""), "plans.toml").unwrap();
    assert!(!format!("{plans:?}").contains(KEY));
}

#[test]
fn a_plan_that_is_added_leaves_the_others_as_they_are() {
    let extra = |keys: &[&str]| UsagePlan {
        name: "extra".to_owned(),
        keys: keys
            .iter()
            .map(|key| Secret::new((*key).to_owned()))
            .collect(),
        throttle: Some(Throttle { rate: 0, burst: 0 }),
        quota: None,
    };
    let plans = || UsagePlans::read(&plan(""), "plans.toml").unwrap();
    let both = plans().with(extra(&[KEY, "key-of-a-usage-plan-3"]));
    assert_eq!(both.names().collect::<Vec<_>>(), ["p", "extra"]);
    assert_eq!(plans().with(extra(&[KEY])).names().count(), 1);
    let meters = Meters::new(both);
    assert_eq!(meters.count(Some(KEY), day(0), at(0)), Counted::Passes);
}

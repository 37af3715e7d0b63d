use std::collections::BTreeMap;

use doorward_key_admin::reply::{DecisionsView, RequestsView};

use super::*;

/// 2026-11-23T10:00:00Z.
const BEGIN: i64 = 1_795_428_000;

fn key() -> KeyView {
    KeyView {
        id: "key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N".to_owned(),
        tenant: "acme".to_owned(),
        name: "ci".to_owned(),
        environment: "live".to_owned(),
        status: "active".into(),
        scopes: vec![],
        routes: None,
        addresses: None,
        created_at: BEGIN,
        expires_at: None,
        changed_at: BEGIN,
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        has_usage_plan_key: false,
        plan: None,
        decoy: false,
        metadata: BTreeMap::new(),
        version: 1,
    }
}

fn step(number: i64, allowed: u64, forbidden: u64, requests: Option<u64>) -> UsageStep {
    let total = allowed + forbidden;
    UsageStep {
        from: BEGIN + number * 3600,
        to: BEGIN + (number + 1) * 3600,
        decisions: DecisionsView {
            total,
            allowed,
            forbidden,
            ..DecisionsView::default()
        },
        requests: requests.map(|total| RequestsView {
            total,
            throttled: total / 100,
            failed: 0,
        }),
        cached: requests.map(|requests| requests - total),
    }
}

fn usage(steps: Vec<UsageStep>, total: UsageStep) -> UsageView {
    UsageView {
        by: "hour".into(),
        from: BEGIN,
        to: steps.last().unwrap().to,
        steps,
        total,
        last_used_at: Some(BEGIN + 3 * 3600 + 17),
        last_address: Some("203.0.113.7".to_owned()),
    }
}

fn logged() -> UsageView {
    let steps = vec![
        step(0, 4, 0, Some(400)),
        step(1, 0, 0, Some(0)),
        step(2, 10, 2, Some(1200)),
        step(3, 1, 0, Some(20)),
    ];
    usage(steps, step(0, 15, 2, Some(1620)))
}

fn plain(shown: &Shown) -> String {
    anstream::adapter::strip_str(&shown.answer).to_string()
}

#[test]
fn decisions_and_requests_are_shown_side_by_side() {
    let shown = shown(&key(), &logged(), Characters::Unicode);
    assert_eq!(shown.said, "");
    assert_eq!(
        plain(&shown),
        "\
key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N ci of tenant acme
by hour from 2026-11-23 10:00 to 2026-11-23 14:00, UTC

requests   ▄▁█▂  at most 1200 in one hour
decisions  ▄▁█▂  at most 12 in one hour

hour              requests  cached  429  5xx  decisions  allowed  denied
2026-11-23 10:00       400     396    4    0          4        4       0
2026-11-23 12:00      1200    1188   12    0         12       10       2
2026-11-23 13:00        20      19    0    0          1        1       0
total                 1620    1603   16    0         17       15       2

last seen by the authorizer 2026-11-23T13:00:17Z from 203.0.113.7"
    );
}

#[test]
fn without_an_access_log_it_is_said_that_requests_are_unknown() {
    let usage = usage(
        vec![step(0, 3, 0, None), step(1, 0, 0, None)],
        step(0, 3, 0, None),
    );
    let shown = shown(&key(), &usage, Characters::Ascii);
    assert!(shown.said.contains("not known"), "{}", shown.said);
    assert_eq!(
        plain(&shown),
        "\
key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N ci of tenant acme
by hour from 2026-11-23 10:00 to 2026-11-23 12:00, UTC

decisions  #_  at most 3 in one hour

hour              requests  cached  429  5xx  decisions  allowed  denied
2026-11-23 10:00         ?       ?    ?    ?          3        3       0
total                    ?       ?    ?    ?          3        3       0

last seen by the authorizer 2026-11-23T13:00:17Z from 203.0.113.7"
    );
}

#[test]
fn a_key_that_was_never_used_says_so() {
    let mut usage = usage(vec![step(0, 0, 0, None)], step(0, 0, 0, None));
    usage.by = "month".into();
    usage.last_used_at = None;
    usage.last_address = None;
    let shown = shown(&key(), &usage, Characters::Ascii);
    assert_eq!(shown.said, "");
    let text = plain(&shown);
    assert!(
        text.contains("by month from 2026-11 to 2026-11, UTC"),
        "{text}"
    );
    assert!(text.contains("nothing was counted in this time"), "{text}");
    assert!(text.ends_with("never seen by the authorizer"), "{text}");
}

#[test]
fn the_file_for_spreadsheets_has_every_step_and_no_formula() {
    let mut key = key();
    key.tenant = "=1+1".to_owned();
    key.name = "a, \"b\"".to_owned();
    let usage = usage(
        vec![step(0, 3, 1, Some(100)), step(1, 2, 0, None)],
        step(0, 5, 1, Some(100)),
    );
    assert_eq!(
        csv::csv(&key, &usage),
        "\
key,tenant,name,from,to,requests,requests_throttled,requests_failed,cached,decisions,allowed,unauthenticated,forbidden,throttled,unavailable\r
key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N,'=1+1,\"a, \"\"b\"\"\",2026-11-23T10:00:00Z,2026-11-23T11:00:00Z,100,1,0,96,4,3,0,1,0,0\r
key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N,'=1+1,\"a, \"\"b\"\"\",2026-11-23T11:00:00Z,2026-11-23T12:00:00Z,,,,,2,2,0,0,0,0\r
"
    );
}

use super::*;

/// A line, and its cells or what is wrong with it.
type Found = (u64, Result<Cells, String>);

/// The rows of a file with `text`: line, cells, or what is wrong.
fn read(format: Format, text: &str) -> Result<Vec<Found>, Failure> {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("doorward-read-{}-{count}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let mut found = vec![];
    let result = rows(format, &path, &mut |row| {
        assert!(row.offset <= text.len() as u64);
        found.push((row.line, row.cells));
        true
    });
    std::fs::remove_file(path).unwrap();
    result.map(|()| found)
}

#[expect(clippy::unnecessary_wraps, reason = "as a row that is good")]
fn cells(pairs: &[(&str, &str)]) -> Result<Cells, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(pairs.iter().map(owned).collect())
}

#[test]
fn plain_keys_stand_one_a_line() {
    let found = read(Format::Plain, "a\n\n  b \r\nc").unwrap();
    let key = |key| cells(&[("key", key)]);
    assert_eq!(found, [(1, key("a")), (3, key("b")), (4, key("c"))]);
}

#[test]
fn the_key_file_of_api_gateway_has_columns_in_any_order_and_case() {
    let text = "\u{feff}Enabled,Name,key,UsageplanIds\ntrue,\"My, first\",apikey1234abcdefghij0123456789,\"c7y23b,glvrsr\"\nFALSE,b\n";
    let found = read(Format::Aws, text).unwrap();
    let first = cells(&[
        ("enabled", "true"),
        ("name", "My, first"),
        ("key", "apikey1234abcdefghij0123456789"),
        ("usageplanids", "c7y23b,glvrsr"),
    ]);
    let second = Err("has 2 values, expected 4".to_owned());
    assert_eq!(found, [(2, first), (3, second)]);
}

#[test]
fn what_get_api_keys_prints_is_read_too() {
    let text = r#"
{
    "items": [
        {"id": "a1", "value": "k1", "name": "first", "customerId": "7", "enabled": true, "createdDate": "2024-03-01T09:00:00+00:00",
         "stageKeys": [], "tags": {"Tenant": "acme"}},
        {"id": "a2", "name": "second", "enabled": false, "stageKeys": ["x/v1"]}
    ]
}"#;
    let first = cells(&[
        ("key", "k1"),
        ("id", "a1"),
        ("name", "first"),
        ("enabled", "true"),
        ("customerid", "7"),
        ("tags.tenant", "acme"),
    ]);
    let second = Err("has no `value`; ask for the keys with --include-values".to_owned());
    let found = read(Format::Aws, text).unwrap();
    let found: Vec<_> = found.into_iter().map(|(_, cells)| cells).collect();
    assert_eq!(found, [first, second]);
    // An empty file has no keys.
    assert_eq!(read(Format::Aws, "").unwrap(), []);
}

#[test]
fn kong_has_keys_inside_consumers_beside_them_and_in_lists() {
    let text = r#"{"_format_version": "3.0", "services": [{"name": "s"}],
"consumers": [
  {"username": "alice", "custom_id": "7",
   "keyauth_credentials": [{"key": "k1", "tags": ["a", "b"]}, {"key": "k2"}]},
  {"id": "c-2", "username": "bob"}
],
"keyauth_credentials": [
  {"key": "k3", "consumer": "c-2", "created_at": 100, "ttl": 50},
  {"consumer": {"id": "c-9"}}
]}
{"data": [{"key": "k4", "consumer": {"id": "c-9"}}], "next": null}"#;
    let found = read(Format::Kong, text).unwrap();
    let alice = [("consumer", "alice"), ("custom_id", "7")];
    let first = cells(&[&[("key", "k1"), ("tags", "a b")], &alice[..]].concat());
    let second = cells(&[&[("key", "k2")], &alice[..]].concat());
    let third = cells(&[("key", "k3"), ("consumer", "bob"), ("expires_at", "150")]);
    let fourth = Err("is no key-auth credential: it has no `key`".to_owned());
    let fifth = cells(&[("key", "k4"), ("consumer", "c-9")]);
    assert_eq!(
        found,
        [
            (3, first),
            (3, second),
            (8, third),
            (9, fourth),
            (11, fifth)
        ]
    );
}

#[test]
fn tyk_has_sessions_by_key_and_in_lists() {
    let text = r#"{"apikey-k1": {"org_id": "o", "alias": "ci", "expires": -1, "is_inactive": true, "meta_data": {"team": "blue"}},
"k2": {"expires": 1900000000}}
[{"key_hash": "ab12", "data": {"alias": "x"}}, {"key_id": "k3"}, {"alias": "nobody"}]
{"keys": [{"key": "k4"}], "pages": 1}"#;
    let found = read(Format::Tyk, text).unwrap();
    let first = cells(&[
        ("key", "k1"),
        ("org_id", "o"),
        ("alias", "ci"),
        ("disabled", "true"),
        ("meta_data.team", "blue"),
    ]);
    let second = cells(&[("key", "k2"), ("expires_at", "1900000000")]);
    let third = cells(&[("hash", "ab12"), ("alias", "x")]);
    let fourth = cells(&[("key", "k3")]);
    let fifth = Err("names no key: it has none of `key`, `key_id` and `key_hash`".to_owned());
    let sixth = cells(&[("key", "k4")]);
    let found: Vec<_> = found.into_iter().map(|(_, cells)| cells).collect();
    assert_eq!(found, [first, second, third, fourth, fifth, sixth]);
}

#[test]
fn an_export_keeps_what_narrows_and_refuses_what_it_cannot_keep() {
    let text = r#"{"digest":"d","tenant":"t","scopes":["a","b"],"routes":[],"addresses":["10.0.0.0/8"],"metadata":{"Team":"x"},"id":"key_1"}
{"digest":"d","decoy":true}
{"digest":"d","hasUsagePlanKey":true}
no json"#;
    let found = read(Format::Doorward, text).unwrap();
    let first = cells(&[
        ("digest", "d"),
        ("tenant", "t"),
        ("scopes", "a b"),
        ("routes", "none"),
        ("addresses", "10.0.0.0/8"),
        ("metadata.Team", "x"),
    ]);
    assert_eq!(found.first(), Some(&(1, first)));
    assert!(found.iter().skip(1).all(|(_, cells)| cells.is_err()));
    assert_eq!(found.len(), 4);
}

#[test]
fn a_file_that_is_something_else_is_said_with_its_place_and_without_its_text() {
    for (format, text) in [
        (Format::Kong, "consumers:\n- hunter2\n"),
        (Format::Kong, "{\"consumers\": {\"hunter2\": 1}}"),
        (Format::Tyk, "{\"k\": {}\nhunter2"),
        (Format::Aws, "{\"items\": [\nhunter2"),
        (Format::Plain, &"hunter2".repeat(20_000)),
    ] {
        let error = read(format, text).unwrap_err();
        assert!(error.message.contains("line"), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
}

#[test]
fn reading_stops_when_no_more_is_wanted() {
    let path = std::env::temp_dir().join(format!("doorward-read-stop-{}", std::process::id()));
    for (format, text) in [
        (Format::Plain, "a\nb\nc\n"),
        (Format::Csv, "key\na\nb\n"),
        (Format::Aws, r#"{"items":[{"value":"a"},{"value":"b"}]}"#),
        (Format::Kong, r#"{"data":[{"key":"a"},{"key":"b"}]}"#),
        (Format::Tyk, r#"[{"key":"a"},{"key":"b"}]"#),
    ] {
        std::fs::write(&path, text).unwrap();
        let mut count = 0;
        rows(format, &path, &mut |_| {
            count += 1;
            false
        })
        .unwrap();
        assert_eq!(count, 1, "{format:?}");
    }
    std::fs::remove_file(path).unwrap();
}

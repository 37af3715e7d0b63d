use super::*;

const KEY: &str = "key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N";
const AT: i64 = 1_795_428_000;

fn event(message: &str) -> LogEvent {
    LogEvent {
        id: "1".to_owned(),
        timestamp: AT * 1000 + 456,
        message: message.to_owned(),
    }
}

/// The line of a REST API, as the template has it, with the values of one request.
fn line() -> Value {
    json!({
        "doorward": "1", "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "at": "1795428000123", "status": "200",
        "route": "/orders/{id}", "keyId": KEY, "address": "203.0.113.7", "apiId": "a1b2c3", "stage": "v1",
        "authorizerMs": "-",
    })
}

fn with(member: &str, value: Value) -> String {
    let mut line = line();
    line[member] = value;
    line.to_string()
}

fn without(member: &str) -> String {
    let mut line = line();
    line.as_object_mut().unwrap().remove(member);
    line.to_string()
}

#[track_caller]
fn request(message: &str) -> Request {
    match read(&event(message)) {
        Line::Request(request) => request,
        other => panic!("{other:?}: {message}"),
    }
}

#[test]
fn a_request_with_a_key_is_read() {
    let expected = Request {
        key: KeyId::parse(KEY).unwrap(),
        at: Timestamp::from_unix(AT),
        status: Some(200),
    };
    assert_eq!(request(&line().to_string()), expected);
    assert_eq!(request(&format!("{}\n", line())), expected);
    // Seconds do as well as milliseconds.
    assert_eq!(request(&with("at", json!("1795428000"))), expected);
    for unknown in [
        with("status", json!("-")),
        with("status", json!(200)),
        without("status"),
    ] {
        assert_eq!(request(&unknown).status, None, "{unknown}");
    }
    for unread in [without("address"), without("requestId"), without("route")] {
        assert_eq!(request(&unread), expected);
    }
}

#[test]
fn what_the_local_gateway_writes_is_read() {
    let at = Timestamp::from_unix(AT);
    let written = request(&write("r1", at, 200, Some(KEY)));
    assert_eq!((written.at, written.status), (at, Some(200)));
    let nobody = write("r1", at, 401, None);
    assert_eq!(read(&event(&nobody)), Line::NoKey);
}

#[test]
fn a_request_is_counted_by_its_answer() {
    for (status, throttled, failed) in [
        ("200", 0, 0),
        ("403", 0, 0),
        ("429", 1, 0),
        ("499", 0, 0),
        ("500", 0, 1),
        ("599", 0, 1),
        ("600", 0, 0),
        ("-", 0, 0),
    ] {
        let expected = Requests {
            total: 1,
            throttled,
            failed,
        };
        let request = request(&with("status", json!(status)));
        assert_eq!(request.counted(), expected, "{status}");
    }
}

#[test]
fn a_request_without_a_key_is_told_apart() {
    for value in ["-", ""] {
        assert_eq!(read(&event(&with("keyId", json!(value)))), Line::NoKey);
    }
}

#[test]
fn lines_that_are_not_ours_are_foreign() {
    let long = with("route", json!("x".repeat(MAX_LINE)));
    let twice =
        line()
            .to_string()
            .replacen('{', r#"{"keyId":"key_00000000000000000000000001","#, 1);
    for message in [
        "",
        "-",
        "null",
        "[]",
        r#"127.0.0.1 - - [27/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 -"#,
        "{\"doorward\":\"1\"",
        &format!("{} {}", line(), line()),
        &format!(" x{}", line()),
        &without("doorward"),
        &with("doorward", json!(1)),
        &with("doorward", json!("2")),
        &without("keyId"),
        &with("keyId", json!(null)),
        &with("keyId", json!([KEY])),
        &with("keyId", json!("key_1")),
        &with("keyId", json!(KEY.to_lowercase())),
        &with("keyId", json!(format!("{KEY}#x"))),
        &without("at"),
        &with("at", json!(AT)),
        &with("at", json!("-")),
        &with("at", json!("now")),
        &with("at", json!("0")),
        &with("at", json!("9223372036854775807")),
        &with("at", json!("-9223372036854775808")),
        &with("at", json!("1795328000123")),
        &long,
        // A client that ends a text and names another key makes the line ambiguous.
        &twice,
    ] {
        assert_eq!(read(&event(message)), Line::Foreign, "{message}");
    }
    let mut odd = event(&line().to_string());
    for timestamp in [0, -1, i64::MIN, i64::MAX] {
        odd.timestamp = timestamp;
        assert_eq!(read(&odd), Line::Foreign, "{timestamp}");
    }
}

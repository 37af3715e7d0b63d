use super::*;

#[test]
fn tolerates_null_absent_and_empty_maps() {
    for empty in [json!(null), json!({})] {
        let mut event = rest();
        for name in [
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "stageVariables",
        ] {
            event = with(event, &format!("/{name}"), empty.clone());
        }
        let request = accepted(
            &with(event, "/requestContext", empty.clone()),
            EventKind::RestRequest,
        );
        assert!(matches!(
            request.headers.one("authorization"),
            Lookup::Absent
        ));
        assert!(request.peer.is_none());
    }
    let bare = json!({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": null, "cookies": null, "requestContext": null});
    accepted(&bare, EventKind::HttpApiV2);
    accepted(
        &json!({"type": "REQUEST", "methodArn": ARN}),
        EventKind::RestRequest,
    );
    let token = accepted(
        &json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": null}),
        EventKind::RestToken,
    );
    assert!(token.token.is_none());
}

#[test]
fn refuses_fields_of_the_wrong_type() {
    for (pointer, value) in [
        ("/headers", json!([])),
        ("/headers", json!({"X-Api-Key": 1})),
        ("/headers", json!({"X-Api-Key": ["k"]})),
        ("/multiValueHeaders", json!({"X-Api-Key": "k"})),
        ("/multiValueHeaders", json!({"X-Api-Key": [null]})),
        ("/queryStringParameters", json!("q=1")),
        ("/multiValueQueryStringParameters", json!({"q": [1]})),
        ("/path", json!(7)),
        ("/httpMethod", json!(["GET"])),
        ("/requestContext", json!("prod")),
        ("/requestContext/identity", json!([])),
        (
            "/requestContext/identity/sourceIp",
            json!(3_405_803_783_u32),
        ),
        ("/requestContext/accountId", json!(111_122_223_333_u64)),
        ("/requestContext/path", json!({})),
    ] {
        refused(
            &with(rest(), pointer, value),
            EventKind::RestRequest,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    for (pointer, value) in [
        ("/cookies", json!("a=b")),
        ("/cookies", json!([1])),
        ("/rawQueryString", json!({})),
        ("/requestContext/http", json!(1)),
    ] {
        refused(
            &with(http_api(), pointer, value),
            EventKind::HttpApiV2,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    refused(
        &with(token(), "/authorizationToken", json!({})),
        EventKind::RestToken,
        "authorizationToken",
    );
}

#[test]
fn refuses_names_that_are_there_twice() {
    for (text, at) in [
        (
            r#"{"type":"TOKEN","methodArn":"ARN","authorizationToken":"a","authorizationToken":"b"}"#,
            "authorizationToken",
        ),
        (
            r#"{"type":"REQUEST","methodArn":"ARN","headers":{},"headers":{"authorization":"x"}}"#,
            "headers",
        ),
    ] {
        let decoded = decode(&Event::parse(text.replace("ARN", ARN).as_bytes()), NOW);
        assert!(decoded.request.unwrap_err().detail().contains(at));
    }
    let twice = format!(
        r#"{{"type":"REQUEST","methodArn":"{ARN}","headers":{{"authorization":"a","authorization":"a"}}}}"#
    );
    let request = decode(&Event::parse(twice.as_bytes()), NOW)
        .request
        .unwrap();
    assert!(matches!(
        request.headers.one("authorization"),
        Lookup::Conflict
    ));
}

#[test]
fn keeps_contradictions_between_headers_visible() {
    let event = with(rest(), "/headers", json!({"authorization": "Bearer t"}));
    let request = accepted(&event, EventKind::RestRequest);
    assert!(matches!(
        request.headers.one("Authorization"),
        Lookup::Conflict
    ));
}

#[test]
fn refuses_addresses_in_loose_forms() {
    for text in [
        "203.0.113.07",
        "203.0.113",
        "0xcb007107",
        "203.0.113.7:443",
        "[2001:db8::1]",
        "fe80::1%eth0",
        " 203.0.113.7",
        "...",
    ] {
        refused(
            &with(rest(), "/requestContext/identity/sourceIp", json!(text)),
            EventKind::RestRequest,
            "sourceIp",
        );
        refused(
            &with(http_api(), "/requestContext/http/sourceIp", json!(text)),
            EventKind::HttpApiV2,
            "sourceIp",
        );
    }
    for text in ["203.0.113.7", "2001:db8::1", "::ffff:203.0.113.7"] {
        let request = accepted(
            &with(rest(), "/requestContext/identity/sourceIp", json!(text)),
            EventKind::RestRequest,
        );
        assert_eq!(request.peer, Some(text.parse().unwrap()));
    }
}

#[test]
fn reads_repeated_query_parameters() {
    let pairs = |request: &Request| {
        request
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect::<Vec<_>>()
            .join("&")
    };
    let maps = with(
        rest(),
        "/queryStringParameters",
        json!({"q": "2", "only": "s"}),
    );
    let maps = with(
        maps,
        "/multiValueQueryStringParameters",
        json!({"q": ["1", "2"], "m": []}),
    );
    assert_eq!(
        pairs(&accepted(&maps, EventKind::RestRequest)),
        "q=1&q=2&only=s"
    );
    let differ = with(
        with(rest(), "/queryStringParameters", json!({"q": "3"})),
        "/multiValueQueryStringParameters",
        json!({"q": ["1"]}),
    );
    assert_eq!(
        pairs(&accepted(&differ, EventKind::RestRequest)),
        "q=1&q=3",
        "maps that disagree look repeated"
    );
    for (raw, expected) in [
        ("", ""),
        ("a=1&a=2&&b", "a=1&a=2&b="),
        ("%61=x+y%2Bz&=v", "a=x y+z&=v"),
        ("a=%ff%zz", "a=%ff%zz"),
        ("a=b=c", "a=b=c"),
    ] {
        let event = with(http_api(), "/rawQueryString", json!(raw));
        assert_eq!(pairs(&accepted(&event, EventKind::HttpApiV2)), expected);
    }
}

#[test]
fn reads_cookies_strictly() {
    let pairs = |request: &Request| {
        request
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect::<Vec<_>>()
            .join("|")
    };
    for (header, expected) in [
        ("a=1; b=2", "a=1|b=2"),
        ("a=1;a=2", "a=1|a=2"),
        ("a", ""),
        ("=1; b c=2; d =3; e=4", "e=4"),
        (r#"a="x;b=y""#, r#"a="x|b=y""#),
        ("a=b=c", "a=b=c"),
    ] {
        let event = with(
            with(rest(), "/headers", json!({"cookie": header})),
            "/multiValueHeaders",
            json!(null),
        );
        assert_eq!(pairs(&accepted(&event, EventKind::RestRequest)), expected);
        let event = with(http_api(), "/cookies", json!([header]));
        assert_eq!(pairs(&accepted(&event, EventKind::HttpApiV2)), expected);
    }
    let both = with(
        with(rest(), "/headers", json!({"Cookie": "a=2"})),
        "/multiValueHeaders",
        json!({"cookie": ["a=1", "a=2"]}),
    );
    assert_eq!(pairs(&accepted(&both, EventKind::RestRequest)), "a=1|a=2");
}

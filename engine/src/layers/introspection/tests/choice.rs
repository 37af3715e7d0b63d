//! Which server is asked about a token.

use super::*;

const MORE: &str = r#"
    [[introspection]]
    name = "two"
    issuer = "https://two.example"
    endpoint = "https://two.example/introspect"
    audiences = ["api"]
    token_prefixes = ["two_", "two_b_", "x"]
    client = { id = "two", secret = "env:S" }
    [[introspection]]
    name = "three"
    issuer = "https://three.example"
    endpoint = "https://three.example/introspect"
    audiences = ["api"]
    token_prefixes = ["two_a_"]
    client = { id = "three", secret = "env:S" }
    [[routes]]
    route = "GET /three"
    credentials = ["opaque"]
    introspection = "three"
"#;

/// Three servers, of which the first is the default.
fn three(tokens: &str) -> World {
    world(&format!("{tokens}{ONE}default = true\n{ROUTES}{MORE}"))
}

const BY_HEADER: &str = "tokens = { issuer_header = 'X-Token-Issuer' }\n";

#[tokio::test]
async fn tokens_go_to_the_server_of_the_route_or_of_their_prefix_and_never_to_a_second() {
    let world = three("");
    for (token, route, asked) in [
        ("t", STRICT, "one"),
        ("two_1", STRICT, "two"),
        ("two_a_1", STRICT, "three"),
        ("two_b_1", STRICT, "two"),
        ("two_2", "GET /three", "three"),
    ] {
        assert_eq!(world.refused(token, route, 0).await, Reason::TokenInactive);
        let line = world.server.asked.lock().unwrap().pop().unwrap();
        assert_eq!(line, format!("{asked} {token}"));
        assert!(world.server.asked.lock().unwrap().is_empty());
    }
    world.server.activate("two_3", &json!({}));
    let by_request = |subject: Subject| subject.introspected.unwrap().by_request;
    assert!(by_request(world.ask("two_3", STRICT, 0).await.unwrap()));
    assert!(!by_request(
        world.ask("two_3", "GET /three", 0).await.unwrap()
    ));
}

#[tokio::test]
async fn a_token_that_no_server_is_named_for_is_asked_about_nowhere() {
    let world = world(&format!("{ONE}token_prefixes = [\"one_\"]\n{ROUTES}"));
    assert_eq!(
        world.refused("t", STRICT, 0).await,
        Reason::CredentialUnsupported
    );
    assert_eq!(
        world.refused(&"t".repeat(8193), STRICT, 0).await,
        Reason::TokenTooLong
    );
    assert_eq!(world.server.calls(), 0);
}

#[tokio::test]
async fn a_header_chooses_among_the_servers_before_the_default() {
    let world = three(BY_HEADER);
    for (token, issuer, route, asked) in [
        ("t", "two", STRICT, "two"),
        ("t", "three", STRICT, "three"),
        ("t", "one", STRICT, "one"),
        ("two_1", "two", STRICT, "two"),
        ("two_1", "three", "GET /three", ""),
        ("u", "three", "GET /three", "three"),
    ] {
        let hint = format!("https://{issuer}.example");
        let denial = world.ask_hinting(token, Some(&hint), route, 0).await;
        let line = world.server.asked.lock().unwrap().pop();
        if asked.is_empty() {
            assert_eq!(denial.unwrap_err().reason(), Reason::TokenHint);
            assert_eq!(line, None);
        } else {
            assert_eq!(denial.unwrap_err().reason(), Reason::TokenInactive);
            assert_eq!(line, Some(format!("{asked} {token}")));
        }
    }
}

#[tokio::test]
async fn a_header_that_fits_no_server_is_refused_and_nobody_is_asked() {
    let world = three(BY_HEADER);
    world.server.activate("t", &json!({}));
    world.server.activate("two_1", &json!({}));
    world.ask("t", STRICT, 0).await.unwrap();
    let calls = world.server.calls();
    for (token, hint, route) in [
        ("t", "https://four.example", STRICT),
        ("t", "https://one.example/", STRICT),
        ("t", "HTTPS://one.example", STRICT),
        ("t", "https://one.example, https://two.example", STRICT),
        ("t", "one", STRICT),
        ("t", "", STRICT),
        // Another than its prefix says, and another than the route asks.
        ("two_1", "https://one.example", STRICT),
        ("t", "https://one.example", "GET /three"),
        ("two_1", "https://two.example", "GET /three"),
    ] {
        let denial = world.ask_hinting(token, Some(hint), route, 0).await;
        let denial = denial.unwrap_err();
        assert_eq!(denial.reason(), Reason::TokenHint, "{token} {hint} {route}");
        assert!(!denial.detail().contains(".example"), "{denial:?}");
    }
    assert_eq!(world.server.calls(), calls);
}

#[tokio::test]
async fn what_one_server_said_of_a_token_is_not_remembered_for_another() {
    let world = three(BY_HEADER);
    world.server.activate("t", &json!({}));
    let one = world.ask("t", STRICT, 0).await.unwrap();
    assert_eq!(one.principal(), "user|https://one.example|ann");
    world.server.say("t", json!({"active": false}));
    let two = world
        .ask_hinting("t", Some("https://two.example"), STRICT, 1)
        .await;
    assert_eq!(two.unwrap_err().reason(), Reason::TokenInactive);
    let one = world
        .ask_hinting("t", Some("https://one.example"), STRICT, 2)
        .await;
    let one = one.unwrap().introspected.unwrap();
    assert!(one.by_request && one.by_header);
    assert_eq!(world.server.calls(), 2);
}

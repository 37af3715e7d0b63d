//! A refusal that the gateway keeps shuts nobody out of what they may do.

use doorward::local::gateway::{Asked, Payload};

use crate::house::{APIS, House, Setup};

const HERE: &str = "127.0.0.1";
const THERE: &str = "127.0.0.2";

const MORE: &str = r#"
[[routes]]
route = "GET /there"
credentials = ["jwt", "api_key"]
scopes = ["orders:read"]
addresses = { allow = ["127.0.0.2"] }
context = { area = "orders" }

[[routes]]
route = "POST /files/special"
credentials = ["jwt"]
scopes = ["nobody"]
context = { area = "orders" }
"#;

const ALL_FROM_THERE: &str = "[addresses]\ndeny = [\"127.0.0.1\"]\n";

const TWO_FROM_EACH: &str = r#"
[limits.calls]
limit = 2
per = "day"
by = ["address"]

[addresses]
limit = "calls"
"#;

async fn house(payload: Payload, more: &'static str) -> House {
    House::start(Setup {
        payload,
        more,
        ..Setup::default()
    })
    .await
}

/// What `credential` meets from both addresses, in this order; nobody asks the authorizer again.
async fn from_the_cache(house: &House, credential: &str, line: &str) -> [u16; 2] {
    let mut statuses = [0; 2];
    for (from, status) in [HERE, THERE].into_iter().zip(&mut statuses) {
        let (found, asked) = house.bearer_from(from, line, credential).await;
        assert_eq!(asked, Asked::Cached, "{line} from {from}");
        *status = found;
    }
    statuses
}

#[tokio::test]
async fn a_refusal_from_a_wrong_address_does_not_shut_out_the_right_one() {
    for payload in APIS {
        let house = house(payload, MORE).await;
        let key = house.key_from(&["orders:read"], Some(&[THERE])).await;
        let refused = house
            .bearer_from(HERE, "GET /orders/42", &key.printed)
            .await;
        assert_eq!(refused, (403, Asked::Yes), "{payload:?}");
        assert!(house.last().note.contains("key_address_refused"));
        for line in [
            "GET /orders/42",
            "GET /orders/43",
            "GET /there",
            "GET /here",
        ] {
            let statuses = from_the_cache(&house, &key.printed, line).await;
            assert_eq!(statuses, [403, 200], "{payload:?} {line}");
        }
        let scope = from_the_cache(&house, &key.printed, "GET /files/a").await;
        assert_eq!(scope, [403, 403], "{payload:?}");
        house.stop().await;
    }
}

#[tokio::test]
async fn a_route_refused_to_a_wrong_address_is_open_to_the_right_one() {
    for payload in APIS {
        let house = house(payload, MORE).await;
        let token = house.token(&["orders:read"]);
        let refused = house.bearer_from(HERE, "GET /there", &token).await;
        assert_eq!(refused, (403, Asked::Yes), "{payload:?}");
        assert!(house.last().note.contains("route_address_refused"));
        for (line, expected) in [
            ("GET /there", [403, 200]),
            ("GET /orders/42", [200, 200]),
            ("GET /office", [403, 403]),
        ] {
            let statuses = from_the_cache(&house, &token, line).await;
            assert_eq!(statuses, expected, "{payload:?} {line}");
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn an_address_that_may_not_call_at_all_does_not_shut_out_others() {
    for payload in APIS {
        let house = house(payload, ALL_FROM_THERE).await;
        let token = house.token(&["orders:read"]);
        let refused = house.bearer_from(HERE, "GET /orders/42", &token).await;
        assert_eq!(refused, (403, Asked::Yes), "{payload:?}");
        assert!(house.last().note.contains("address_refused"));
        for line in ["GET /orders/42", "GET /orders/43"] {
            let statuses = from_the_cache(&house, &token, line).await;
            assert_eq!(statuses, [403, 200], "{payload:?} {line}");
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn an_address_that_may_not_call_learns_nothing_of_a_credential() {
    for payload in APIS {
        let house = house(payload, ALL_FROM_THERE).await;
        let good = house.token(&["orders:read"]);
        let (signed, _) = good.rsplit_once('.').unwrap();
        let other = house.token(&["orders:write"]);
        let (_, signature) = other.rsplit_once('.').unwrap();
        let bad = format!("{signed}.{signature}");
        let mut told = Vec::new();
        for credential in [&good, &bad] {
            for line in ["GET /orders/42", "GET /orders/42", "GET /reports"] {
                let bearer = format!("Bearer {credential}");
                let seen = house.call(line, &[("authorization", &bearer)]).await;
                told.push((seen.status, seen.text));
            }
        }
        let (of_good, of_bad) = told.split_at(3);
        assert_eq!(of_good, of_bad, "{payload:?}");
        // What is bad stays so elsewhere: nothing was kept for it that lets anybody pass.
        let elsewhere = house.bearer_from(THERE, "GET /orders/42", &bad).await;
        assert_eq!(elsewhere.0, 403, "{payload:?}");
        house.stop().await;
    }
}

#[tokio::test]
async fn a_path_that_no_route_takes_does_not_shut_out_the_others() {
    for payload in APIS {
        for (line, reason) in [
            ("GET /files/a%2Fb", "path_refused"),
            ("GET /files//special", "route_unknown"),
        ] {
            let house = house(payload, MORE).await;
            let token = house.token(&["orders:read", "files:read"]);
            assert_eq!(
                house.raw(line, &token).await,
                (403, Asked::Yes),
                "{payload:?}"
            );
            assert!(house.last().note.contains(reason), "{}", house.last().note);
            assert_eq!(
                house.raw(line, &token).await,
                (403, Asked::Cached),
                "{payload:?}"
            );
            for line in ["GET /orders/42", "GET /files/a/b", "GET /files/a"] {
                let found = house.bearer(line, &token).await;
                assert_eq!(found, (200, Asked::Cached), "{payload:?} {line}");
            }
            house.stop().await;
        }
    }
}

#[tokio::test]
async fn another_spelling_of_a_path_does_not_shut_out_the_plain_one() {
    for payload in APIS {
        let house = house(payload, MORE).await;
        let token = house.token(&["orders:read", "files:read"]);
        let found = house.raw("GET /files//a", &token).await;
        assert_eq!(found, (403, Asked::Yes), "{payload:?}");
        assert!(house.last().note.contains("policy_inexpressible"));
        for line in ["GET /files/a", "GET /orders/42"] {
            let found = house.bearer(line, &token).await;
            assert_eq!(found, (200, Asked::Cached), "{payload:?} {line}");
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn an_address_over_its_limit_does_not_shut_out_others() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            more: TWO_FROM_EACH,
            ttl: 6,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read"]);
        for token in [&token, &house.token(&["orders:write"])] {
            house.bearer_from(HERE, "GET /orders/42", token).await;
        }
        // The gateway has forgotten the token, the authorizer remembers it.
        tokio::time::sleep(std::time::Duration::from_millis(6200)).await;
        let refused = house.bearer_from(HERE, "GET /orders/42", &token).await;
        assert_eq!(refused.1, Asked::Yes, "{payload:?}");
        assert!(
            house.last().note.contains("rate_limited"),
            "{}",
            house.last().note
        );
        for line in ["GET /orders/42", "GET /here"] {
            let [here, there] = from_the_cache(&house, &token, line).await;
            assert_ne!(here, 200, "{payload:?} {line}");
            assert_eq!(there, 200, "{payload:?} {line}");
        }
        house.stop().await;
    }
}

/// As `docs/caching.md` says: one no is kept for every route and every address.
#[tokio::test]
async fn a_simple_no_is_kept_for_everything_under_its_identity_sources() {
    let house = house(
        Payload::Http2Simple,
        "[answers]\nhttp_api = \"simple\"\n[[routes]]\nroute = \"GET /there\"\ncredentials = [\"jwt\"]\naddresses = { allow = [\"127.0.0.2\"] }",
    )
    .await;
    let token = house.token(&["orders:read"]);
    let refused = house.bearer_from(HERE, "GET /there", &token).await;
    assert_eq!(refused, (403, Asked::Yes));
    assert_eq!(
        from_the_cache(&house, &token, "GET /orders/42").await,
        [403, 403]
    );
    house.stop().await;
}

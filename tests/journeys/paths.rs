//! Routes that are not there, and spellings of paths.

use doorward::local::gateway::{Asked, Payload};
use serde_json::json;

use crate::house::{APIS, House, Setup};

#[tokio::test]
async fn an_unknown_route_is_answered_before_the_authorizer_is_asked() {
    for (payload, status, body) in [
        (
            Payload::RestRequest,
            403,
            json!({"message": "Missing Authentication Token"}),
        ),
        (Payload::Http2, 404, json!({"message": "Not Found"})),
    ] {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let bearer = format!("Bearer {}", house.token(&["orders:read"]));
        for line in [
            "GET /nowhere",
            "DELETE /orders/42",
            "GET /ORDERS/42",
            "GET /",
        ] {
            let seen = house.call(line, &[("authorization", &bearer)]).await;
            assert_eq!((seen.status, seen.json()), (status, body.clone()), "{line}");
        }
        assert_eq!(house.asked(), 0);
        house.stop().await;
    }
}

#[tokio::test]
async fn a_public_route_needs_nothing() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        assert_eq!(house.call("GET /health", &[]).await.status, 200);
        assert_eq!((house.asked(), house.last().asked), (0, Asked::No));
        house.stop().await;
    }
}

#[tokio::test]
async fn an_escaped_slash_is_refused() {
    let house = House::start(Setup {
        ttl: 0,
        ..Setup::default()
    })
    .await;
    let token = house.token(&["orders:read", "files:read"]);
    for line in [
        "GET /orders/a%2Fb",
        "GET /orders/a%5Cb",
        "GET /orders/a%252Fb",
        "GET /orders/a;b=c",
        "GET /files/a%00",
    ] {
        let (status, _) = house.bearer(line, &token).await;
        assert_eq!(status, 403, "{line}");
        assert!(
            house.last().note.contains("path_refused"),
            "{line}: {}",
            house.last().note
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn a_slash_at_the_end_reaches_the_same_route_of_a_rest_api() {
    let house = House::start(Setup::default()).await;
    let token = house.token(&["orders:read"]);
    assert_eq!(
        house.bearer("GET /orders/42/", &token).await,
        (200, Asked::Yes)
    );
    assert_eq!(house.bearer("GET /orders/42/", &token).await.0, 200);
    house.stop().await;
}

#[tokio::test]
async fn a_method_override_is_not_read() {
    let house = House::start(Setup {
        ttl: 0,
        ..Setup::default()
    })
    .await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    for name in [
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
    ] {
        let headers = [("authorization", bearer.as_str()), (name, "GET")];
        assert_eq!(
            house.call("POST /orders", &headers).await.status,
            403,
            "{name}"
        );
    }
    house.stop().await;
}

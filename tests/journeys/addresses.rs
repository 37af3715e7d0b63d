//! Where a caller may call from.

use doorward::local::gateway::Asked;

use crate::house::{APIS, House, Setup};

#[tokio::test]
async fn a_wrong_address_is_403_and_a_right_one_passes() {
    for payload in APIS {
        let house = House::start(Setup {
            payload,
            ..Setup::default()
        })
        .await;
        let token = house.token(&["orders:read"]);
        assert_eq!(
            house.bearer("GET /office", &token).await,
            (403, Asked::Yes),
            "{payload:?}"
        );
        assert!(
            house.last().note.contains("route_address_refused"),
            "{}",
            house.last().note
        );
        assert_eq!(
            house.bearer("GET /here", &token).await,
            (200, Asked::Cached),
            "{payload:?}"
        );
        assert_eq!(
            house.bearer("GET /office", &token).await,
            (403, Asked::Cached),
            "{payload:?}"
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn a_forged_forwarding_header_changes_nothing() {
    let house = House::start(Setup {
        ttl: 0,
        ..Setup::default()
    })
    .await;
    let bearer = format!("Bearer {}", house.token(&["orders:read"]));
    for name in [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
    ] {
        let forged = [("authorization", bearer.as_str()), (name, "192.0.2.1")];
        assert_eq!(
            house.call("GET /office", &forged).await.status,
            403,
            "{name}"
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn a_key_for_other_addresses_is_403() {
    let house = House::start(Setup::default()).await;
    let elsewhere = house
        .key_from(&["orders:read"], Some(&["192.0.2.0/24"]))
        .await;
    assert_eq!(
        house.bearer("GET /orders/42", &elsewhere.printed).await.0,
        403
    );
    let here = house.key_from(&["orders:read"], Some(&["127.0.0.1"])).await;
    assert_eq!(house.bearer("GET /orders/42", &here.printed).await.0, 200);
    house.stop().await;
}

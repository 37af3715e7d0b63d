//! Who gets in, who does not, and what they are told.

use doorward::local::{
    gateway::{Asked, Payload},
    issuer::Algorithm,
};
use serde_json::json;

use crate::house::{APIS, House, Setup};

fn setup(payload: Payload) -> Setup {
    Setup {
        payload,
        ..Setup::default()
    }
}

#[tokio::test]
async fn a_key_is_accepted_in_the_authorization_header() {
    for payload in APIS {
        let house = House::start(setup(payload)).await;
        let key = house.key(&["orders:read"]).await;
        assert_eq!(
            house.bearer("GET /orders/42", &key.printed).await,
            (200, Asked::Yes),
            "{payload:?}"
        );
        let api_key = format!("ApiKey {}", key.printed);
        assert_eq!(
            house
                .call("GET /orders/42", &[("authorization", &api_key)])
                .await
                .status,
            200
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn a_key_is_accepted_in_its_own_header_where_no_identity_source_is_demanded() {
    for payload in APIS {
        let house = House::start(Setup {
            sources: vec![],
            ttl: 0,
            ..setup(payload)
        })
        .await;
        let key = house.key(&["orders:read"]).await;
        let seen = house
            .call("GET /orders/42", &[("X-Api-Key", &key.printed)])
            .await;
        assert_eq!(seen.status, 200, "{payload:?}: {}", seen.text);
        house.stop().await;
    }
    // With the default identity source the gateway answers before anybody looks at that header.
    let house = House::start(Setup::default()).await;
    let key = house.key(&["orders:read"]).await;
    let seen = house
        .call("GET /orders/42", &[("X-Api-Key", &key.printed)])
        .await;
    assert_eq!((seen.status, house.asked()), (401, 0));
    house.stop().await;
}

#[tokio::test]
async fn a_token_is_accepted_with_either_signature() {
    for payload in APIS {
        let house = House::start(setup(payload)).await;
        for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
            let token = house.token_with(&["orders:read"], |request| request.algorithm = algorithm);
            assert_eq!(
                house.bearer("GET /orders/42", &token).await,
                (200, Asked::Yes),
                "{payload:?} {algorithm:?}"
            );
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn a_token_authorizer_sees_keys_and_tokens_alike() {
    let house = House::start(setup(Payload::RestToken)).await;
    let key = house.key(&["orders:read"]).await;
    assert_eq!(
        house.bearer("GET /orders/42", &key.printed).await,
        (200, Asked::Yes)
    );
    assert_eq!(
        house
            .bearer("GET /orders/42", &house.token(&["orders:read"]))
            .await,
        (200, Asked::Yes)
    );
    // It is sent no address, so a route for some addresses only stays shut.
    assert_eq!(
        house
            .bearer("GET /here", &house.token(&["orders:read", "x"]))
            .await
            .0,
        403
    );
    house.stop().await;
}

#[tokio::test]
async fn a_wrong_scope_is_403() {
    for payload in APIS {
        let house = House::start(Setup {
            ttl: 0,
            ..setup(payload)
        })
        .await;
        let key = house.key(&["orders:read"]).await;
        for credential in [key.printed, house.token(&["orders:read"])] {
            assert_eq!(
                house.bearer("POST /orders", &credential).await,
                (403, Asked::Yes),
                "{payload:?}"
            );
            assert!(
                house.last().note.contains("scope_missing"),
                "{}",
                house.last().note
            );
        }
        house.stop().await;
    }
}

#[tokio::test]
async fn a_bad_credential_is_401_and_never_kept() {
    for payload in APIS {
        let house = House::start(setup(payload)).await;
        let good = house.token(&["orders:read"]);
        let unknown = {
            let other = House::start(Setup::default()).await;
            let key = other.key(&["orders:read"]).await;
            other.stop().await;
            key.printed
        };
        let bad = [
            ("forged", format!("{good}AAAA")),
            (
                "expired",
                house.token_with(&["orders:read"], |request| request.lifetime = -10),
            ),
            (
                "meant for others",
                house.token_with(&["orders:read"], |request| {
                    request.audiences = vec!["other".to_owned()];
                }),
            ),
            (
                "of another issuer",
                house.token_with(&["orders:read"], |request| {
                    request.issuer = "https://evil.test".to_owned();
                }),
            ),
            (
                "an id token",
                house.token_with(&["orders:read"], |request| {
                    request.token_type = "id+jwt".to_owned();
                }),
            ),
            ("a key of another table", unknown),
            ("a cut key", "ck_test_abc".to_owned()),
            ("nothing of ours", "x".to_owned()),
        ];
        for (name, credential) in &bad {
            for _ in 0..2 {
                assert_eq!(
                    house.bearer("GET /orders/42", credential).await,
                    (401, Asked::Yes),
                    "{payload:?}: {name}"
                );
            }
        }
        let seen = house
            .call(
                "GET /orders/42",
                &[("authorization", &format!("Bearer {}", bad[0].1))],
            )
            .await;
        assert_eq!(seen.json(), json!({"message": "Unauthorized"}));
        house.stop().await;
    }
}

#[tokio::test]
async fn no_credential_is_401_and_the_authorizer_is_not_asked() {
    for payload in APIS {
        let house = House::start(setup(payload)).await;
        let seen = house.call("GET /orders/42", &[]).await;
        assert_eq!((seen.status, house.asked()), (401, 0), "{payload:?}");
        assert_eq!(seen.json(), json!({"message": "Unauthorized"}));
        assert_eq!(
            seen.headers.contains_key("www-authenticate"),
            payload == Payload::RestRequest
        );
        house.stop().await;
    }
}

#[tokio::test]
async fn two_credentials_are_401() {
    let house = House::start(Setup {
        sources: vec![],
        ttl: 0,
        ..Setup::default()
    })
    .await;
    let (one, two) = (
        house.key(&["orders:read"]).await,
        house.key(&["orders:read"]).await,
    );
    let bearer = format!("Bearer {}", one.printed);
    let twice = [
        ("authorization", bearer.as_str()),
        ("x-api-key", two.printed.as_str()),
    ];
    assert_eq!(house.call("GET /orders/42", &twice).await.status, 401);
    let repeated = [
        ("authorization", bearer.as_str()),
        ("authorization", bearer.as_str()),
    ];
    assert_eq!(house.call("GET /orders/42", &repeated).await.status, 401);
    house.stop().await;
}

#[tokio::test]
async fn an_unreachable_issuer_is_500_and_says_nothing() {
    let more = "[[issuers]]\nname = \"gone\"\nissuer = \"http://127.0.0.1:1\"\nalgorithms = [\"ES256\"]\n\
                audiences = [\"https://api.demo.invalid\"]\ndanger_allow_http = true\n";
    for (payload, body) in [
        (Payload::RestRequest, json!({"message": null})),
        (Payload::Http2, json!({"message": "Internal Server Error"})),
    ] {
        let house = House::start(Setup {
            more,
            ..setup(payload)
        })
        .await;
        let token = house.token_with(&["orders:read"], |request| {
            request.issuer = "http://127.0.0.1:1".to_owned();
        });
        let seen = house
            .call(
                "GET /orders/42",
                &[("authorization", &format!("Bearer {token}"))],
            )
            .await;
        assert_eq!((seen.status, seen.json()), (500, body));
        assert!(!seen.text.contains("127.0.0.1"));
        house.stop().await;
    }
}

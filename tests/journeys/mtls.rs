//! The domain with mutual TLS: who gets a connection, what reaches authorizer and backend, and the way round.

use std::fs;

use doorward::local::{
    Domain,
    gateway::{Asked, DefaultEndpoint, Payload},
};
use reqwest::{Certificate, Client, Identity};
use serde_json::Value;

use crate::house::{APIS, House, Setup};

async fn house(payload: Payload, default_endpoint: DefaultEndpoint) -> House {
    House::start(Setup {
        payload,
        mtls: Some(default_endpoint),
        ..Setup::default()
    })
    .await
}

/// A client that trusts the authority for demonstration, with this certificate and key in PEM.
fn client(domain: &Domain, identity: Option<&str>) -> Client {
    let authority = fs::read(domain.authority.as_ref().unwrap()).unwrap();
    let mut builder = Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()]);
    if let Some(pem) = identity {
        builder = builder.identity(Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// Certificate and key of the demo client.
fn demo_client(domain: &Domain) -> String {
    let (certificate, key) = domain.client.as_ref().unwrap();
    fs::read_to_string(certificate).unwrap() + &fs::read_to_string(key).unwrap()
}

#[tokio::test]
async fn the_certificate_of_the_client_is_passed_on_as_api_gateway_does() {
    for payload in APIS {
        let house = house(payload, DefaultEndpoint::Open).await;
        let domain = house.domain();
        let request = client(domain, Some(&demo_client(domain)))
            .get(format!("{}/orders/42", domain.address))
            .bearer_auth(house.token(&["orders:read"]));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{payload:?}");
        let echo: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let told = &echo["requestContext"]["clientCert"];
        assert_eq!(told["subjectDN"], "O=Doorward,CN=Doorward demo client");
        assert_eq!(told["issuerDN"], "O=Doorward,CN=Doorward demo authority");
        let pem = fs::read_to_string(&domain.client.as_ref().unwrap().0).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(told["clientCertPem"].as_str().unwrap()), lines(&pem));
        let serial = told["serialNumber"].as_str().unwrap();
        if payload == Payload::RestRequest {
            assert!(serial.bytes().all(|b| b.is_ascii_digit()), "{serial}");
        } else {
            assert!(serial.split(':').all(|octet| octet.len() == 2), "{serial}");
        }
        let ends = told["validity"]["notAfter"].as_str().unwrap();
        assert!(ends.ends_with(" GMT") && ends.len() == 24, "{ends}");
        house.stop().await;
    }
}

#[tokio::test]
async fn without_a_certificate_of_the_truststore_there_is_no_connection() {
    let house = house(Payload::RestRequest, DefaultEndpoint::Open).await;
    let domain = house.domain();
    let stranger = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
    let stranger = stranger.cert.pem() + &stranger.signing_key.serialize_pem();
    for identity in [None, Some(stranger.as_str())] {
        let request = client(domain, identity)
            .get(format!("{}/health", domain.address))
            .send();
        let error = request.await.unwrap_err();
        assert!(error.status().is_none(), "{error:?}");
    }
    let known = client(domain, Some(&demo_client(domain)));
    let response = known
        .get(format!("{}/health", domain.address))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    house.stop().await;
}

#[tokio::test]
async fn the_default_address_asks_for_no_certificate_until_it_is_shut() {
    for (payload, shut) in [(Payload::RestRequest, 403), (Payload::Http2, 404)] {
        let open = house(payload, DefaultEndpoint::Open).await;
        let bearer = format!("Bearer {}", open.token(&["orders:read"]));
        let seen = open
            .call("GET /orders/42", &[("authorization", &bearer)])
            .await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.json()["requestContext"]["clientCert"], Value::Null);
        open.stop().await;

        let closed = house(payload, DefaultEndpoint::Shut).await;
        for line in ["GET /orders/42", "GET /health", "GET /nowhere"] {
            let seen = closed.call(line, &[("authorization", &bearer)]).await;
            assert_eq!(seen.status, shut, "{payload:?} {line}");
            assert_eq!(closed.last().asked, Asked::No);
        }
        let domain = closed.domain();
        let response = client(domain, Some(&demo_client(domain)))
            .get(format!("{}/health", domain.address))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        closed.stop().await;
    }
}

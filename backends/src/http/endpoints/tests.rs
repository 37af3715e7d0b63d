use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use doorward_engine::{
    authority::{Assertion, Client as Asker, Secrets, SigningKey},
    layers::jwt::Algorithm,
};
use doorward_keys::{Secret, Timestamp};
use serde_json::Value;

use super::*;

const NOW: i64 = 1_800_000_000;

fn endpoint(url: &str, origin: Origin, auth: ClientAuth) -> Endpoint {
    Endpoint {
        url: url.to_owned(),
        origin,
        client: Asker {
            id: "gate/1".to_owned(),
            auth,
        },
        authority: None,
        timeout: Duration::from_secs(1),
        max_bytes: 1000,
    }
}

fn call(endpoint: &Endpoint, previous_secret: bool) -> Call<'_> {
    Call {
        endpoint,
        previous_secret,
        form: &[("token", "x")],
        accept: "application/json",
        now: Timestamp::from_unix(NOW),
        within: Duration::from_secs(1),
    }
}

fn secrets() -> Secrets {
    let secret = |text: &str| Secret::new(text.to_owned());
    Secrets {
        current: secret("new: +%&é"),
        previous: Some(secret("old")),
    }
}

fn prove(auth: ClientAuth, previous: bool) -> auth::Proof {
    let endpoint = endpoint("https://a.example/", Origin::Public, auth);
    auth::prove(&call(&endpoint, previous), &SystemRandom::new()).unwrap()
}

fn basic(previous: bool) -> String {
    let proof = prove(ClientAuth::Basic(secrets()), previous);
    assert!(proof.fields.is_empty());
    let header = proof.header.unwrap();
    assert!(header.is_sensitive());
    let pair = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
    String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap()
}

#[test]
fn encodes_id_and_secret_before_they_are_joined() {
    assert_eq!(basic(false), "gate%2F1:new%3A+%2B%25%26%C3%A9");
    assert_eq!(basic(true), "gate%2F1:old");
}

#[test]
fn posts_id_and_secret() {
    let proof = prove(ClientAuth::Post(secrets()), true);
    assert!(proof.header.is_none());
    let fields = proof.fields.iter().map(|(n, v)| (*n, v.as_str()));
    assert_eq!(auth::form(fields), "client_id=gate%2F1&client_secret=old");
}

#[test]
fn a_certificate_goes_with_the_id_and_nothing_else() {
    let proof = prove(ClientAuth::Certificate(Secret::new(String::new())), false);
    assert!(proof.header.is_none());
    assert_eq!(proof.fields, [("client_id", "gate/1".to_owned())]);
}

#[test]
fn signs_an_assertion_of_its_own_for_each_try() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = STANDARD.encode(pair.to_pkcs8v1().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    let assertion = Arc::new(Assertion {
        key: SigningKey::parse(&pem, Algorithm::Es256).unwrap(),
        key_id: Some("k1".to_owned()),
        audience: "https://a.example".to_owned(),
    });
    let mut ids = vec![];
    for _ in 0..2 {
        let proof = prove(ClientAuth::PrivateKeyJwt(Arc::clone(&assertion)), false);
        let [(_, id), (_, kind), (name, token)] = proof.fields.as_slice() else {
            panic!("{}", proof.fields.len());
        };
        assert_eq!((id.as_str(), *name), ("gate/1", "client_assertion"));
        assert_eq!(
            kind,
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
            .verify(input.as_bytes(), &signature)
            .unwrap();
        let part = |text: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        let (header, claims) = input.split_once('.').unwrap();
        let (header, claims) = (part(header), part(claims));
        assert_eq!(
            (header["alg"].as_str(), header["kid"].as_str()),
            (Some("ES256"), Some("k1"))
        );
        assert_eq!(claims["iss"], "gate/1");
        assert_eq!(claims["sub"], "gate/1");
        assert_eq!(claims["aud"], "https://a.example");
        assert_eq!(claims["exp"], NOW + 60);
        ids.push(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn refuses_addresses_that_must_not_be_asked() {
    for url in [
        "http://a.example/introspect",
        "https://127.0.0.1/introspect",
        "https://user:pass@a.example/",
        "https://localhost/introspect",
    ] {
        let endpoint = endpoint(url, Origin::Public, ClientAuth::Basic(secrets()));
        let outcome = HttpEndpoints::new().post(&call(&endpoint, false)).await;
        match outcome {
            Err(CallError::Forbidden(shown, _)) => assert!(!shown.contains("pass"), "{shown}"),
            other => panic!("{url}: {:?}", other.map(|answered| answered.status)),
        }
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_told_without_its_text() {
    let identity = ClientAuth::Certificate(Secret::new("hunter2".to_owned()));
    let endpoint = endpoint("http://127.0.0.1:1/", Origin::Anywhere, identity);
    let outcome = HttpEndpoints::new().post(&call(&endpoint, false)).await;
    let error = outcome.err().unwrap().to_string();
    assert!(
        error.contains("cannot be read") && !error.contains("hunter2"),
        "{error}"
    );
}

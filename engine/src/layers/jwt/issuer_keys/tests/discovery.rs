//! From the issuer to the address of its keys.

use super::*;
use crate::layers::jwt::test_support::{OAUTH, OPENID, discovering};

#[tokio::test]
async fn discovers_the_address_of_the_key_set_and_remembers_it() {
    let bench = Bench::new(discovering(""));
    bench.shelf.put(
        OPENID,
        r#"{"issuer":"https://acme.example","jwks_uri":"https://keys.example/1"}"#,
    );
    bench.shelf.put("https://keys.example/1", &set_of(&["a"]));
    assert_eq!(bench.look("a", 0).await, Ok(()));
    bench.fetched(2);
    assert_eq!(bench.look("a", 3600).await, Ok(()));
    bench.fetched(3);
    // The metadata is read again when what it named fails, and after a day.
    bench.shelf.remove("https://keys.example/1");
    bench.shelf.put(
        OPENID,
        r#"{"issuer":"https://acme.example","jwks_uri":"https://keys.example/2"}"#,
    );
    bench.shelf.put("https://keys.example/2", &set_of(&["b"]));
    assert_eq!(bench.look("a", 7200).await, Ok(()));
    assert_eq!(bench.look("b", 7230).await, Ok(()));
    bench.fetched(6);
    bench.shelf.put(
        OPENID,
        r#"{"issuer":"https://acme.example","jwks_uri":"https://keys.example/1"}"#,
    );
    bench.shelf.put("https://keys.example/1", &set_of(&["c"]));
    assert_eq!(bench.look("c", 7230 + 86_400).await, Ok(()));
    assert!(
        bench
            .shelf
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|(_, origin)| *origin == Origin::Public)
    );
}

#[tokio::test]
async fn falls_back_to_the_metadata_of_rfc_8414() {
    let bench = Bench::new(discovering(""));
    bench.shelf.put(
        OAUTH,
        &format!(r#"{{"issuer":"https://acme.example","jwks_uri":"{KEYS}"}}"#),
    );
    bench.shelf.put(KEYS, &set_of(&["a"]));
    assert_eq!(bench.look("a", 0).await, Ok(()));
}

#[tokio::test]
async fn refuses_metadata_of_another_issuer_and_addresses_without_tls() {
    for metadata in [
        format!(r#"{{"issuer":"https://acme.example/","jwks_uri":"{KEYS}"}}"#),
        format!(r#"{{"issuer":"https://evil.example","jwks_uri":"{KEYS}"}}"#),
        format!(r#"{{"jwks_uri":"{KEYS}"}}"#),
        format!(r#"{{"issuer":["https://acme.example"],"jwks_uri":"{KEYS}"}}"#),
        r#"{"issuer":"https://acme.example"}"#.to_owned(),
        r#"{"issuer":"https://acme.example","jwks_uri":"http://acme.example/keys"}"#.to_owned(),
        r#"{"issuer":"https://acme.example","jwks_uri":"file:///keys"}"#.to_owned(),
        format!(r#"{{"issuer":"https://acme.example","issuer":"x","jwks_uri":"{KEYS}"}}"#),
    ] {
        let bench = Bench::new(discovering(""));
        bench.shelf.put(OPENID, &metadata);
        bench.shelf.put(OAUTH, &metadata);
        bench.shelf.put(KEYS, &set_of(&["a"]));
        bench.shelf.put("http://acme.example/keys", &set_of(&["a"]));
        assert_eq!(bench.look("a", 0).await, UNAVAILABLE, "{metadata}");
    }
}

#[tokio::test]
async fn allows_http_only_behind_the_dangerous_setting() {
    let bench = Bench::new(discovering("danger_allow_http = true"));
    bench.shelf.put(
        OPENID,
        r#"{"issuer":"https://acme.example","jwks_uri":"http://10.0.0.1/keys"}"#,
    );
    bench.shelf.put("http://10.0.0.1/keys", &set_of(&["a"]));
    assert_eq!(bench.look("a", 0).await, Ok(()));
    assert!(
        bench
            .shelf
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|(_, origin)| *origin == Origin::Anywhere)
    );
}

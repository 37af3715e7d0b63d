use axum::http::{HeaderName, HeaderValue};
use doorward_keys::Secret;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const STAMP: &str = "20231114T221320Z";
const TARGET: &str = "/keys?tenant=a%20b&limit=7";

fn credentials() -> AdminCredentials {
    AdminCredentials {
        access_key_id: "DOORWARDTEST".to_owned(),
        secret_access_key: Secret::new("kept to itself".to_owned()),
    }
}

/// The headers of a request signed at `at` with `credentials`.
fn signed(credentials: &AdminCredentials, at: Timestamp, body: &[u8]) -> HeaderMap {
    let identity = Credentials::new(
        &credentials.access_key_id,
        credentials.secret_access_key.expose().clone(),
        None,
        None,
        "test",
    );
    let identity = identity.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name(SERVICE)
        .time(time_of(at.unix()))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let url = format!("http://127.0.0.1:8790{TARGET}");
    let own = [("content-type", "application/json")];
    let request =
        SignableRequest::new("POST", url, own.into_iter(), SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:8790"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in instructions.headers() {
        headers.insert(HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    headers
}

fn verified(headers: &HeaderMap, target: &str, body: &[u8]) -> Result<(), Unsigned> {
    verify(
        &credentials(),
        "POST",
        &target.parse().unwrap(),
        headers,
        body,
        NOW,
    )
}

#[test]
fn what_was_signed_is_let_in_and_what_was_changed_is_not() {
    let headers = signed(&credentials(), NOW, b"{}");
    assert_eq!(headers["x-amz-date"], STAMP);
    assert_eq!(verified(&headers, TARGET, b"{}"), Ok(()));
    assert_eq!(verified(&headers, TARGET, b"{} "), Err(Unsigned::Wrong));
    assert_eq!(
        verified(&headers, "/keys?tenant=b&limit=7", b"{}"),
        Err(Unsigned::Wrong)
    );
    assert_eq!(
        verified(&headers, "/keys/x?tenant=a%20b&limit=7", b"{}"),
        Err(Unsigned::Wrong)
    );
    for (name, value) in [("content-type", "text/plain"), ("host", "127.0.0.1:1")] {
        let mut changed = headers.clone();
        changed.insert(name, HeaderValue::from_static(value));
        assert_eq!(
            verified(&changed, TARGET, b"{}"),
            Err(Unsigned::Wrong),
            "{name}"
        );
        changed.remove(name);
        assert_eq!(
            verified(&changed, TARGET, b"{}"),
            Err(Unsigned::Wrong),
            "{name}"
        );
    }
}

#[test]
fn signatures_of_others_and_of_other_times_are_refused() {
    let other_key = AdminCredentials {
        secret_access_key: Secret::new("another".to_owned()),
        ..credentials()
    };
    assert_eq!(
        verified(&signed(&other_key, NOW, b""), TARGET, b""),
        Err(Unsigned::Wrong)
    );
    let other_id = AdminCredentials {
        access_key_id: "AKIA".to_owned(),
        ..credentials()
    };
    assert_eq!(
        verified(&signed(&other_id, NOW, b""), TARGET, b""),
        Err(Unsigned::UnknownKey)
    );
    for seconds in [-301, 301] {
        let at = Timestamp::from_unix(NOW.unix() + seconds);
        let refused = verified(&signed(&credentials(), at, b""), TARGET, b"");
        assert!(
            matches!(refused, Err(Unsigned::Expired(_))),
            "{seconds}: {refused:?}"
        );
    }
}

#[test]
fn headers_that_are_not_of_the_form_are_refused() {
    let good = signed(&credentials(), NOW, b"");
    let text = good["authorization"].to_str().unwrap();
    for (header, expected) in [
        ("Bearer x".to_owned(), Unsigned::Incomplete("Credential")),
        (
            text.replace("Credential=", "Credentials="),
            Unsigned::Incomplete("Credential"),
        ),
        (
            text.replace("/aws4_request", ""),
            Unsigned::Incomplete("Credential"),
        ),
        (
            text.replace("SignedHeaders=", "Signed="),
            Unsigned::Incomplete("SignedHeaders"),
        ),
        (
            text.replace("Signature=", "Sig="),
            Unsigned::Incomplete("Signature"),
        ),
        (text.replace("execute-api", "dynamodb"), Unsigned::Scope),
        (
            text.replace("20231114", "20231113"),
            Unsigned::Expired(STAMP.to_owned()),
        ),
        (text.replace("eu-west-1", "eu-west-2"), Unsigned::Wrong),
        (text.replace("host;", ""), Unsigned::Wrong),
    ] {
        let mut headers = good.clone();
        headers.insert(AUTHORIZATION, header.parse().unwrap());
        assert_eq!(verified(&headers, TARGET, b""), Err(expected), "{header}");
    }
    assert_eq!(
        verified(&HeaderMap::new(), TARGET, b""),
        Err(Unsigned::Missing)
    );
    let mut headers = good;
    headers.remove("x-amz-date");
    assert_eq!(
        verified(&headers, TARGET, b""),
        Err(Unsigned::Incomplete("X-Amz-Date"))
    );
}

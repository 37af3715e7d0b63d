//! Addresses and thumbprints against what the standards publish. Whole proofs are in `tests/proofs/` of the workspace.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use doorward_keys::Timestamp;

use super::{
    RawDpop,
    confirmation::Confirmation,
    dpop::{Proof, thumbprint},
    target::{Address, addresses},
};
use crate::{
    config::{ConfigEnv, Faults},
    denial::Reason,
    layers::jwt::json::Object,
    request::{Entrance, Target, Verb},
    test_support::request,
};

#[track_caller]
fn check_same(left: &str, right: &str, expected: bool) {
    let (left, right) = (Address::parse(left), Address::parse(right));
    assert_eq!(
        left.is_some() && left == right,
        expected,
        "{left:?} {right:?}"
    );
}

#[test]
fn addresses_that_mean_the_same_are_the_same() {
    for (left, right, expected) in [
        ("https://a.example/x", "HTTPS://A.Example:443/x", true),
        ("https://a.example/x", "https://a.example/x?y#z", true),
        ("https://a.example", "https://a.example/", true),
        ("https://a.example/%7ex", "https://a.example/~x", true),
        (
            "https://a.example/a/./b/../c",
            "https://a.example/a/c",
            true,
        ),
        ("http://127.0.0.1:80/", "http://127.0.0.1", true),
        ("https://a.example/x", "https://a.example/X", false),
        ("https://a.example/x", "http://a.example/x", false),
        ("https://a.example/x", "https://a.example:444/x", false),
        ("https://a.example/x", "https://b.example/x", false),
        ("https://a.example/x", "https://user@a.example/x", false),
        ("https://a.example/x", "//a.example/x", false),
        ("https://a.example/x", "/x", false),
        ("https://a.example/a%2fb", "https://a.example/a%2fb", false),
        ("https://a.example:0443/", "https://a.example:0443/", false),
        ("https://:443/", "https://:443/", false),
        ("ftp://a.example/", "ftp://a.example/", false),
    ] {
        check_same(left, right, expected);
    }
}

#[test]
fn the_address_of_a_request_is_what_the_event_states_or_the_configuration_says() {
    let mut asked = request(&[]);
    assert_eq!(addresses(&asked, &[]), []);
    asked.entrance = Entrance {
        domain: Some("API.example.com".to_owned()),
        path: Some("/v1/orders".to_owned()),
    };
    let shown = |request: &_, public: &[Address]| {
        let found = addresses(request, public);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown(&asked, &[]), ["https://api.example.com/v1/orders"]);
    let public = [Address::parse("https://front.example/v2/").unwrap()];
    assert_eq!(shown(&asked, &public), ["https://front.example/v2/orders"]);
    asked.entrance.domain = Some("127.0.0.1:3000".to_owned());
    assert_eq!(
        shown(&asked, &[]),
        [
            "http://127.0.0.1:3000/v1/orders",
            "https://127.0.0.1:3000/v1/orders"
        ]
    );
    asked.target = Target::Http {
        verb: Verb::parse("GET").unwrap(),
        path: "/a%2fb".to_owned(),
    };
    assert_eq!(addresses(&asked, &public), []);
    for local in [
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "1270.0.0.1",
    ] {
        asked.entrance.domain = Some(local.to_owned());
        assert!(
            shown(&asked, &[])
                .iter()
                .all(|found| found.starts_with("https:"))
        );
    }
}

/// RFC 7638 section 3.1, RFC 8037 appendix A.3, RFC 9449 sections 4.1 and 6.1.
#[test]
fn thumbprints_are_those_that_the_standards_publish() {
    for (jwk, expected) in [
        (
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
        (
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
    ] {
        let jwk = Object::document(jwk.as_bytes()).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode(thumbprint(&jwk).unwrap()), expected);
    }
}

#[test]
fn a_token_is_bound_in_one_known_way_or_refused() {
    let of = |claims: &str| {
        let claims = Object::document(claims.as_bytes()).unwrap();
        Confirmation::of(&claims)
    };
    let digest = URL_SAFE_NO_PAD.encode([7; 32]);
    assert_eq!(of("{}").unwrap(), None);
    assert_eq!(
        of(&format!(r#"{{"cnf":{{"x5t#S256":"{digest}"}}}}"#)).unwrap(),
        Some(Confirmation::Certificate([7; 32]))
    );
    assert_eq!(
        of(&format!(r#"{{"cnf":{{"jkt":"{digest}"}}}}"#)).unwrap(),
        Some(Confirmation::Key([7; 32]))
    );
    for cnf in [
        "null".to_owned(),
        "\"x\"".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"jkt":"x"}"#.to_owned(),
        r#"{"jkt":7}"#.to_owned(),
        format!(r#"{{"jkt":"{digest}="}}"#),
        format!(r#"{{"jkt":"{digest}","x5t#S256":"{digest}"}}"#),
        format!(r#"{{"jkt":"{digest}","kid":"a"}}"#),
        r#"{"jwk":{}}"#.to_owned(),
        r#"{"kid":"a"}"#.to_owned(),
    ] {
        let denial = of(&format!(r#"{{"cnf":{cnf}}}"#)).unwrap_err();
        assert_eq!(denial.reason(), Reason::TokenBound, "{cnf}");
    }
}

/// The proofs of RFC 9449 sections 4.1 (for a token request) and 7.1 (for a request with the access token of the example).
const PUBLISHED_HEADER: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
const FOR_A_TOKEN: &str = "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const WITH_A_TOKEN: &str = "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

#[test]
fn the_published_proofs_prove_what_they_were_made_for() {
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|_| Err("there are no secrets".to_owned()),
    };
    let config = RawDpop::default().check(&env, &mut Faults::default());
    let at = |method: &str, domain: &str, path: &str| {
        let mut asked = request(&[]);
        asked.target = Target::Http {
            verb: Verb::parse(method).unwrap(),
            path: path.to_owned(),
        };
        asked.entrance = Entrance {
            domain: Some(domain.to_owned()),
            path: Some(path.to_owned()),
        };
        asked
    };
    let resource = at("GET", "resource.example.org", "/protectedresource");
    let now = Timestamp::from_unix(1_562_262_618);
    let outcome = |payload: &str, asked: &_, token: &str, now| {
        let proof = Proof::read(&format!("{PUBLISHED_HEADER}.{payload}"), &config)?;
        assert_eq!(
            URL_SAFE_NO_PAD.encode(proof.thumbprint),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
        proof.check(asked, (token, &proof.thumbprint), &config, now)
    };
    assert!(outcome(WITH_A_TOKEN, &resource, TOKEN, now).is_ok());
    for (payload, asked, token, now, expected) in [
        (WITH_A_TOKEN, &resource, "another", now, Reason::ProofToken),
        (
            WITH_A_TOKEN,
            &resource,
            TOKEN,
            now.plus(61),
            Reason::ProofTime,
        ),
        (
            WITH_A_TOKEN,
            &at("GET", "resource.example.org", "/other"),
            TOKEN,
            now,
            Reason::ProofTarget,
        ),
        // Well made, and for no token.
        (
            FOR_A_TOKEN,
            &at("POST", "server.example.com", "/token"),
            TOKEN,
            now,
            Reason::ProofToken,
        ),
    ] {
        let denial = outcome(payload, asked, token, now).unwrap_err();
        assert_eq!(denial.reason(), expected, "{}", denial.detail());
    }
}

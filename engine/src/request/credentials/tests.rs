use doorward_keys::Secret;

use super::*;
use crate::{config::ConfigEnv, request::Headers, test_support::request};

const ROUTES: &str = "
    [[routes]]
    route = 'GET /orders'
    credentials = ['anonymous']
";
const KEYS: &str = "
    [api_keys]
    prefix = 'ck'
    environments = ['live']
    headers = ['x-api-key', 'x-partner-key']
    query_parameter = 'api_key'
";
const ISSUERS: &str = "
    [[issuers]]
    issuer = 'https://acme.example'
    algorithms = ['RS256']
    audiences = ['api']
";
const TOKENS: &str = "
    [tokens]
    query_parameter = 'access_token'
    cookie = 'session'
";
const KEY: &str = "ck_live_x";
const JWT: &str = "a.b.c";

fn config(parts: &[&str]) -> Config {
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|_| Err("there are no secrets".to_owned()),
    };
    let text = parts.concat() + ROUTES;
    Config::read(&text, "test.toml", &env).unwrap().config
}

fn whole() -> Config {
    config(&[KEYS, TOKENS, ISSUERS])
}

/// The key and the token that were found.
type Found = (Option<String>, Option<String>);

/// What is found in `request`, or the reason of the refusal, which must not show a credential.
fn find(request: &Request, config: &Config) -> Result<Found, Reason> {
    match Presented::find(request, config) {
        Ok(found) => Ok((
            found.api_key.map(str::to_owned),
            found.jwt.map(str::to_owned),
        )),
        Err(denial) => {
            for secret in [KEY, JWT, "secret"] {
                assert!(!denial.detail().contains(secret), "{}", denial.detail());
            }
            Err(denial.reason())
        }
    }
}

fn key() -> Found {
    (Some(KEY.to_owned()), None)
}

fn jwt() -> Found {
    (None, Some(JWT.to_owned()))
}

fn authorization(value: &str) -> Result<Found, Reason> {
    let of_header = of_header(value);
    assert_eq!(of_token(value), of_header, "a TOKEN event differs");
    of_header
}

fn of_header(value: &str) -> Result<Found, Reason> {
    find(&request(&[("authorization", value)]), &whole())
}

/// What a TOKEN or AppSync event with this token brings.
fn of_token(value: &str) -> Result<Found, Reason> {
    let event = Request {
        token: Some(Secret::new(value.to_owned())),
        ..request(&[])
    };
    find(&event, &whole())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, Secret<String>)> {
    let pair =
        |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new((*value).to_owned()));
    pairs.iter().map(pair).collect()
}

fn in_query(query: &[(&str, &str)]) -> Request {
    Request {
        query: pairs(query),
        ..request(&[])
    }
}

fn in_cookies(cookies: &[(&str, &str)]) -> Request {
    Request {
        cookies: pairs(cookies),
        ..request(&[])
    }
}

#[test]
fn finds_nothing_where_nothing_is() {
    assert_eq!(
        find(&request(&[("x-other", KEY)]), &whole()),
        Ok((None, None))
    );
}

#[test]
fn routes_a_credential_by_its_form() {
    assert_eq!(authorization(&format!("Bearer {KEY}")), Ok(key()));
    assert_eq!(authorization(&format!("Bearer {JWT}")), Ok(jwt()));
    assert_eq!(authorization(&format!("ApiKey {KEY}")), Ok(key()));
    // The prefix decides before the dots do, and a broken key is left to its own layer.
    let dotted = Ok((Some("ck_a.b.c".to_owned()), None));
    assert_eq!(authorization("Bearer ck_a.b.c"), dotted);
}

#[test]
fn takes_the_scheme_in_any_case_and_with_several_spaces() {
    for scheme in ["bearer", "BEARER", "BeArEr"] {
        assert_eq!(
            authorization(&format!("{scheme}   {JWT}")),
            Ok(jwt()),
            "{scheme}"
        );
    }
    assert_eq!(authorization(&format!("APIKEY {KEY}")), Ok(key()));
}

#[test]
fn takes_a_bare_credential_of_a_token_event_only() {
    for (value, found) in [(KEY, key()), (JWT, jwt())] {
        assert_eq!(of_token(value), Ok(found), "{value}");
        assert_eq!(of_header(value), Err(Reason::CredentialMalformed));
    }
    assert_eq!(of_token("opaque"), Err(Reason::CredentialUnsupported));
    assert_eq!(of_header("opaque"), Err(Reason::CredentialMalformed));
}

#[test]
fn refuses_a_bare_credential_beside_a_good_one() {
    let of_key = Request {
        query: pairs(&[("api_key", KEY)]),
        ..request(&[("authorization", JWT)])
    };
    assert_eq!(find(&of_key, &whole()), Err(Reason::CredentialMalformed));
}

#[test]
fn refuses_a_scheme_without_a_credential() {
    for scheme in ["Bearer", "bearer", "ApiKey", "APIKEY"] {
        for space in ["", " ", "   "] {
            assert_eq!(
                authorization(&format!("{scheme}{space}")),
                Err(Reason::CredentialMalformed),
                "`{scheme}{space}`"
            );
        }
    }
}

#[test]
fn refuses_what_is_not_one_token_after_the_scheme() {
    for value in [
        "",
        "Bearer a.b.c d",
        "Bearer a.b.c ",
        "Bearer a.b.c,Bearer a.b.c",
        "Bearer \"a.b.c\"",
        "Bearer\ta.b.c",
        "Bearer a.b.c\u{e9}",
        "Bearer a.b.c\r\nx: y",
    ] {
        assert_eq!(
            authorization(value),
            Err(Reason::CredentialMalformed),
            "{value:?}"
        );
    }
}

#[test]
fn refuses_schemes_and_forms_that_are_not_ours() {
    for value in [
        "Basic dTpzZWNyZXQ=",
        "Digest secret",
        "DPoP a.b.c",
        "b\u{e9}arer a.b.c",
        "Bearer opaque",
        "Bearer a.b",
        "Bearer a.b.c.d.e",
        "Bearer sk_live_x",
    ] {
        assert_eq!(
            authorization(value),
            Err(Reason::CredentialUnsupported),
            "{value}"
        );
    }
}

#[test]
fn refuses_kinds_that_are_not_configured() {
    let unsupported = Err(Reason::CredentialUnsupported);
    let (no_keys, no_issuers) = (config(&[ISSUERS]), config(&[KEYS]));
    for value in [format!("ApiKey {KEY}"), format!("Bearer {KEY}")] {
        assert_eq!(
            find(&request(&[("authorization", &value)]), &no_keys),
            unsupported
        );
    }
    let token = format!("Bearer {JWT}");
    assert_eq!(
        find(&request(&[("authorization", &token)]), &no_issuers),
        unsupported
    );
    assert_eq!(
        find(&request(&[("x-api-key", KEY)]), &no_keys),
        Ok((None, None))
    );
}

#[test]
fn finds_keys_and_tokens_in_the_configured_places_only() {
    let config = whole();
    for header in ["x-api-key", "X-Partner-Key"] {
        assert_eq!(
            find(&request(&[(header, KEY)]), &config),
            Ok(key()),
            "{header}"
        );
    }
    assert_eq!(find(&in_query(&[("api_key", KEY)]), &config), Ok(key()));
    assert_eq!(
        find(&in_query(&[("access_token", JWT)]), &config),
        Ok(jwt())
    );
    assert_eq!(find(&in_cookies(&[("session", JWT)]), &config), Ok(jwt()));
    let none = Ok((None, None));
    assert_eq!(find(&in_query(&[("API_KEY", KEY)]), &config), none);
    assert_eq!(find(&in_cookies(&[("api_key", KEY)]), &config), none);
    let bare = config_without_places();
    for request in [
        in_query(&[("access_token", JWT), ("api_key", KEY)]),
        in_cookies(&[("session", JWT)]),
    ] {
        assert_eq!(find(&request, &bare), none);
    }
}

fn config_without_places() -> Config {
    config(&[
        "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n",
        ISSUERS,
    ])
}

#[test]
fn a_text_where_only_keys_may_stand_is_a_key_whatever_its_form() {
    let found = Ok((Some(JWT.to_owned()), None));
    assert_eq!(find(&request(&[("x-api-key", JWT)]), &whole()), found);
    assert_eq!(authorization(&format!("ApiKey {JWT}")), found);
}

#[test]
fn refuses_the_same_kind_twice_in_one_place_or_in_two() {
    let config = whole();
    let (of_key, of_jwt) = (format!("Bearer {KEY}"), format!("Bearer {JWT}"));
    let with =
        |headers: &[(&str, &str)], query: &[(&str, &str)], cookies: &[(&str, &str)]| Request {
            query: pairs(query),
            cookies: pairs(cookies),
            ..request(headers)
        };
    for twice in [
        with(&[("authorization", &of_key), ("x-api-key", KEY)], &[], &[]),
        with(&[("x-api-key", KEY), ("x-partner-key", KEY)], &[], &[]),
        with(&[("x-api-key", KEY)], &[("api_key", KEY)], &[]),
        with(&[], &[("api_key", KEY), ("api_key", KEY)], &[]),
        with(&[("authorization", &of_jwt)], &[("access_token", JWT)], &[]),
        with(&[("authorization", &of_jwt)], &[], &[("session", JWT)]),
        with(&[], &[("access_token", JWT)], &[("session", JWT)]),
        with(&[], &[], &[("session", JWT), ("session", JWT)]),
    ] {
        assert_eq!(find(&twice, &config), Err(Reason::CredentialRepeated));
    }
}

#[test]
fn refuses_a_header_that_contradicts_itself() {
    let config = whole();
    for name in ["authorization", "x-api-key"] {
        let mut twice = request(&[]);
        twice.headers = Headers::from_maps(&[], &[(name, KEY), (name, "ck_live_y")]);
        assert_eq!(
            find(&twice, &config),
            Err(Reason::CredentialRepeated),
            "{name}"
        );
    }
}

#[test]
fn one_of_each_kind_is_both() {
    let headers = [("authorization", "Bearer a.b.c"), ("x-api-key", KEY)];
    let (request, config) = (request(&headers), whole());
    assert_eq!(
        find(&request, &config),
        Ok((Some(KEY.to_owned()), Some(JWT.to_owned())))
    );
    let kinds: Vec<Kind> = Presented::find(&request, &config)
        .ok()
        .unwrap()
        .kinds()
        .collect();
    assert_eq!(kinds, [Kind::ApiKey, Kind::Jwt]);
}

#[test]
fn counts_the_dots_of_what_may_be_a_credential_and_takes_no_other_byte_anywhere() {
    let may = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-'..=b'/' | b'_' | b'~' | b'+' | b'=');
    assert_eq!(dots_of_token68(""), None);
    for length in 1..20_usize {
        for place in 0..length {
            for byte in 0..=127_u8 {
                let mut text = vec![b'a'; length];
                text[place] = byte;
                let text = String::from_utf8(text).unwrap();
                let expected = may(byte).then_some(usize::from(byte == b'.'));
                assert_eq!(dots_of_token68(&text), expected, "{text:?}");
            }
        }
        assert_eq!(dots_of_token68(&".".repeat(length)), Some(length));
        assert_eq!(
            dots_of_token68(&format!("{}\u{e9}", "a".repeat(length))),
            None
        );
    }
    let long = ".".repeat(1 << 20);
    assert!(dots_of_token68(&long).is_some_and(|dots| dots > 2));
}

use super::*;
use crate::{
    config::Faults,
    layers::jwt::test_support::{P256, RSA, key_set},
};

const GOOD: &str = r#"
    issuer = "https://acme.example"
    algorithms = ["RS256"]
    audiences = ["api"]
"#;

struct Outcome {
    config: Option<IssuerConfig>,
    faults: Vec<(String, String)>,
    warnings: Vec<(String, String)>,
}

fn check(toml: &str) -> Outcome {
    let raw: RawIssuer = toml::from_str(toml).unwrap_or_else(|error| panic!("{toml}: {error}"));
    let files = |name: &str| match name {
        "keys.json" => Ok(key_set(&[format!(r#"{RSA},"kid":"r""#)])),
        "mixed.json" => Ok(key_set(&[
            format!(r#"{RSA},"kid":"r""#),
            r#""kty":"oct","kid":"o""#.to_owned(),
        ])),
        "unusable.json" => Ok(key_set(&[format!(r#"{P256},"kid":"e""#)])),
        "garbage.json" => Ok("garbage".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let mut faults = Faults::default();
    let config = IssuerConfig::check(raw, "issuers[0]", &files, &mut faults);
    let (faults, warnings) = faults.into_parts();
    let plain = |list: Vec<crate::config::Fault>| {
        list.into_iter()
            .map(|fault| (fault.path, fault.message))
            .collect::<Vec<_>>()
    };
    Outcome {
        config,
        faults: plain(faults),
        warnings: plain(warnings),
    }
}

#[track_caller]
fn accepts(more: &str) -> IssuerConfig {
    let outcome = check(&format!("{GOOD}\n{more}"));
    assert_eq!(outcome.faults, vec![], "{more}");
    outcome.config.unwrap()
}

/// `toml` has exactly one fault, at `path`, and its message says `why`.
#[track_caller]
fn refuses_all(toml: &str, path: &str, why: &str) {
    let outcome = check(toml);
    assert!(outcome.config.is_none());
    let [(found_path, message)] = outcome.faults.as_slice() else {
        panic!("{toml}: {:?}", outcome.faults)
    };
    assert_eq!(found_path, &format!("issuers[0].{path}"), "{message}");
    assert!(message.contains(why), "{message}");
    assert!(
        !message.contains('\n') && !message.ends_with('.'),
        "{message}"
    );
}

#[track_caller]
fn refuses(more: &str, path: &str, why: &str) {
    refuses_all(&format!("{GOOD}\n{more}"), path, why);
}

#[track_caller]
fn refuses_changed(from: &str, to: &str, path: &str, why: &str) {
    assert!(GOOD.contains(from));
    refuses_all(&GOOD.replace(from, to), path, why);
}

#[test]
fn has_safe_defaults() {
    let config = accepts("");
    assert_eq!(config.name, "https://acme.example".into());
    assert_eq!(config.profile, Profile::AccessToken);
    assert_eq!((config.leeway, config.max_lifetime), (60, None));
    assert_eq!(config.withdrawal_seconds(), Some((3600, 3600 + 14_400)));
    assert!(matches!(
        config.keys,
        KeySource::Remote {
            location: Location::Discovery,
            origin: Origin::Public
        }
    ));
}

#[test]
fn tells_every_fault_at_once() {
    let outcome = check(
        "leeway_seconds = -1\nscope_format = \"list\"\nclient_ids = [\"\"]\nclaims = { roles = \"a..b\" }",
    );
    let paths: Vec<&str> = outcome
        .faults
        .iter()
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "issuers[0].issuer",
            "issuers[0].algorithms",
            "issuers[0].audiences",
            "issuers[0].client_ids[0]",
            "issuers[0].leeway_seconds",
            "issuers[0].claims.roles",
        ]
    );
}

#[test]
fn refuses_algorithms_that_are_none_symmetric_or_unknown() {
    let list = "[\"RS256\"]";
    for none in ["none", "None", "NONE"] {
        refuses_changed(
            list,
            &format!("[\"{none}\"]"),
            "algorithms[0]",
            "anybody can write",
        );
    }
    for symmetric in ["HS256", "HS384", "HS512", "hs256"] {
        refuses_changed(
            list,
            &format!("[\"{symmetric}\"]"),
            "algorithms[0]",
            "one secret",
        );
    }
    for unknown in ["rs256", "RS265", "ES256K", "Ed448", "A128KW"] {
        refuses_changed(
            list,
            &format!("[\"ES256\", \"{unknown}\"]"),
            "algorithms[1]",
            "not an algorithm",
        );
    }
    refuses_changed(list, "[]", "algorithms", "empty");
    refuses_changed(list, "[\"RS256\", \"RS256\"]", "algorithms[1]", "twice");
    refuses_changed("algorithms = [\"RS256\"]", "", "algorithms", "missing");
}

#[test]
fn takes_every_algorithm_by_its_name() {
    let names = "\"RS256\",\"RS384\",\"RS512\",\"PS256\",\"PS384\",\"PS512\",\"ES256\",\"ES384\",\"ES512\",\"EdDSA\",\"Ed25519\"";
    let toml = GOOD.replace("\"RS256\"", names);
    assert_eq!(check(&toml).config.unwrap().algorithms, Algorithm::ALL);
}

#[test]
fn refuses_missing_or_empty_audiences() {
    refuses_changed("audiences = [\"api\"]", "", "audiences", "missing");
    refuses_changed("[\"api\"]", "[]", "audiences", "empty");
    refuses_changed("[\"api\"]", "[\"\"]", "audiences[0]", "empty");
    refuses_changed("[\"api\"]", "[\"api \"]", "audiences[0]", "spaces");
}

#[test]
fn holds_cognito_to_its_clients() {
    let cognito = |profile: &str, more: &str| {
        format!(
            "issuer = \"https://idp.example\"\nalgorithms = [\"RS256\"]\nprofile = \"{profile}\"\n{more}"
        )
    };
    for profile in ["cognito_access", "cognito_id"] {
        refuses_all(&cognito(profile, ""), "client_ids", "missing");
        refuses_all(&cognito(profile, "client_ids = []"), "client_ids", "empty");
        assert!(
            check(&cognito(profile, "client_ids = [\"a\"]"))
                .config
                .is_some()
        );
    }
    let id = "client_ids = [\"a\"]";
    refuses_all(
        &cognito("cognito_id", &format!("{id}\naudiences = [\"a\"]")),
        "audiences",
        "client",
    );
    refuses_all(
        &cognito(
            "cognito_id",
            &format!("{id}\nclaims = {{ client_id = \"azp\" }}"),
        ),
        "claims.client_id",
        "`aud`",
    );
    refuses_all(
        &cognito("cognito_id", &format!("{id}\nscope_format = \"text\"")),
        "scope_format",
        "no claim",
    );
}

#[test]
fn refuses_addresses_that_are_not_https() {
    let issuer = "https://acme.example";
    for bad in [
        "http://acme.example",
        "acme.example",
        "ftp://acme.example",
        "https://",
        "https://user:pass@acme.example",
        "https://acme.example/#x",
        "https://acme.example/?x",
        "https://acme.example/ x",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://10.0.0.1:8443/x",
        "https:\\\\acme.example",
    ] {
        refuses_changed(issuer, &bad.replace('\\', "\\\\"), "issuer", "jwks");
    }
    let hidden = check(&GOOD.replace(issuer, "https://user:pass@acme.example"));
    assert!(!hidden.faults[0].1.contains("pass"), "{:?}", hidden.faults);
    for bad in [
        "http://acme.example/keys",
        "keys.json",
        "https://user@acme.example/",
        "https://192.168.1.1/",
    ] {
        refuses(&format!("jwks_uri = \"{bad}\""), "jwks_uri", "");
    }
    accepts("jwks_uri = \"https://acme.example/keys?v=1\"");
}

#[test]
fn takes_an_issuer_that_is_no_address_where_keys_are_given() {
    for keys in [
        "jwks_file = \"keys.json\"",
        "jwks_uri = \"https://acme.example/keys\"",
    ] {
        let toml = GOOD.replace("https://acme.example", "accounts.example.com");
        assert!(check(&format!("{toml}\n{keys}")).config.is_some(), "{keys}");
    }
}

#[test]
fn warns_of_dangerous_settings() {
    let toml = GOOD.replace("https://", "http://");
    let outcome = check(&format!("{toml}\ndanger_allow_http = true"));
    assert!(outcome.config.is_some(), "{:?}", outcome.faults);
    assert_eq!(outcome.warnings[0].0, "issuers[0].danger_allow_http");
}

#[test]
fn takes_keys_from_one_place_only() {
    let one = "jwks_uri = \"https://acme.example/keys\"";
    let two = "jwks_file = \"keys.json\"";
    let three = "[jwks]\nkeys = []";
    refuses(&format!("{one}\n{two}"), "jwks_file", "one place");
    refuses(&format!("{one}\n{three}"), "jwks", "one place");
    refuses(&format!("{two}\n{three}"), "jwks", "one place");
}

#[test]
fn reads_keys_from_a_file_or_from_the_configuration() {
    assert!(!accepts("jwks_file = \"keys.json\"").fetches_keys());
    assert_eq!(
        accepts("jwks_file = \"keys.json\"").withdrawal_seconds(),
        None
    );
    let inline = format!(
        "[jwks]\nkeys = [{{ {} }}]",
        RSA.replace("\":\"", "\" = \"").replace(',', ", ")
    );
    accepts(&inline);
    refuses("jwks_file = \"gone.json\"", "jwks_file", "no such file");
    refuses(
        "jwks_file = \"garbage.json\"",
        "jwks_file",
        "cannot be read",
    );
    refuses(
        "jwks_file = \"unusable.json\"",
        "jwks_file",
        "no key of the set",
    );
    refuses("[jwks]\nkeys = []", "jwks", "it is empty");
    refuses("[jwks]\nx = 1", "jwks", "no `keys`");
    let mixed = check(&format!("{GOOD}\njwks_file = \"mixed.json\""));
    assert!(mixed.config.is_some());
    assert!(
        mixed.warnings[0].1.contains("`o` is skipped"),
        "{:?}",
        mixed.warnings
    );
}

#[test]
fn refuses_private_keys_in_the_configuration() {
    let inline = format!(
        "[jwks]\nkeys = [{{ {}, d = \"AA\" }}]",
        RSA.replace("\":\"", "\" = \"").replace(',', ", ")
    );
    refuses(&inline, "jwks", "private");
}

#[test]
fn refuses_numbers_out_of_range() {
    for (more, path) in [
        ("leeway_seconds = 301", "leeway_seconds"),
        ("leeway_seconds = -1", "leeway_seconds"),
        ("max_lifetime_seconds = 0", "max_lifetime_seconds"),
        (
            "key_set = { cool_down_seconds = 0 }",
            "key_set.cool_down_seconds",
        ),
        (
            "key_set = { max_age_seconds = 86401 }",
            "key_set.max_age_seconds",
        ),
        ("key_set = { stale_seconds = -1 }", "key_set.stale_seconds"),
        ("key_set = { max_keys = 0 }", "key_set.max_keys"),
        (
            "key_set = { min_age_seconds = 0 }",
            "key_set.min_age_seconds",
        ),
    ] {
        refuses(more, path, "must be from");
    }
    refuses(
        "key_set = { min_age_seconds = 7200 }",
        "key_set.min_age_seconds",
        "more than",
    );
    // A default gives way to a bound below it.
    let short = accepts("key_set = { max_age_seconds = 30 }");
    assert_eq!((short.key_set.min_age, short.key_set.max_age), (30, 30));
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_states_the_limits_and_defaults_of_every_number() {
    let schema = schemars::schema_for!(RawIssuer).to_value();
    let of_key_set = "/$defs/RawKeySet/properties";
    for (place, name, limits) in [
        ("/properties", "leeway_seconds", raw::LEEWAY),
        (of_key_set, "cool_down_seconds", raw::COOL_DOWN),
        (of_key_set, "min_age_seconds", raw::MIN_AGE),
        (of_key_set, "max_age_seconds", raw::MAX_AGE),
        (of_key_set, "stale_seconds", raw::STALE),
        (of_key_set, "max_keys", raw::MAX_KEYS),
    ] {
        let number = schema.pointer(&format!("{place}/{name}")).unwrap();
        assert_eq!(number["minimum"], limits.min, "{name}");
        assert_eq!(number["maximum"], limits.max, "{name}");
        assert_eq!(number["default"], limits.default, "{name}");
    }
    let lifetime = schema.pointer("/properties/max_lifetime_seconds").unwrap();
    assert_eq!(lifetime["maximum"], raw::MAX_LIFETIME.max);
    assert_eq!(lifetime["default"], serde_json::Value::Null);
}

#[test]
fn chooses_the_form_of_scopes_by_the_name_of_the_claim() {
    let format = |more: &str| accepts(more).claims.scopes.unwrap().1;
    assert_eq!(format(""), WordsFormat::Text);
    assert_eq!(format("claims = { scopes = \"scp\" }"), WordsFormat::Text);
    assert_eq!(
        format("claims = { scopes = \"permissions\" }"),
        WordsFormat::List
    );
    assert_eq!(
        format("claims = { scopes = \"scp\" }\nscope_format = \"list\""),
        WordsFormat::List
    );
    assert_eq!(
        format("claims = { scopes = \"perms\" }\nscope_format = \"text\""),
        WordsFormat::Text
    );
    refuses("role_format = \"list\"", "role_format", "no claim");
}

#[test]
fn refuses_claim_paths_and_context_names_that_cannot_be() {
    refuses(
        "claims = { tenant = \"\" }",
        "claims.tenant",
        "a name is empty",
    );
    refuses(
        "claims = { tenant = [] }",
        "claims.tenant",
        "a name is empty",
    );
    refuses("context = { x = \"a.\" }", "context.x", "a name is empty");
    for odd in ["a-b", "1a", "_a"] {
        let more = format!("context = {{ {odd} = \"a\" }}");
        refuses(&more, &format!("context.{odd}"), "a context name must be");
    }
    refuses(
        "context = { Mail = \"a\", mail = \"b\" }",
        "context.mail",
        "letter case",
    );
    refuses(
        "required_claims = { a = [] }",
        "required_claims.a",
        "accepts nothing",
    );
}

#[test]
fn refuses_context_names_that_the_gateway_or_the_engine_takes() {
    let ours = crate::context::NAMES;
    for name in crate::config::GATEWAY_CONTEXT_NAMES.iter().chain(&ours) {
        for name in [(*name).to_owned(), name.to_uppercase()] {
            let more = format!("context = {{ {name} = \"email\" }}");
            refuses(&more, &format!("context.{name}"), "is taken");
        }
    }
    accepts("context = { email = \"email\" }");
}

#[test]
fn refuses_unknown_fields_and_values_by_name() {
    for (toml, word) in [
        ("audience = [\"x\"]", "audience"),
        ("claims = { scope = \"x\" }", "scope"),
        ("key_set = { ttl = 1 }", "ttl"),
        ("profile = \"id_token\"", "id_token"),
        ("claims = { roles = 1 }", "claim path"),
        ("required_claims = { a = [1.5] }", "whole number"),
    ] {
        let error = toml::from_str::<RawIssuer>(toml).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn refuses_two_issuers_with_the_same_text_or_name() {
    let raw = |toml: &str| toml::from_str::<RawIssuer>(toml).unwrap();
    let good = || raw(GOOD);
    let other = raw(&GOOD.replace("acme", "other"));
    let named = |issuer: &str| raw(&format!("name = \"n\"\n{}", GOOD.replace("acme", issuer)));
    let mut faults = Faults::default();
    let no_files = |_: &str| Err("no files".to_owned());
    let all = vec![good(), other, good(), named("x"), named("y")];
    IssuerConfig::check_all(all, &no_files, &mut faults);
    let paths: Vec<String> = faults.into_parts().0.into_iter().map(|f| f.path).collect();
    assert_eq!(paths, ["issuers[2].issuer", "issuers[4].name"]);
}

#[test]
fn names_look_harmless_in_logs() {
    refuses("name = \"a b\"", "name", "letters");
    refuses("name = \"a\\nb\"", "name", "letters");
    assert_eq!(accepts("name = \"acme-1_x.y\"").name, "acme-1_x.y".into());
    let odd = GOOD.replace("https://acme.example", "a\u{e9} `b`");
    let odd = check(&format!("{odd}\njwks_file = \"keys.json\""));
    assert_eq!(odd.config.unwrap().name, "a___b_".into());
}

#[cfg(feature = "schema")]
#[test]
fn describes_itself_as_json_schema() {
    let schema = schemars::schema_for!(RawIssuer).to_value();
    let text = schema.to_string();
    for word in [
        "audiences",
        "cool_down_seconds",
        "at+jwt",
        "Ed25519",
        "danger_allow_http",
    ] {
        assert!(text.contains(word), "{word}");
    }
    assert!(
        !text.contains("HS256\""),
        "the list of algorithms has no symmetric ones"
    );
}

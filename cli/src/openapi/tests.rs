use std::fmt::Write as _;

use doorward_engine::config::{Config, ConfigEnv};

use super::*;

/// A document with one path for each requirement, and the schemes that they name.
fn document(securities: &[&str]) -> String {
    let mut text = r##"
openapi: 3.1.0
info: { title: test, version: "1" }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Api-Key }
    query: { type: apiKey, in: query, name: key }
    cookie: { type: apiKey, in: cookie, name: session }
    bearer: { type: http, scheme: Bearer }
    basic: { type: http, scheme: basic }
    oauth: { type: oauth2, flows: {} }
    oidc: { type: openIdConnect, openIdConnectUrl: "https://id.example/.well-known/openid-configuration" }
    mtls: { type: mutualTLS }
    pool: { type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: cognito_user_pools }
    alias: { $ref: "#/components/securitySchemes/oauth" }
    circle: { $ref: "#/components/securitySchemes/circle" }
paths:
"##
    .to_owned();
    for (index, security) in securities.iter().enumerate() {
        writeln!(text, "  /r{index}:\n    get: {{ security: {security} }}").unwrap();
    }
    text
}

/// The configuration of an import, which must be a good one.
fn checked(import: &Import) -> Config {
    let env = ConfigEnv {
        read_file: &|_| Err("no files here".to_owned()),
        secret: &|_| Err("no secrets here".to_owned()),
    };
    match Config::read(&import.toml, "import", &env) {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}\n{}", import.toml),
    }
}

/// The lines of the only route behind `route`.
fn route(import: &Import) -> String {
    let (_, route) = import.toml.split_once("[[routes]]\n").unwrap();
    let lines = route.lines().filter(|line| !line.starts_with('#'));
    lines.skip(1).collect::<Vec<_>>().join("; ")
}

#[test]
fn requirements_become_credentials_and_scopes() {
    for (security, says) in [
        ("[]", r#"credentials = ["anonymous"]"#),
        ("[{}]", r#"credentials = ["anonymous"]"#),
        ("[{key: []}]", r#"credentials = ["api_key"]"#),
        ("[{query: []}]", r#"credentials = ["api_key"]"#),
        ("[{bearer: []}]", r#"credentials = ["jwt"]"#),
        ("[{oidc: []}]", r#"credentials = ["jwt"]"#),
        ("[{pool: []}]", r#"credentials = ["jwt"]"#),
        ("[{alias: [a]}]", r#"credentials = ["jwt"]; scopes = ["a"]"#),
        (
            "[{oauth: [b, a]}]",
            r#"credentials = ["jwt"]; scopes = ["a", "b"]"#,
        ),
        (
            "[{key: [], oauth: [a]}]",
            r#"credentials = ["api_key + jwt"]; scopes = ["a"]"#,
        ),
        (
            "[{key: []}, {oauth: []}]",
            r#"credentials = ["api_key", "jwt"]"#,
        ),
        (
            "[{key: []}, {}]",
            r#"credentials = ["api_key", "anonymous"]"#,
        ),
        (
            "[{oauth: [a]}, {oauth: [b]}]",
            r#"credentials = ["jwt"]; scopes = { any = ["a", "b"] }"#,
        ),
        (
            "[{oauth: [a]}, {oidc: [a]}]",
            r#"credentials = ["jwt"]; scopes = ["a"]"#,
        ),
    ] {
        let import = import(&document(&[security])).unwrap();
        assert_eq!(route(&import), says, "{security}");
        checked(&import);
    }
}

#[test]
fn what_cannot_be_said_is_made_stricter_and_noted() {
    for (security, says, notes) in [
        (
            "[{key: []}, {oauth: [a]}]",
            r#"credentials = ["api_key", "jwt"]; scopes = ["a"]"#,
            "different scopes",
        ),
        (
            "[{oauth: [a, b]}, {oauth: [c]}]",
            r#"credentials = ["jwt"]; scopes = ["a", "b", "c"]"#,
            "different scopes",
        ),
        (
            "[{oauth: [a]}, {}]",
            r#"credentials = ["jwt", "anonymous"]"#,
            "scopes are left out",
        ),
        (
            "[{key: []}, {basic: []}]",
            r#"credentials = ["api_key"]"#,
            "`basic`",
        ),
        (
            "[{key: []}, {key: [], mtls: []}]",
            r#"credentials = ["api_key"]"#,
            "client certificate",
        ),
        (
            "[{key: []}, {unheard: []}]",
            r#"credentials = ["api_key"]"#,
            "not among the security schemes",
        ),
        (
            "[{key: []}, {oauth: ['a b']}]",
            r#"credentials = ["api_key"]"#,
            "a scope that is none",
        ),
    ] {
        let import = import(&document(&[security])).unwrap();
        assert_eq!(route(&import), says, "{security}");
        assert!(
            import.notes.iter().any(|note| note.contains(notes)),
            "{:?}",
            import.notes
        );
        checked(&import);
    }
}

#[test]
fn a_security_of_another_shape_opens_nothing() {
    for (security, why) in [
        ("{bearer: []}", "not a list of requirements"),
        ("bearer", "not a list of requirements"),
        ("null", "not a list of requirements"),
        ("true", "not a list of requirements"),
        ("[bearer]", "not a map from schemes to scopes"),
        ("[null]", "not a map from schemes to scopes"),
        ("[[]]", "not a map from schemes to scopes"),
        ("[{oauth: read}]", "the scopes of `oauth` are not a list"),
        ("[{oauth: null}]", "the scopes of `oauth` are not a list"),
        (
            "[{oauth: {read: true}}]",
            "the scopes of `oauth` are not a list",
        ),
    ] {
        // Not even where the whole document is open.
        let text = document(&[security, "[{key: []}]"]) + "security: []\n";
        let import = import(&text).unwrap();
        assert!(!import.toml.contains("route = \"GET /r0\""), "{security}");
        let note = &import.notes[0];
        assert!(note.starts_with("`GET /r0` is not imported"), "{note}");
        assert!(note.contains(why), "{note}");
        assert_eq!(checked(&import).routes.routes().len(), 1);
    }
}

#[test]
fn what_is_open_is_noted_whoever_says_so() {
    for (security, notes) in [
        ("[]", "open to callers without credentials"),
        ("[{}]", "open to callers without credentials"),
        ("[{key: []}, {}]", "open to callers without credentials"),
    ] {
        let import = import(&document(&[security])).unwrap();
        assert!(import.notes[0].contains(notes), "{:?}", import.notes);
    }
}

#[test]
fn a_route_that_nothing_known_opens_is_left_out() {
    for scheme in ["basic", "mtls", "cookie", "circle", "unheard"] {
        let text = document(&[&format!("[{{{scheme}: []}}]"), "[{key: []}]"]);
        let import = import(&text).unwrap();
        assert!(!import.toml.contains("route = \"GET /r0\""), "{scheme}");
        assert!(
            import.notes[0].starts_with("`GET /r0` is not imported"),
            "{:?}",
            import.notes
        );
        assert_eq!(checked(&import).routes.routes().len(), 1);
    }
}

#[test]
fn paths_become_templates() {
    let paths = |paths: &str| {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\nsecurity: []\npaths:\n{paths}"
        );
        import(&text).unwrap()
    };
    for (path, method, route) in [
        ("/", "get", "GET /"),
        ("/pets/{petId}", "delete", "DELETE /pets/{petId}"),
        ("/pets/{pet-id}", "patch", "PATCH /pets/{pet_id}"),
        ("/pets/", "head", "HEAD /pets"),
        (
            "/{proxy+}",
            "x-amazon-apigateway-any-method",
            "ANY /{proxy+}",
        ),
    ] {
        let import = paths(&format!("  '{path}':\n    {method}: {{}}\n"));
        assert_eq!(checked(&import).routes.routes()[0].key, route);
    }
    for path in [
        "/a/{b}.json",
        "/a//b",
        "/a b",
        "/a?b",
        "/{p+}/x",
        "/a/{b}/{b}",
        "/a*",
    ] {
        let import = paths(&format!(
            "  '{path}':\n    get: {{}}\n  /ok:\n    get: {{}}\n"
        ));
        assert_eq!(checked(&import).routes.routes().len(), 1, "{path}");
        assert!(
            import.notes[0].contains("is not imported"),
            "{:?}",
            import.notes
        );
    }
}

#[test]
fn parameters_of_one_shape_get_one_name_and_spellings_of_one_path_one_route() {
    let text = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\nsecurity: []\npaths:\n  /a/{id}:\n    get: {}\n  /a/{key}:\n    put: {}\n  /a/{id}/:\n    get: {}\n    trace: {}\n";
    let import = import(text).unwrap();
    let keys: Vec<String> = checked(&import)
        .routes
        .routes()
        .iter()
        .map(|route| route.key.clone())
        .collect();
    assert_eq!(keys, ["GET /a/{id}", "PUT /a/{id}"]);
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("is there twice"))
    );
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("`TRACE /a/{id}/` is not imported"))
    );
}

#[test]
fn a_document_without_declared_security_is_imported_as_open_and_says_so() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {}}}}"#;
    let import = import(text).unwrap();
    assert!(checked(&import).routes.routes()[0].anonymous);
    assert!(
        import.notes[0].contains("open to everybody"),
        "{:?}",
        import.notes
    );
}

#[test]
fn a_document_cannot_write_settings_through_its_texts() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "t\n[addresses]\nallow = []", "version": "\"1"},
        "paths": {"/a": {"get": {"operationId": "x\"\nroles = []", "security": []}},
        "/b\"\nx = 1": {"get": {}}}}"#;
    let import = import(text).unwrap();
    let config = checked(&import);
    assert!(config.addresses.rules.is_open());
    assert_eq!(
        (
            config.routes.routes().len(),
            config.routes.routes()[0].name.as_str()
        ),
        (1, "GET /a")
    );
}

#[test]
fn documents_that_cannot_be_imported_are_refused() {
    for (text, says) in [
        ("", "empty"),
        ("{", "not valid JSON"),
        ("a: [", "not valid YAML"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("swagger: '2.0'", "Swagger 2.0"),
        ("openapi: 4.0.0", "`4.0.0`"),
        ("openapi: 3.0", "not text"),
        ("{}", "no `openapi` member"),
        ("openapi: 3.0.0", "it has no paths"),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    $ref: other.yaml",
            "another document",
        ),
    ] {
        let error = import(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert_eq!(
        import(&"#".repeat(MAX_BYTES + 1)),
        Err(ImportError::TooLong)
    );
}

#[test]
fn names_of_schemes_that_no_configuration_takes_are_left_out() {
    for (scheme, says) in [
        (
            r#"{type: apiKey, in: header, name: "X Key"}"#,
            "under the name `x key`",
        ),
        (
            "{type: apiKey, in: header, name: Cookie}",
            "under the name `cookie`",
        ),
        (
            r#"{type: apiKey, in: query, name: "a=b"}"#,
            "under the name `a=b`",
        ),
        ("{type: apiKey}", "an API key in a ``"),
    ] {
        let text = format!(
            "openapi: 3.0.0\ncomponents: {{securitySchemes: {{s: {scheme}}}}}\npaths:\n  /a: {{get: {{security: [{{s: []}}]}}}}\n  /b: {{get: {{}}}}\n"
        );
        let import = import(&text).unwrap();
        assert!(import.notes[0].contains(says), "{:?}", import.notes);
        checked(&import);
    }
    for url in [
        "http://a.example",
        "https://127.0.0.1",
        "https://a@b.example",
        "https://a.example/?x",
    ] {
        let text = format!(
            "openapi: 3.0.0\ncomponents: {{securitySchemes: {{s: {{type: openIdConnect, openIdConnectUrl: '{url}/.well-known/openid-configuration'}}}}}}\npaths:\n  /a: {{get: {{security: [{{s: []}}]}}}}\n"
        );
        let import = import(&text).unwrap();
        assert!(
            import.toml.contains("https://issuer.invalid"),
            "{}",
            import.toml
        );
        checked(&import);
    }
}

proptest::proptest! {
    #[test]
    fn random_documents_never_panic_and_import_to_good_configurations(
        path in "[/{}a-c+.*%\u{e9}]{0,12}",
        scope in "\\PC{0,6}",
        id in "\\PC{0,6}",
        scheme in "key|query|cookie|bearer|oauth|mtls|none",
    ) {
        let value = serde_json::json!({
            "openapi": "3.1.0",
            "info": { "title": scope, "version": id },
            "components": { "securitySchemes": {
                "key": { "type": "apiKey", "in": "header", "name": "X-Key" },
                "query": { "type": "apiKey", "in": "query", "name": "key" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "key" },
                "bearer": { "type": "http", "scheme": "bearer" },
                "oauth": { "type": "oauth2" },
                "mtls": { "type": "mutualTLS" },
            } },
            "paths": { path: { "get": { "operationId": id, "security": [{ scheme: [scope] }] } } },
        });
        if let Ok(import) = import(&value.to_string()) {
            checked(&import);
        }
    }
}

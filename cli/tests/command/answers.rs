//! Commands that answer and end.

use std::path::Path;

use doorward_keys::format::KeyFormat;
use serde_json::{Value, json};

use crate::run::Folder;

const GOOD: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]

[[routes]]
route = "GET /orders/{id}"
credentials = ["api_key"]
scopes = ["orders:read"]

[[routes]]
route = "GET /health"
credentials = ["anonymous"]
"#;

fn event(path: &str, headers: &Value) -> String {
    json!({
        "type": "REQUEST",
        "methodArn": format!("arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET{path}"),
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "requestContext": {"stage": "prod", "identity": {"sourceIp": "203.0.113.7"}},
    })
    .to_string()
}

#[test]
fn keys_pattern_prints_the_expression_of_the_configuration_without_a_table() {
    let folder = Folder::new();
    folder.write("doorward.toml", GOOD);
    let ended = folder.run(&["keys", "pattern"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.out, "\\bck_(?:live)_[0-9A-Za-z]{49}\\b\n");
    let api = ["keys", "pattern", "--api", "https://admin.example/v1"];
    let ended = folder.run(&api);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
    assert!(ended.err.contains("leave out --api"), "{ended:?}");
}

#[test]
fn check_names_every_fault_with_its_place() {
    let folder = Folder::new();
    folder.write("doorward.toml", GOOD);
    let ended = folder.run(&["check"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
    assert!(ended.err.contains("no fault: 2 routes"), "{ended:?}");

    folder.write(
        "bad.toml",
        "[api_keys]\nprefx = \"ck\"\n\n[[routes]]\nroute = \"GET orders\"\n",
    );
    let ended = folder.run(&["check", "bad.toml"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains("bad.toml:2:1") && ended.out.contains("bad.toml:5:9"),
        "{ended:?}"
    );
    let ended = folder.run(&["check", "--config", "bad.toml", "--json"]);
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    let lines: Vec<&Value> = answer["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| &fault["line"])
        .collect();
    assert_eq!(ended.code, 1);
    assert!(
        lines.contains(&&json!(2)) && lines.contains(&&json!(5)),
        "{answer:#}"
    );

    assert_eq!(folder.run(&["check", "missing.toml"]).code, 2);
    assert_eq!(folder.run(&["check", "--nonsense"]).code, 2);
}

#[test]
fn check_needs_no_secret_and_says_which_it_did_not_see() {
    let folder = Folder::new();
    folder.write(
        "doorward.toml",
        &GOOD.replace("prefix", "pepper = \"ssm:/doorward/pepper\"\nprefix"),
    );
    let ended = folder.run(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("ssm:/doorward/pepper"), "{ended:?}");
}

#[test]
fn check_warns_of_what_a_cached_answer_cannot_serve() {
    let folder = Folder::new();
    let other = "\n[[routes]]\nroute = \"GET /reports\"\ncredentials = [\"api_key\"]\ncontext = { area = \"reports\" }\n";
    folder.write("doorward.toml", &format!("{GOOD}{other}"));
    let ended = folder.run(&["check"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .out
            .contains("`GET /orders/{id}` and `GET /reports` have different `context`"),
        "{ended:?}"
    );
    assert_eq!(folder.run(&["check", "--strict"]).code, 1);
    let ended = folder.run(&["check", "--json"]);
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        answer["warnings"][0]["code"], "cached_context",
        "{answer:#}"
    );
}

#[test]
fn explain_says_why_and_what_would_have_to_change() {
    let folder = Folder::new();
    folder.write("doorward.toml", GOOD);
    folder.write("health.json", &event("/health", &json!({})));
    let ended = folder.run(&["explain", "health.json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.out.contains("allowed") && ended.out.contains("policyDocument"),
        "{ended:?}"
    );

    folder.write("missing.json", &event("/orders/1", &json!({})));
    let ended = folder.run(&["explain", "missing.json"]);
    assert_eq!(ended.code, 1);
    for says in [
        "credential_missing",
        "401",
        "to mend:",
        "`Unauthorized`",
        "GET /orders/{id}",
    ] {
        assert!(ended.out.contains(says), "{says}: {ended:?}");
    }

    let mangled = event("/orders/1", &json!({"Authorization": "Bearer ck_live_x"}));
    let ended = folder.run_with(&["explain", "-", "--json"], &mangled);
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (ended.code, &answer["refusal"]["reason"]),
        (1, &json!("key_malformed"))
    );
    assert!(!ended.out.contains("ck_live_x"));
}

#[test]
fn explain_says_why_a_certificate_is_refused_or_passes() {
    let folder = Folder::new();
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/config/files");
        std::fs::read_to_string(path.join(name)).unwrap()
    };
    folder.write("authority.pem", &file("authority.pem"));
    folder.write(
        "doorward.toml",
        "[certificates.authorities.partners]\ncertificate = \"authority.pem\"\n\
         [policy]\ngateway_cache = \"off\"\n\
         [[routes]]\nroute = \"GET /orders/{id}\"\ncredentials = [\"certificate\"]\n",
    );
    let explain = |pem: &str| {
        let mut asked: Value = serde_json::from_str(&event("/orders/1", &json!({}))).unwrap();
        asked["requestContext"]["identity"]["clientCert"] = json!({"clientCertPem": pem});
        folder.run_with(&["explain", "-"], &asked.to_string())
    };
    let stranger = explain(&file("no-authority.pem"));
    assert_eq!(stranger.code, 1, "{stranger:?}");
    for says in [
        "certificate_issuer",
        "401, not cached",
        "`CN=a client`",
        "certificates.authorities",
    ] {
        assert!(stranger.out.contains(says), "{says}: {stranger:?}");
    }
    // An authority is its own issuer here, so its certificate is as good as any that it gave.
    let own = explain(&file("authority.pem"));
    assert_eq!(own.code, 0, "{own:?}");
    for says in [
        "cert ",
        "`CN=Test authority`, serial ",
        "\"certificate\": \"cn:Test authority\"",
    ] {
        assert!(own.out.contains(says), "{says}: {own:?}");
    }
}

#[test]
fn local_does_not_start_with_a_cache_that_the_configuration_denies() {
    let folder = Folder::new();
    for (stated, ttl, says) in [
        ("off", "10", "use `--ttl 0`"),
        ("by_certificate", "10", "is no identity source"),
    ] {
        let text = format!("{GOOD}\n[policy]\ngateway_cache = \"{stated}\"\n");
        folder.write("doorward.toml", &text);
        let ended = folder.run(&["local", "--port", "0", "--issuer-port", "0", "--ttl", ttl]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{ended:?}");
    }
}

#[test]
fn explain_does_not_take_a_missing_table_for_a_missing_key() {
    let folder = Folder::new();
    folder.write("doorward.toml", GOOD);
    let format = KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned()],
        pepper: None,
        previous_pepper: None,
    };
    let minted = format.mint("live", [7; 32]).unwrap();
    let key = minted.printed.expose();
    let ended = folder.run_with(
        &["explain", "-", "--json"],
        &event("/orders/1", &json!({"X-Api-Key": key})),
    );
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        answer["refusal"]["reason"], "key_store_unavailable",
        "{answer:#}"
    );
    assert!(
        answer["refusal"]["detail"]
            .as_str()
            .unwrap()
            .contains("--table")
    );
}

#[test]
fn without_a_gateway_the_commands_say_what_to_start() {
    let folder = Folder::new();
    let token = folder.run(&["token"]);
    assert_eq!((token.code, token.out.as_str()), (3, ""));
    assert!(token.err.contains("doorward local"));
    folder.write("doorward.toml", GOOD);
    let keys = folder.run(&["keys", "list", "--tenant", "acme"]);
    assert_eq!((keys.code, keys.out.as_str()), (2, ""));
    assert!(keys.err.contains("--table"), "{keys:?}");
}

#[test]
fn a_table_that_does_not_answer_is_3() {
    let folder = Folder::new();
    folder.write("doorward.toml", GOOD);
    let ended = folder.run(&[
        "keys",
        "list",
        "--tenant",
        "acme",
        "--table",
        "t",
        "--endpoint",
        "http://127.0.0.1:1",
    ]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
}

#[test]
fn routes_are_imported_as_a_configuration_without_faults() {
    let folder = Folder::new();
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}},
        "paths": {"/orders/{id}": {"get": {"security": [{"key": []}], "responses": {}}}},
    });
    let ended = folder.run_with(&["routes", "import", "-"], &document.to_string());
    assert_eq!(ended.code, 0, "{ended:?}");
    folder.write("imported.toml", &ended.out);
    let checked = folder.run(&["check", "imported.toml"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(folder.run_with(&["routes", "import", "-"], "{}").code, 2);
}

#[test]
fn schema_is_json_that_describes_the_configuration() {
    let ended = Folder::new().run(&["schema"]);
    let schema: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (ended.code, &schema["properties"]["routes"]["type"]),
        (0, &json!("array"))
    );
}

#[test]
fn help_goes_to_standard_output_and_names_the_exit_codes() {
    let ended = Folder::new().run(&["--help"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("Exit codes") && ended.out.contains("doorward local"));
}

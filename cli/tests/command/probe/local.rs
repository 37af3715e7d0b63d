//! Against the gateway on this machine, which does as AWS does.

use serde_json::Value;

use super::{ROUTES, with};
use crate::run::{Folder, Local};

#[tokio::test]
async fn the_local_gateway_is_as_assumed() {
    // Whether an HTTP API puts CORS headers on its own refusals is not confirmed of AWS; the gateway here does not.
    for (kind, differs) in [
        (&["local", "--api", "rest"][..], &[][..]),
        (&["local", "--api", "http"], &["refusal-with-cors"]),
    ] {
        let folder = Folder::new();
        let ports = ["--port", "0", "--issuer-port", "0", "--admin-port", "0"];
        let (local, _) = folder.local(&[kind, &ports].concat());
        let base = gateway(&folder);
        let token = folder.run(&["token", "--scope", "orders:read"]);
        folder.write("token.txt", &token.out);
        let args = ["probe", &base, "--credential", "token.txt", "--json"];
        let ended = folder.run(&[&args, &ROUTES[..]].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(with(&answer, "differs"), differs, "{kind:?} {answer:#}");
        // What an HTTP API has no route for is not tried, nor what needs an option.
        let tried = with(&answer, "as_assumed").len();
        assert_eq!(
            tried,
            if differs.is_empty() { 16 } else { 13 },
            "{kind:?} {answer:#}"
        );
        assert_eq!(ended.code, i32::from(!differs.is_empty()));
        // The same for people, with nothing of the credential.
        let ended = folder.run(&[&args[..4], &ROUTES[..]].concat());
        assert!(
            ended
                .out
                .contains("as said   without a credential: 401: 401"),
            "{ended:?}"
        );
        assert!(!ended.out.contains(token.out.trim()) && !ended.err.contains(token.out.trim()));
        assert_eq!(local.end("-TERM"), 0);
    }
}

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A gateway with a configuration of our own, whose issuer may be off by one second, and its address.
fn small_leeway(folder: &Folder, policy: &str, more: &[&str]) -> (Local, String) {
    let issuer_port = free_port().to_string();
    let text = format!(
        "[api_keys]\nprefix = 'ck'\nenvironments = ['test']\n[[issuers]]\nname = 'demo'\nissuer = 'http://127.0.0.1:{issuer_port}'\ndanger_allow_http = true\n\
         algorithms = ['ES256']\naudiences = ['https://api.demo.invalid']\nleeway_seconds = 1\nclaims = {{ roles = 'roles' }}\n\
         [policy]\n{policy}\n\
         [[routes]]\nroute = 'GET /orders/{{id}}'\ncredentials = ['jwt', 'api_key']\nscopes = ['orders:read']\n\
         [[routes]]\nroute = 'GET /admin'\ncredentials = ['jwt']\nroles = ['admin']\n\
         [[routes]]\nroute = 'GET /reports'\ncredentials = ['jwt', 'api_key']\nscopes = ['reports:read']\n"
    );
    folder.write("doorward.toml", &text);
    let ports = [
        "--port",
        "0",
        "--issuer-port",
        &issuer_port,
        "--admin-port",
        "0",
    ];
    let (local, _) = folder.local(&[&["local"], &ports[..], more].concat());
    let base = gateway(folder);
    (local, base)
}

/// What a running gateway says of itself.
fn state(folder: &Folder) -> Value {
    let state = std::fs::read(folder.path().join(".doorward/local.json")).unwrap();
    serde_json::from_slice(&state).unwrap()
}

fn gateway(folder: &Folder) -> String {
    state(folder)["gateway"].as_str().unwrap().to_owned()
}

/// The row with this id.
fn row<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap()
}

/// What a probe says that waits for the end of a token.
fn with_ending_token(folder: &Folder, base: &str) -> Value {
    let token =
        |expires: &str| folder.run(&["token", "--scope", "orders:read", "--expires", expires]);
    folder.write("token.txt", &token("1h").out);
    folder.write("ending.txt", &token("9s").out);
    let args = [
        "probe",
        base,
        "--credential",
        "token.txt",
        "--json",
        "--leeway",
        "1",
        "--ttl",
        "6",
    ];
    let ended = folder.run(&[&args[..], &["--ending-token", "ending.txt"], &ROUTES].concat());
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"))
}

#[test]
fn a_kept_answer_ends_with_its_token_and_is_dropped_with_its_time() {
    let folder = Folder::new();
    let (local, base) = small_leeway(&folder, "", &["--ttl", "6"]);
    let answer = with_ending_token(&folder, &base);
    assert_eq!(with(&answer, "differs"), [""; 0], "{answer:#}");
    // What was kept just before the end is refused by its policy after it, and by the authorizer once it is dropped.
    let ends = row(&answer, "ends-in-time");
    assert_eq!(ends["verdict"], "as_assumed", "{ends:#}");
    assert_eq!(ends["seen"], "200, then 403 by the policy", "{ends:#}");
    let drops = row(&answer, "ends-with-ttl");
    assert_eq!(drops["verdict"], "as_assumed", "{drops:#}");
    assert_eq!(local.end("-TERM"), 0);
}

#[test]
fn a_policy_without_conditions_is_seen_to_outlive_its_token_until_it_is_dropped() {
    let folder = Folder::new();
    let (local, base) = small_leeway(&folder, "conditions = false", &["--ttl", "6"]);
    let answer = with_ending_token(&folder, &base);
    assert_eq!(with(&answer, "differs"), ["ends-in-time"], "{answer:#}");
    assert_eq!(
        row(&answer, "ends-with-ttl")["verdict"],
        "as_assumed",
        "{answer:#}"
    );
    assert_eq!(local.end("-TERM"), 0);
}

#[test]
fn spellings_that_reach_no_route_say_nothing_of_the_policy() {
    for (kind, is_tried) in [("rest", true), ("http", false)] {
        let folder = Folder::new();
        let (local, base) = small_leeway(&folder, "", &["--api", kind]);
        let token = folder.run(&["token", "--scope", "orders:read"]);
        folder.write("token.txt", &token.out);
        let args = ["probe", &base, "--credential", "token.txt", "--json"];
        let ended = folder.run(&[&args[..], &ROUTES].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        for id in [
            "doubled-slash",
            "encoded-letter",
            "encoded-slash",
            "other-case",
        ] {
            let row = row(&answer, id);
            assert_eq!(row["verdict"], "not_tried", "{kind} {row:#}");
            assert!(
                row["seen"].as_str().unwrap().contains("no such route"),
                "{row:#}"
            );
        }
        // A slash at the end reaches the same resource of a REST API, and its policy.
        let slash = row(&answer, "trailing-slash");
        let verdict = if is_tried { "as_assumed" } else { "not_tried" };
        assert_eq!(slash["verdict"], verdict, "{kind} {slash:#}");
        assert_eq!(row(&answer, "unknown-path")["verdict"], "as_assumed");
        assert_eq!(local.end("-TERM"), 0);
    }
}

#[test]
fn routes_that_are_not_named_are_found_in_the_configuration() {
    let folder = Folder::new();
    let ports = ["--port", "0", "--issuer-port", "0", "--admin-port", "0"];
    let (local, _) = folder.local(&[&["local"], &ports[..]].concat());
    let token = folder.run(&["token", "--scope", "orders:read"]);
    folder.write("token.txt", &token.out);
    let base = gateway(&folder);
    let ended = folder.run(&["probe", &base, "--credential", "token.txt", "--json"]);
    assert!(
        ended.err.contains("opens: GET /orders") && ended.err.contains("refuses: GET /admin"),
        "{ended:?}"
    );
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(with(&answer, "differs"), [""; 0], "{answer:#}");
    // The office is on a list that this machine is not on.
    let address = row(&answer, "source-address");
    assert_eq!(address["seen"], "403 by the policy", "{address:#}");
    assert_eq!(address["verdict"], "as_assumed");
    // Seen from the office nothing is closed to it.
    let office = ["--address", "203.0.113.7"];
    let ended = folder.run(
        &[
            &["probe", &base, "--credential", "token.txt", "--json"],
            &office[..],
        ]
        .concat(),
    );
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    let address = row(&answer, "source-address");
    assert_eq!(address["verdict"], "not_tried", "{address:#}");
    assert!(
        address["seen"]
            .as_str()
            .unwrap()
            .contains("from elsewhere only")
    );
    // One that opens nothing, and one that opens all, leave nothing to choose from.
    folder.write("poor.txt", &folder.run(&["token"]).out);
    let rich = [
        "token",
        "--scope",
        "orders:read orders:write",
        "--role",
        "admin",
    ];
    folder.write("rich.txt", &folder.run(&rich).out);
    for (file, says) in [
        ("poor.txt", "opens no route for GET to the credential"),
        ("rich.txt", "refuses no route for GET to the credential"),
    ] {
        let ended = folder.run(&["probe", &base, "--credential", file]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{ended:?}");
    }
    assert_eq!(local.end("-TERM"), 0);
}

#[test]
fn a_named_configuration_is_asked_whatever_runs_here() {
    let folder = Folder::new();
    let (local, base) = small_leeway(&folder, "", &[]);
    folder.write(
        "token.txt",
        &folder.run(&["token", "--scope", "orders:read"]).out,
    );
    let named = ["--config", "doorward.toml"];
    let args = ["probe", &base, "--credential", "token.txt", "--json"];
    let ended = folder.run(&[&args[..], &named].concat());
    assert!(
        ended.err.contains("opens: GET /orders/1") && ended.err.contains("refuses: GET /admin"),
        "{ended:?}"
    );
    let answer: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(with(&answer, "differs"), [""; 0], "{answer:#}");
    let why = row(&answer, "source-address")["seen"].as_str().unwrap();
    assert!(
        why.contains("has no route for GET that the credential opens from elsewhere"),
        "{why}"
    );
    // A key is looked for in the table of the running gateway, or in one that is named. It opens no route for tokens, and that is
    // no matter of the policy.
    let rights = [
        "--tenant",
        "acme",
        "--name",
        "probe",
        "--scope",
        "orders:read",
    ];
    let key = folder.run(&[&["keys", "create"], &rights[..]].concat());
    folder.write("key.txt", &key.out);
    let (table, endpoint) = (
        state(&folder)["table"].clone(),
        state(&folder)["dynamodb"].clone(),
    );
    let table = [
        "--table",
        table.as_str().unwrap(),
        "--endpoint",
        endpoint.as_str().unwrap(),
    ];
    let by_key = ["probe", &base, "--credential", "key.txt", "--json"];
    for more in [&[][..], &table] {
        let ended = folder.run(&[&by_key[..], &named, more].concat());
        assert!(
            ended.err.contains("opens: GET /orders/1")
                && ended.err.contains("refuses: GET /reports"),
            "{ended:?}"
        );
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(with(&answer, "differs"), [""; 0], "{answer:#}");
    }
    // What is named counts, and only the rest is looked for.
    let ended = folder.run(&[&args[..], &named, &["--allowed", "GET /orders/77"]].concat());
    assert!(
        ended.err.contains("refuses: GET /admin") && !ended.err.contains("opens:"),
        "{ended:?}"
    );
    assert_eq!(local.end("-TERM"), 0);
}

#[test]
fn a_domain_with_mutual_tls_lets_nobody_in_without_a_certificate() {
    for (endpoint, differs) in [("open", &["default-endpoint"][..]), ("closed", &[])] {
        for kind in ["rest", "http"] {
            let folder = Folder::new();
            let ports = [
                "--port",
                "0",
                "--issuer-port",
                "0",
                "--admin-port",
                "0",
                "--mtls-port",
                "0",
            ];
            let mtls = ["--mtls", "--default-endpoint", endpoint, "--api", kind];
            let (local, _) = folder.local(&[&["local"], &ports[..], &mtls].concat());
            folder.write(
                "token.txt",
                &folder.run(&["token", "--scope", "orders:read"]).out,
            );
            let (base, domain) = (gateway(&folder), state(&folder)["mtls"]["address"].clone());
            let args = [
                "probe",
                domain.as_str().unwrap(),
                "--credential",
                "token.txt",
                "--json",
                "--default-endpoint",
                &base,
                "--certificate",
                ".doorward/mtls/client.pem",
                "--private-key",
                ".doorward/mtls/client-key.pem",
                "--authority",
                ".doorward/mtls/authority.pem",
            ];
            let ended = folder.run(&[&args[..], &ROUTES].concat());
            let answer: Value =
                serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
            let mut found = with(&answer, "differs");
            found.retain(|id| id != "refusal-with-cors");
            assert_eq!(found, differs, "{kind} {answer:#}");
            let without = row(&answer, "no-certificate");
            assert_eq!(without["verdict"], "as_assumed", "{without:#}");
            assert!(
                without["seen"]
                    .as_str()
                    .unwrap()
                    .contains("does not answer"),
                "{without:#}"
            );
            assert_eq!(local.end("-TERM"), 0);
        }
    }
}

#[test]
fn spellings_are_tried_where_a_greedy_route_takes_them() {
    let spelled = [
        "trailing-slash",
        "encoded-letter",
        "encoded-slash",
        "doubled-slash",
        "other-case",
    ];
    // To who may use the greedy route a path in another case is a path of that route, and a careless backend's admin page.
    for (scope, differs) in [
        ("none:at-all", &[][..]),
        ("orders:read", &["other-case", "unknown-path"]),
    ] {
        let folder = Folder::new();
        let greedy = format!(
            "[[routes]]\nroute = 'GET /{{proxy+}}'\ncredentials = ['jwt']\nscopes = ['{scope}']"
        );
        let (local, base) = small_leeway(&folder, &greedy, &[]);
        folder.write(
            "token.txt",
            &folder.run(&["token", "--scope", "orders:read"]).out,
        );
        let args = ["probe", &base, "--credential", "token.txt", "--json"];
        let ended = folder.run(&[&args[..], &ROUTES].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(with(&answer, "differs"), differs, "{answer:#}");
        for id in spelled.iter().filter(|id| !differs.contains(id)) {
            assert_eq!(row(&answer, id)["verdict"], "as_assumed", "{answer:#}");
        }
        assert_eq!(local.end("-TERM"), 0);
    }
}

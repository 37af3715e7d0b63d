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
        let (local, said) = folder.local(&[kind, &ports].concat());
        let line = said.iter().find(|line| line.contains("/orders/")).unwrap();
        let url = line
            .split([' ', '\''])
            .find(|word| word.starts_with("http://"))
            .unwrap();
        let (base, _) = url.split_once("/orders").unwrap();
        let token = folder.run(&["token", "--scope", "orders:read"]);
        folder.write("token.txt", &token.out);
        let args = ["probe", base, "--credential", "token.txt", "--json"];
        let ended = folder.run(&[&args, &ROUTES[..]].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(with(&answer, "differs"), differs, "{kind:?} {answer:#}");
        // What an HTTP API has no route for is not tried, nor what needs an option.
        let tried = with(&answer, "as_assumed").len();
        assert_eq!(
            tried,
            if differs.is_empty() { 13 } else { 11 },
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
        "[[issuers]]\nname = 'demo'\nissuer = 'http://127.0.0.1:{issuer_port}'\ndanger_allow_http = true\n\
         algorithms = ['ES256']\naudiences = ['https://api.demo.invalid']\nleeway_seconds = 1\nclaims = {{ roles = 'roles' }}\n\
         [policy]\n{policy}\n\
         [[routes]]\nroute = 'GET /orders/{{id}}'\ncredentials = ['jwt']\nscopes = ['orders:read']\n\
         [[routes]]\nroute = 'GET /admin'\ncredentials = ['jwt']\nroles = ['admin']\n"
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
    let state = std::fs::read(folder.path().join(".doorward/local.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    (local, state["gateway"].as_str().unwrap().to_owned())
}

/// The row with this id.
fn row<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap()
}

#[test]
fn a_kept_answer_ends_with_its_token_and_is_dropped_with_its_time() {
    let folder = Folder::new();
    let (local, base) = small_leeway(&folder, "", &["--ttl", "6"]);
    let token =
        |expires: &str| folder.run(&["token", "--scope", "orders:read", "--expires", expires]);
    folder.write("token.txt", &token("1h").out);
    folder.write("ending.txt", &token("6s").out);
    let args = [
        "probe",
        &base,
        "--credential",
        "token.txt",
        "--json",
        "--leeway",
        "1",
        "--ttl",
        "6",
    ];
    let ended = folder.run(&[&args[..], &["--ending-token", "ending.txt"], &ROUTES].concat());
    let answer: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
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
    let token =
        |expires: &str| folder.run(&["token", "--scope", "orders:read", "--expires", expires]);
    folder.write("token.txt", &token("1h").out);
    folder.write("ending.txt", &token("6s").out);
    let args = [
        "probe",
        &base,
        "--credential",
        "token.txt",
        "--json",
        "--leeway",
        "1",
        "--ttl",
        "6",
    ];
    let ended = folder.run(&[&args[..], &["--ending-token", "ending.txt"], &ROUTES].concat());
    let answer: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
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

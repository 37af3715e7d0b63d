//! `doorward local`, and the commands that find it.

use std::{net::TcpListener, time::Duration};

use crate::run::{Folder, Local};

/// A curl line, taken apart.
struct Curl {
    says: String,
    method: String,
    url: String,
    authorization: Option<String>,
}

impl Curl {
    /// Each line beginning with `curl` and the comment before it.
    fn all(lines: &[String]) -> Vec<Self> {
        lines
            .windows(2)
            .filter(|pair| pair[1].starts_with("curl "))
            .map(|pair| {
                let line = &pair[1];
                let quoted = line.split('\'').nth(1);
                Self {
                    says: pair[0].clone(),
                    method: if line.contains(" -X POST") {
                        "POST"
                    } else {
                        "GET"
                    }
                    .to_owned(),
                    url: line.split(' ').next_back().unwrap().to_owned(),
                    authorization: quoted
                        .map(|header| header.strip_prefix("Authorization: ").unwrap().to_owned()),
                }
            })
            .collect()
    }

    fn status_said(&self) -> u16 {
        self.says
            .strip_prefix("# ")
            .unwrap()
            .get(..3)
            .unwrap()
            .parse()
            .unwrap()
    }

    async fn status(&self) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(self.method.parse().unwrap(), &self.url);
        if let Some(value) = &self.authorization {
            request = request.header("authorization", value);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

fn start(folder: &Folder, more: &[&str]) -> (Local, Vec<String>) {
    folder.local(&[&["local", "--port", "0", "--ttl", "1"], more].concat())
}

#[tokio::test]
async fn every_curl_line_does_what_it_says_and_so_does_the_revocation() {
    let by_token = &["--authorizer", "token"][..];
    for (more, unknown) in [
        (&[][..], 403),
        (&["--api", "http"][..], 404),
        (by_token, 403),
    ] {
        let folder = Folder::new();
        let (mut local, said) = start(&folder, more);
        assert!(
            !said.iter().any(|line| line.contains('\u{1b}')),
            "colour in a pipe"
        );
        let curls = Curl::all(&said);
        let promised: Vec<u16> = curls.iter().map(Curl::status_said).collect();
        assert_eq!(promised, [200, 200, 403, 403, 200, 401, 401, unknown]);
        for curl in &curls {
            assert_eq!(curl.status().await, curl.status_said(), "{}", curl.says);
            let line = local.line();
            assert!(
                line.contains(&format!(" {} ", curl.status_said())),
                "{line}"
            );
            let is_cached = line.contains("cached") || !curl.says.contains("cache");
            assert!(is_cached, "{} {line}", curl.says);
        }

        let at = said
            .iter()
            .position(|line| line.contains("# revoke the key"))
            .unwrap();
        let delay: u64 = said[at]
            .split(['r', 's', ' '])
            .find_map(|word| word.parse().ok())
            .unwrap();
        let args: Vec<&str> = said[at + 1].split(' ').skip(1).collect();
        let revoked = folder.run(&args);
        assert_eq!(revoked.code, 0, "{revoked:?}");
        assert!(
            revoked.err.contains(&format!("within {delay}s")),
            "{revoked:?}"
        );
        tokio::time::sleep(Duration::from_millis(delay * 1000 + 300)).await;
        assert_eq!(curls[0].status().await, 401);
        assert!(local.line().contains("key_revoked"));

        assert_eq!(local.end("-TERM"), 0);
        assert!(!folder.path().join(".doorward/local.json").exists());
    }
}

#[tokio::test]
async fn a_new_secret_stands_alone_on_standard_output_and_works() {
    let folder = Folder::new();
    let (mut local, said) = start(&folder, &[]);
    let created = folder.run(&[
        "keys",
        "create",
        "--tenant",
        "acme",
        "--name",
        "ci",
        "--scope",
        "orders:read",
    ]);
    assert_eq!(created.code, 0, "{created:?}");
    let secret = created.out.trim_end();
    assert!(
        secret.starts_with("ck_test_") && !secret.contains(char::is_whitespace),
        "{secret}"
    );
    assert!(
        !created.err.contains(secret),
        "standard error must not hold it"
    );
    let token = folder.run(&["token", "--scope", "orders:read", "--alg", "RS256"]);
    let mut curl = Curl::all(&said).remove(0);
    for credential in [secret, token.out.trim_end()] {
        curl.authorization = Some(format!("Bearer {credential}"));
        assert_eq!(curl.status().await, 200);
        assert!(!local.line().contains(credential));
    }
    assert_eq!(local.end("-INT"), 0);
}

#[tokio::test]
async fn keys_are_listed_shown_rotated_and_audited() {
    let folder = Folder::new();
    let (local, _) = start(&folder, &[]);
    let created = folder.run(&[
        "keys", "create", "--tenant", "acme", "--name", "ci", "--scope", "a b", "--json",
    ]);
    let created: serde_json::Value = serde_json::from_str(&created.out).unwrap();
    let id = created["key"]["id"].as_str().unwrap();
    assert_eq!(created["key"]["scopes"], serde_json::json!(["a", "b"]));

    let listed = folder.run(&["keys", "list", "--tenant", "acme"]);
    assert!(
        listed.out.contains(id) && listed.out.contains("active"),
        "{listed:?}"
    );
    let rotated = folder.run(&["keys", "rotate", id, "--overlap", "1h"]);
    assert!(
        rotated.out.starts_with("ck_test_") && rotated.err.contains("the old key"),
        "{rotated:?}"
    );
    for (action, code, says) in [
        ("disable", 0, "disabled"),
        ("disable", 0, "already"),
        ("enable", 0, "active"),
        ("revoke", 0, "revoked"),
        ("enable", 1, "stays revoked"),
    ] {
        let changed = folder.run(&["keys", action, id]);
        assert_eq!(changed.code, code, "{action}: {changed:?}");
        assert!(changed.err.contains(says), "{action}: {changed:?}");
    }
    let shown = folder.run(&["keys", "get", id]);
    assert!(shown.out.contains("revoked"), "{shown:?}");
    let audit = folder.run(&["keys", "audit", id]);
    let actions: Vec<&str> = audit
        .out
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert_eq!(actions, ["create", "rotate", "disable", "enable", "revoke"]);
    let unknown = folder.run(&["keys", "get", "key_01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (1, ""));
    drop(local);
}

#[test]
fn a_gateway_that_was_killed_is_asked_for() {
    let folder = Folder::new();
    let (local, _) = start(&folder, &[]);
    drop(local);
    assert!(
        folder.path().join(".doorward/local.json").exists(),
        "nobody could remove it"
    );
    let ended = folder.run(&["keys", "list", "--tenant", "acme"]);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert!(ended.err.contains("still running"), "{ended:?}");
}

#[test]
fn a_port_in_use_is_said_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = Folder::new();
    let ended = folder.run(&["local", "--port", &port, "--issuer-port", "0"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.contains("another program has the port") && ended.err.contains("--port"),
        "{ended:?}"
    );
}

#[test]
fn settings_that_the_gateway_would_not_take_are_refused() {
    let folder = Folder::new();
    for (args, says) in [
        (&["--identity-source", "none"][..], "cannot be cached"),
        (&["--ttl", "3601"], "at most 3600"),
        (&["--stage", "a/b"], "stage name"),
        (&["--api", "http", "--authorizer", "token"], "formats"),
        (&["--backend", "localhost"], "address of a backend"),
        (&["--identity-source", "cookie:x"], "header:NAME"),
        (&["--config", "missing.toml"], "cannot be read"),
    ] {
        let ended = folder.run(&[&["local", "--port", "0"], args].concat());
        assert_eq!(ended.code, 2, "{args:?}: {ended:?}");
        assert!(ended.err.contains(says), "{args:?}: {ended:?}");
    }
}

#[test]
fn a_configuration_with_faults_is_not_served() {
    let folder = Folder::new();
    folder.write("doorward.toml", "[[routes]]\nroute = \"GET\"\n");
    let ended = folder.run(&["local", "--port", "0"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("doorward.toml:2:"), "{ended:?}");
}

#[tokio::test]
async fn keys_in_a_file_outlive_the_process() {
    let folder = Folder::new();
    let more = ["--store", "keys.db"];
    let (local, first) = start(&folder, &more);
    assert!(first.iter().any(|line| line.contains("demo key")));
    let created = folder.run(&[
        "keys",
        "create",
        "--tenant",
        "acme",
        "--name",
        "ci",
        "--scope",
        "orders:read",
    ]);
    assert_eq!(local.end("-TERM"), 0);
    let (local, second) = start(&folder, &more);
    assert!(
        !second.iter().any(|line| line.contains("demo key")),
        "it is made once"
    );
    let base = second[0].split(' ').next().unwrap();
    let curl = Curl {
        says: String::new(),
        method: "GET".to_owned(),
        url: format!("{base}/orders/1"),
        authorization: Some(format!("Bearer {}", created.out.trim_end())),
    };
    assert_eq!(curl.status().await, 200);
    assert_eq!(local.end("-TERM"), 0);
}

//! Many keys at once, and blocks of tokens, over the API of key administration.

use std::fs;

use serde_json::Value;

use crate::run::{Ended, Folder, Local};

const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]

[[api_keys.imported]]
name = "old"
min_length = 20
max_length = 40

[[issuers]]
issuer = "https://issuer.example"
algorithms = ["ES256"]
audiences = ["api"]

[block_list]

[[routes]]
route = "GET /orders"
credentials = ["api_key", "jwt"]
scopes = ["orders:read"]
"#;
const ISSUER: &str = "https://issuer.example";

struct House {
    folder: Folder,
    api: String,
    _local: Local,
}

impl House {
    fn start() -> Self {
        let folder = Folder::new();
        folder.write("doorward.toml", CONFIG);
        let (local, _) = folder.local(&["local", "--port", "0"]);
        let state = fs::read_to_string(folder.path().join(".doorward/local.json")).unwrap();
        let state: Value = serde_json::from_str(&state).unwrap();
        Self {
            api: state["admin"].as_str().unwrap().to_owned(),
            folder,
            _local: local,
        }
    }

    fn asked(&self, command: &str, args: &[&str]) -> Ended {
        let place = [command, "--api", &self.api];
        self.folder.run(&[&place, args].concat())
    }
}

/// A key of a former system.
fn key(number: usize) -> String {
    format!("partner{number:025}")
}

#[test]
fn many_keys_come_and_go_over_the_api_as_on_a_table() {
    let house = House::start();
    let mut rows: Vec<String> = (0..60).map(|n| format!("{},acme,k{n}", key(n))).collect();
    // One that fits no form, and one that key administration refuses: the others of their requests are imported.
    rows[7] = "hunter2,acme,short".to_owned();
    rows[30] = format!("{},acme,{}", key(30), "x".repeat(101));
    house.folder.write(
        "keys.csv",
        &format!("key,tenant,name\n{}\n", rows.join("\n")),
    );
    let import = ["import", "keys.csv", "--format", "csv"];
    let done = house.asked("keys", &import);
    assert_eq!(done.code, 1, "{done:?}");
    for says in [
        "keys.csv:9: holds a key",
        "keys.csv:32: the request is not valid: `name`",
        "60 rows: 58 imported, 0 were here already, 2 faulty",
    ] {
        assert!(done.err.contains(says), "{says}: {done:?}");
    }
    assert!(
        !done.err.contains("hunter2") && !done.err.contains(&key(30)),
        "{done:?}"
    );
    let again = house.asked("keys", &import);
    assert!(
        again
            .err
            .contains("0 imported, 58 were here already, 2 faulty"),
        "{again:?}"
    );

    let export = ["export", "--tenant", "acme", "--with-digests"];
    let over_api = house.asked("keys", &export);
    let on_table = house.folder.run(&[&["keys"], &export[..]].concat());
    assert_eq!((over_api.code, &over_api.out), (0, &on_table.out));
    assert_eq!(over_api.out.lines().count(), 58);

    let dry = house.asked("keys", &[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 2, "{dry:?}");
    assert!(dry.err.contains("name it with --table"), "{dry:?}");
}

#[test]
fn many_keys_are_made_over_the_api_and_each_secret_is_written_once() {
    let house = House::start();
    let rows: Vec<_> = (0..30)
        .map(|n| format!("globex,k{n},orders:read"))
        .collect();
    house.folder.write(
        "wanted.csv",
        &format!("tenant,name,scopes\n{}\n", rows.join("\n")),
    );
    let create = [
        "create",
        "--from",
        "wanted.csv",
        "--secrets-to",
        "secrets.jsonl",
    ];
    let made = house.asked("keys", &create);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.err.contains("30 keys made"), "{made:?}");
    let secrets = fs::read_to_string(house.folder.path().join("secrets.jsonl")).unwrap();
    let lines: Vec<Value> = secrets
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 30);
    assert!(!made.err.contains("ck_live_") && made.out.is_empty());
    let last = lines.iter().find(|line| line["line"] == 31).unwrap();
    let last = last["secret"].as_str().unwrap();
    let verified = house
        .folder
        .run_with(&["keys", "--api", &house.api, "verify", "--json"], last);
    let verified: Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!(
        (&verified["valid"], &verified["key"]["name"]),
        (&true.into(), &"k29".into())
    );
}

#[test]
fn nothing_is_taken_for_done_while_the_api_does_not_answer() {
    let house = House::start();
    house.folder.write(
        "keys.txt",
        &(0..30).map(|n| key(n) + "\n").collect::<String>(),
    );
    let import = [
        "keys", "import", "keys.txt", "--format", "plain", "--tenant", "acme", "--api",
    ];
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_REGION", "us-east-1"),
    ];
    let dead = house
        .folder
        .run_on_aws(&variables, &[&import[..], &["http://127.0.0.1:9"]].concat());
    assert_eq!(dead.code, 3, "{dead:?}");
    assert!(
        dead.err.contains("gives no answer") && dead.err.contains("0 rows are done"),
        "{dead:?}"
    );
}

#[test]
fn tokens_are_blocked_and_freed_over_the_api() {
    let house = House::start();
    let add = [
        "add", "--issuer", ISSUER, "--jti", "t-1", "--for", "1h", "--reason", "stolen",
    ];
    let added = house.asked("block", &add);
    assert_eq!(added.code, 0, "{added:?}");
    let id = added.out.trim();
    assert!(
        id.starts_with("blk_") && added.err.contains("refused within"),
        "{added:?}"
    );
    for args in [&["list"][..], &["audit"]] {
        let over_api = house.asked("block", args);
        let on_table = house.folder.run(&[&["block"], args].concat());
        assert_eq!(over_api.code, 0, "{over_api:?}");
        assert_eq!(over_api.out, on_table.out);
        assert!(over_api.out.contains(id), "{over_api:?}");
    }
    let removed = house.asked("block", &["remove", id]);
    assert_eq!(removed.code, 0, "{removed:?}");
    let gone = house.asked("block", &["remove", id]);
    assert_eq!(gone.code, 1, "{gone:?}");

    // Which issuers there are is known where the API is.
    let unnamed = house.asked("block", &["add", "--jti", "t", "--for", "1h"]);
    assert_eq!(unnamed.code, 2, "{unnamed:?}");
    assert!(unnamed.err.contains("--issuer"), "{unnamed:?}");
    let unknown = house.asked(
        "block",
        &[
            "add",
            "--issuer",
            "https://other.example",
            "--jti",
            "t",
            "--for",
            "1h",
        ],
    );
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(
        unknown
            .err
            .contains("expected an issuer of the configuration"),
        "{unknown:?}"
    );
    let both = house.asked("block", &["list", "--table", "t"]);
    assert_eq!(both.code, 2, "{both:?}");
}

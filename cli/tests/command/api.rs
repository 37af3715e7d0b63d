//! `doorward keys --api`: the same commands over the API of key administration.

use serde_json::Value;

use crate::run::{Ended, Folder, Local};

struct House {
    folder: Folder,
    api: String,
    _local: Local,
}

impl House {
    fn start() -> Self {
        let folder = Folder::new();
        let (local, said) = folder.local(&["local", "--port", "0", "--ttl", "1"]);
        let line = said
            .iter()
            .find(|line| line.trim_start().starts_with("key admin"));
        let mut words = line.unwrap().split([' ', ',']);
        let api = words
            .find(|word| word.starts_with("http"))
            .unwrap()
            .to_owned();
        Self {
            folder,
            api,
            _local: local,
        }
    }

    fn keys(&self, args: &[&str]) -> Ended {
        self.folder
            .run(&[&["keys", "--api", &self.api], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.keys(&[args, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        serde_json::from_str(&ended.out).unwrap()
    }
}

#[test]
fn a_key_lives_over_the_api_as_on_a_table() {
    let house = House::start();
    let made = house.keys(&[
        "create",
        "--tenant",
        "acme",
        "--name",
        "over the api",
        "--scope",
        "orders:read",
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    let secret = made.out.trim();
    assert_eq!(
        (secret.split('_').count(), secret.lines().count()),
        (3, 1),
        "the secret stands alone"
    );

    let listed = house.json(&["list", "--tenant", "acme"]);
    let id = listed["keys"][0]["id"].as_str().unwrap();
    // What is shown is the same, whichever way it was asked for.
    for args in [
        &["get", id][..],
        &["audit", id],
        &["list", "--tenant", "acme"],
    ] {
        let on_table = house.folder.run(&[&["keys"], args].concat());
        let over_api = house.keys(args);
        assert_eq!(
            (over_api.out, over_api.code),
            (on_table.out, on_table.code),
            "{args:?}"
        );
    }
    let usage = house.keys(&["usage", id, "--by", "day", "--csv"]);
    assert_eq!(
        (usage.code, usage.out.lines().count() > 1),
        (0, true),
        "{}",
        usage.err
    );

    let disabled = house.json(&[
        "disable",
        id,
        "--reason",
        "odd calls",
        "--expected-version",
        "1",
    ]);
    assert_eq!(disabled["key"]["status"], "disabled");
    let changes = house.json(&["audit", id]);
    assert_eq!(
        changes["changes"][1]["actor"],
        "arn:aws:iam::000000000000:user/demo"
    );
    house.json(&["enable", id]);
    let rotated = house.json(&["rotate", id, "--overlap", "1h", "--idempotency-key", "once"]);
    assert_eq!(rotated["replaced"]["id"], id);
    let repeated = house.json(&["rotate", id, "--overlap", "1h", "--idempotency-key", "once"]);
    assert_eq!(repeated["repeated"], true);
    assert_eq!(house.keys(&["revoke", id]).code, 0);
}

#[test]
fn refusals_are_told_in_full() {
    let house = House::start();
    let unknown = "key_00000000000000000000000000";
    for (args, code, told) in [
        (&["get", unknown][..], 1, "there is no key"),
        (&["get", "key_1"], 2, "/id: is `key_1`"),
        (
            &["list", "--tenant", "acme", "--limit", "101"],
            2,
            "/limit: is 101",
        ),
        (
            &[
                "create",
                "--tenant",
                "acme",
                "--name",
                "n",
                "--environment",
                "nowhere",
            ],
            2,
            "/environment: is `nowhere`",
        ),
    ] {
        let ended = house.keys(args);
        assert_eq!(ended.code, code, "{args:?}: {}", ended.err);
        assert!(ended.err.contains(told), "{args:?}: {}", ended.err);
        assert!(ended.err.contains("urn:doorward:request:"), "{}", ended.err);
    }
    let created = house.json(&["create", "--tenant", "acme", "--name", "n"]);
    let id = created["key"]["id"].as_str().unwrap();
    let stale = house.keys(&["disable", id, "--expected-version", "7"]);
    assert!(
        stale.code == 1 && stale.err.contains("conflict (409)"),
        "{}",
        stale.err
    );
}

#[test]
fn somebody_elses_credentials_and_a_dead_address_are_told_apart() {
    let house = House::start();
    let elsewhere = Folder::new();
    let foreign = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_REGION", "us-east-1"),
    ];
    let list = |api: &str, variables: &[(&str, &str)]| {
        elsewhere.run_on_aws(
            variables,
            &["keys", "list", "--tenant", "acme", "--api", api],
        )
    };
    let refused = list(&house.api, &foreign);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(
        refused.err.contains("403") && refused.err.contains("execute-api:Invoke"),
        "{}",
        refused.err
    );
    let dead = list("http://127.0.0.1:9", &foreign);
    assert!(
        dead.code == 3 && dead.err.contains("gives no answer"),
        "{}",
        dead.err
    );
    let nowhere = list(&house.api, &[]);
    assert!(
        nowhere.code == 2 && nowhere.err.contains("AWS_REGION"),
        "{}",
        nowhere.err
    );
    let create = [
        "keys", "create", "--tenant", "a", "--name", "n", "--api", &house.api,
    ];
    let unnamed = elsewhere.run_on_aws(&foreign, &create);
    assert!(
        unnamed.code == 2 && unnamed.err.contains("--environment"),
        "{}",
        unnamed.err
    );

    // The file that `doorward local` writes is one that every client of AWS reads.
    let file = house.folder.path().join(".doorward/aws-credentials");
    let profile = [
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_REGION", "us-east-1"),
    ];
    let listed = list(&house.api, &profile);
    assert_eq!(listed.code, 0, "{}", listed.err);
}

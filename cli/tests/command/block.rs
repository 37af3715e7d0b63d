//! `doorward block`, beside a running `doorward local`.

use std::time::Duration;

use serde_json::Value;

use crate::run::Folder;

const NEVER: &str = "blk_01JD3Z9M8Q4W2Y6B0C5F7H1K3N";

async fn status(url: &str, secret: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).bearer_auth(secret).send();
    request.await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_token_from_standard_input_is_blocked_listed_and_taken_back() {
    let folder = Folder::new();
    let (local, said) = folder.local(&["local", "--port", "0", "--ttl", "0"]);
    let gateway = said[0].split(' ').next().unwrap();
    let url = format!("{gateway}/orders/42");
    let minted = folder.run(&["token", "--scope", "orders:read", "--claim", "jti=t-1"]);
    let token = minted.out.trim().to_owned();
    assert_eq!(status(&url, &token).await, 200);

    let args = ["block", "add", "--token", "-", "--reason", "stolen"];
    let added = folder.run_with(&args, &minted.out);
    assert_eq!(added.code, 0, "{added:?}");
    let id = added.out.trim();
    assert!(id.starts_with("blk_") && !id.contains(' '), "{added:?}");
    // Two seconds of the demonstration, and nothing for the gateway.
    for says in ["blocked:", "`t-1`", "within 2s", "refused within 1m"] {
        assert!(added.err.contains(says), "{says}: {added:?}");
    }
    let again = folder.run_with(&args[..4], &minted.out);
    assert_eq!((again.code, again.out.trim()), (0, id), "{again:?}");
    assert!(again.err.contains("blocked already"), "{again:?}");
    for ended in [&added, &again] {
        let shown = format!("{}{}", ended.out, ended.err);
        assert!(token.split('.').all(|part| !shown.contains(part)));
    }
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert_eq!(status(&url, &token).await, 401);

    let listed = folder.run(&["block", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["blocks"][0]["id"], id, "{listed}");
    let table = folder.run(&["block", "list"]);
    for says in [id, "active", "t-1", "stolen"] {
        assert!(table.out.contains(says), "{says}: {table:?}");
    }

    // Of a table nothing is known of the gateway: the longest that it keeps an answer is promised, unless it is said.
    let state = std::fs::read_to_string(folder.path().join(".doorward/local.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let of_state = |name: &str| state[name].as_str().unwrap();
    let issuer = of_state("issuer");
    folder.write(
        "blocks.toml",
        &format!(
            "[block_list]\n[[issuers]]\nissuer = '{issuer}'\ndanger_allow_http = true\nalgorithms = ['ES256']\n\
             audiences = ['a']\n[[routes]]\nroute = 'GET /orders'\ncredentials = ['jwt']\n"
        ),
    );
    let on_table = |more: &[&str]| {
        let table = [
            "block", "add", "--jti", "t-2", "--issuer", issuer, "--for", "2h", "--json",
        ];
        let (name, endpoint) = (of_state("table"), of_state("dynamodb"));
        let place = [
            "--table",
            name,
            "--endpoint",
            endpoint,
            "--config",
            "blocks.toml",
        ];
        let ended = folder.run(&[&table, &place[..], more].concat());
        let answer: Value = serde_json::from_str(&ended.out).unwrap_or_default();
        answer["effectiveBy"]
            .as_i64()
            .unwrap_or_else(|| panic!("{ended:?}"))
    };
    let now = doorward::clock::wall().unix();
    assert!(on_table(&[]) - now >= 3600);
    assert!(on_table(&["--gateway-ttl", "0"]) - now < 60);

    let removed = folder.run(&["block", "remove", id, "--reason", "found"]);
    assert_eq!((removed.code, removed.out.as_str()), (0, ""), "{removed:?}");
    let audit = folder.run(&["block", "audit"]);
    for says in ["add", "remove", "stolen", "found"] {
        assert!(audit.out.contains(says), "{says}: {audit:?}");
    }
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert_eq!(status(&url, &token).await, 200);
    drop(local);
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    let folder = Folder::new();
    let (local, _) = folder.local(&["local", "--port", "0"]);
    folder.write(
        "c.toml",
        "[[routes]]\nroute = \"GET /health\"\ncredentials = [\"anonymous\"]\n",
    );
    for (args, code, says) in [
        (&["add", "--for", "1h"][..], 2, "--jti"),
        (&["add", "--jti", "a"], 2, "--for"),
        (&["add", "--jti", "a", "--all", "--for", "1h"], 2, "cannot"),
        (
            &["add", "--jti", "a", "--issued-before", "now", "--for", "1h"],
            2,
            "cannot",
        ),
        (
            &[
                "add",
                "--issuer",
                "https://evil.example",
                "--all",
                "--for",
                "1h",
            ],
            2,
            "expected an issuer",
        ),
        (&["add", "--all", "--for", "400d"], 2, "expected 1 to"),
        (&["add", "--token", "-"], 2, "no JWT"),
        (&["remove", NEVER], 1, "there is no block"),
        (&["remove", "t-1"], 2, "expected `blk_`"),
        (&["list", "--config", "c.toml"], 2, "no `block_list`"),
    ] {
        let ended = folder.run(&[&["block"], args].concat());
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{args:?}: {ended:?}"
        );
        assert!(ended.err.contains(says), "{args:?}: {ended:?}");
    }
    drop(local);
}

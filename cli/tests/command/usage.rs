//! `doorward keys usage`, beside a running `doorward local`.

use std::time::Duration;

use serde_json::Value;

use crate::run::{Ended, Folder};

const NEVER: &str = "key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N";

async fn status(url: &str, secret: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).bearer_auth(secret).send();
    request.await.unwrap().status().as_u16()
}

/// The usage as JSON once `requests` and one decision are counted, or what there is after ten seconds.
fn counted(folder: &Folder, id: &str, requests: u64) -> Value {
    let mut found = Value::Null;
    for _ in 0..50 {
        let ended = folder.run(&["keys", "usage", id, "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        found = serde_json::from_str(&ended.out).unwrap();
        let total = &found["usage"]["total"];
        if total["requests"]["total"] == requests && total["decisions"]["total"] == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    found
}

#[tokio::test]
async fn cached_answers_are_shown_beside_decisions_in_every_form() {
    let folder = Folder::new();
    let (local, said) = folder.local(&["local", "--port", "0"]);
    let gateway = said[0].split(' ').next().unwrap().to_owned();
    let created = folder.run(&[
        "keys",
        "create",
        "--tenant",
        "=acme",
        "--name",
        "c,i",
        "--scope",
        "orders:read",
        "--json",
    ]);
    let created: Value = serde_json::from_str(&created.out).unwrap();
    let secret = created["secret"].as_str().unwrap();
    let id = created["key"]["id"].as_str().unwrap();

    let unused = folder.run(&["keys", "usage", id]);
    assert_eq!(unused.code, 0, "{unused:?}");
    assert!(unused.out.contains("nothing was counted"), "{unused:?}");

    for path in [
        "/orders/42",
        "/orders/43",
        "/orders/44",
        "/orders/45",
        "/orders/46",
    ] {
        assert_eq!(status(&format!("{gateway}{path}"), secret).await, 200);
    }
    let json = counted(&folder, id, 5);
    let total = &json["usage"]["total"];
    assert_eq!(total["requests"]["total"], 5, "{json:#}");
    assert_eq!(total["decisions"]["allowed"], 1, "{json:#}");
    assert_eq!(total["cached"], 4, "{json:#}");

    let table = folder.run(&["keys", "usage", id, "--by", "day"]);
    assert_eq!((table.code, table.err.as_str()), (0, ""), "{table:?}");
    for says in [
        "by day",
        "requests",
        "cached",
        "decisions",
        "at most 5 in one day",
        "total",
    ] {
        assert!(table.out.contains(says), "{says}: {table:?}");
    }
    assert!(table.out.is_ascii(), "blocks in a pipe: {}", table.out);

    let csv = folder.run(&[
        "keys", "usage", id, "--by", "month", "--since", "1h", "--csv",
    ]);
    let lines: Vec<&str> = csv.out.split("\r\n").collect();
    assert_eq!(
        (csv.code, lines.len(), lines.last()),
        (0, 3, Some(&"")),
        "{csv:?}"
    );
    assert!(
        lines[0].starts_with("key,tenant,name,from,to,requests,"),
        "{csv:?}"
    );
    let expected = format!("{id},'=acme,\"c,i\",");
    assert!(lines[1].starts_with(&expected), "{csv:?}");
    assert!(lines[1].contains(",5,0,0,"), "{csv:?}");
    drop(local);
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    let folder = Folder::new();
    let (local, _) = folder.local(&["local", "--port", "0"]);
    let run = |more: &[&str]| -> Ended { folder.run(&[&["keys", "usage"], more].concat()) };
    for (args, code, says) in [
        (&[NEVER][..], 1, "there is no key"),
        (&["key_1"], 2, "expected `key_`"),
        (&[NEVER, "--by", "week"], 2, "week"),
        (&[NEVER, "--since", "yesterday"], 2, "write `36h`"),
        (
            &[NEVER, "--since", "1h", "--until", "2h"],
            2,
            "is not before the end",
        ),
        (&[NEVER, "--since", "40d"], 2, "expected at most 31 by hour"),
        (&[NEVER, "--json", "--csv"], 2, "choose one"),
        (
            &[
                NEVER,
                "--table",
                "t",
                "--endpoint",
                "http://127.0.0.1:1",
                "--config",
                "c.toml",
            ],
            2,
            "--counters-table",
        ),
    ] {
        folder.write(
            "c.toml",
            "[api_keys]\nprefix = \"ck\"\nenvironments = [\"live\"]\n\n[[routes]]\nroute = \"GET /health\"\ncredentials = [\"anonymous\"]\n",
        );
        let ended = run(args);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (code, ""),
            "{args:?}: {ended:?}"
        );
        assert!(ended.err.contains(says), "{args:?}: {ended:?}");
    }
    drop(local);
}

//! The guides for migrating: what others export, imported by the command of the guide under the configuration of the guide.
//!
//! The files in `exports/` have the shape of what the programs write (API Gateway: reference of `get-api-keys`; Kong: `deck
//! gateway dump --format json`; Tyk: session objects by their key in Redis), with keys that nobody has.

use std::path::Path;

use crate::run::{Ended, Folder};

/// A guide, read.
struct Guide {
    /// The first configuration in it.
    config: String,
    /// Its command that imports keys, without the table and for good.
    import: Vec<String>,
}

fn guide(name: &str) -> Guide {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migrating");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    let block = |fence: &str| {
        let (_, rest) = text.split_once(fence).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let mut lines = text.lines();
    let line = lines
        .find(|line| line.starts_with("doorward keys import "))
        .unwrap();
    let words = line.strip_prefix("doorward ").unwrap();
    let words = words.replace(" --table doorward-keys", "");
    let words = words.strip_suffix(" --dry-run").unwrap();
    Guide {
        config: block("```toml\n"),
        import: words.split(' ').map(str::to_owned).collect(),
    }
}

fn import(folder: &Folder, guide: &Guide, more: &[&str]) -> Ended {
    let args = guide.import.iter().map(String::as_str);
    folder.run(&args.chain(more.iter().copied()).collect::<Vec<_>>())
}

async fn status(folder: &Folder, credential: &str) -> u16 {
    let state = std::fs::read(folder.path().join(".doorward/local.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    let url = format!("{}/orders", state["gateway"].as_str().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).header("authorization", credential).send();
    request.await.unwrap().status().as_u16()
}

/// Imports `files` and asks with each key; one of those of `acme` has the name `name_of_one`.
#[track_caller]
fn check(name: &str, files: &[&str], says: &str, name_of_one: &str, keys: &[(&str, u16)]) {
    let guide = guide(name);
    let folder = Folder::new();
    folder.write("doorward.toml", &guide.config);
    let exports = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/exports");
    for file in files {
        folder.write(file, &std::fs::read_to_string(exports.join(file)).unwrap());
        assert!(
            guide.import.iter().any(|word| word == file),
            "{name} {file}"
        );
    }
    let ports = [
        "--port",
        "0",
        "--issuer-port",
        "0",
        "--admin-port",
        "0",
        "--ttl",
        "0",
    ];
    let (local, _) = folder.local(&[&["local"], &ports[..]].concat());
    let dry = import(&folder, &guide, &["--dry-run"]);
    assert!(dry.err.contains("nothing was changed"), "{dry:?}");
    let done = import(&folder, &guide, &[]);
    assert!(done.err.contains(says), "{says}: {done:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (key, expected) in keys {
        let came = runtime.block_on(status(&folder, &format!("ApiKey {key}")));
        assert_eq!(came, *expected, "{name}: {key}");
        assert!(
            !done.err.contains(key) && !done.out.contains(key),
            "{done:?}"
        );
    }
    let all = folder.run(&["keys", "export", "--tenant", "acme"]);
    assert!(all.out.contains(name_of_one), "{all:?}");
    drop(local);
}

#[test]
fn what_get_api_keys_prints_is_imported_as_the_guide_says() {
    check(
        "usage-plans.md",
        &["get-api-keys.json"],
        "3 rows: 3 imported",
        "acme-orders",
        &[
            ("Zk3vQ8sT1mXc7bN5yR2wH9dLpF4gJ6aE0uVoKiPx", 200),
            ("GlobexPilot47110815abcdefghijklm", 200),
            // It was switched off there, and is here.
            ("Hn7tB2qW5eR8yU1iO4pA6sD9fG3jK0lZxCvMbNQw", 401),
            ("Zk3vQ8sT1mXc7bN5yR2wH9dLpF4gJ6aE0uVoKiPy", 401),
        ],
    );
}

#[test]
fn what_deck_dumps_is_imported_as_the_guide_says() {
    check(
        "kong.md",
        &["kong.json"],
        "3 rows: 3 imported",
        "acme",
        &[
            ("pZ5v7QhWm3T9xK1bR8cYd2nS6gL4fJ0a", 200),
            ("Yt4Rk9Wq2Lm8Xz6Vb1Nc3Hd7Gf5Js0Pa", 200),
            ("Bx1Cv2Nm3Qw4Er5Ty6Ui7Op8As9Df0Gh", 200),
            ("Bx1Cv2Nm3Qw4Er5Ty6Ui7Op8As9Df0Gi", 401),
        ],
    );
}

#[test]
fn sessions_of_tyk_are_imported_as_the_guide_says() {
    let organisation = "5e9d9544a1dcd60001d0ed20";
    let key = |end: &str| format!("{organisation}{end}");
    check(
        "tyk.md",
        &["tyk.json", "tyk.toml"],
        "3 rows: 2 imported, 0 were here already, 1 faulty",
        "acme portal",
        &[
            (&key("e7f2a8c41b6d4f0e9a3c5d7b8e1f2a4c"), 200),
            // Switched off; ended; never made.
            (&key("b3c1d0e9f8a74b5c6d2e1f0a9b8c7d6e"), 401),
            (&key("11f0e2d3c4b5a6978869504132fedcba"), 401),
            (&key("e7f2a8c41b6d4f0e9a3c5d7b8e1f2a4d"), 401),
        ],
    );
}

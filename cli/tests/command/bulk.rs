//! Many keys at once, beside a running `doorward local`.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::Value;

use crate::run::{Ended, Folder};

const CONFIG: &str = r#"
[api_keys]
prefix = "ck"
environments = ["live"]

[[api_keys.imported]]
name = "old"
min_length = 20
max_length = 40
hash = "sha256"

[[routes]]
route = "GET /orders"
credentials = ["api_key"]
scopes = ["orders:read"]
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("doorward.toml", CONFIG);
    folder
}

fn key(number: usize) -> String {
    format!("partner{number:025}")
}

/// The exported keys of a tenant.
fn exported(folder: &Folder, tenant: &str) -> Vec<Value> {
    let ended = folder.run(&["keys", "export", "--tenant", tenant, "--with-digests"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines = ended.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How many changes of the keys of a tenant there are of one action.
fn changes(folder: &Folder, tenant: &str, action: &str) -> usize {
    let mut count = 0;
    let mut cursor = String::new();
    loop {
        let mut args = vec!["keys", "audit", "--tenant", tenant, "--action", action];
        args.extend(["--limit", "100", "--json"]);
        if !cursor.is_empty() {
            args.extend(["--cursor", &cursor]);
        }
        let ended = folder.run(&args);
        let part: Value = serde_json::from_str(&ended.out).unwrap();
        count += part["changes"].as_array().unwrap().len();
        match part["cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return count,
        }
    }
}

fn distinct(keys: &[Value], member: &str) -> usize {
    let values = keys.iter().map(|key| key[member].as_str().unwrap());
    values.collect::<BTreeSet<_>>().len()
}

/// Waits until the journal has so many lines, then kills the command as the system would.
fn killed(folder: &Folder, args: &[&str], journal: &str, lines: usize) {
    let mut process = folder.spawn(args);
    for _ in 0..6000 {
        let text = fs::read_to_string(folder.path().join(journal)).unwrap_or_default();
        if text.lines().count() >= lines {
            break;
        }
        assert!(process.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_killed_import_goes_on_where_it_was_and_a_repeat_changes_nothing() {
    const KEYS: usize = 3000;
    let folder = folder();
    let (local, _) = folder.local(&["local", "--port", "0"]);
    let text: String = (0..KEYS).map(|number| key(number) + "\n").collect();
    folder.write("keys.txt", &text);
    let args = [
        "keys", "import", "keys.txt", "--format", "plain", "--tenant", "acme",
    ];
    killed(&folder, &args, "keys.txt.doorward-journal", 5);
    let before = exported(&folder, "acme").len();
    assert!((200..KEYS).contains(&before), "{before}");

    let other = [&args[..6], &["globex"]].concat();
    let refused = folder.run(&other);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused
            .err
            .contains("belongs to another file or to other options")
    );

    let resumed = folder.run(&args);
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.err.contains("goes on behind the"), "{resumed:?}");
    assert!(resumed.err.contains("3000 rows"), "{resumed:?}");
    assert!(!folder.path().join("keys.txt.doorward-journal").exists());

    let keys = exported(&folder, "acme");
    assert_eq!(keys.len(), KEYS);
    assert_eq!(
        (distinct(&keys, "id"), distinct(&keys, "digest")),
        (KEYS, KEYS)
    );
    assert_eq!(changes(&folder, "acme", "import"), KEYS);

    let again = folder.run(&args);
    assert_eq!(again.code, 0, "{again:?}");
    let says = "3000 rows: 0 imported, 3000 were here already, 0 faulty; nothing was changed";
    assert!(again.err.contains(says), "{again:?}");
    assert_eq!(exported(&folder, "acme"), keys);
    drop(local);
}

async fn status(url: &str, key: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let scheme = format!("ApiKey {key}");
    let request = client.get(url).header("authorization", scheme).send();
    request.await.unwrap().status().as_u16()
}

fn imports(folder: &Folder, args: &[&str]) -> Ended {
    folder.run(&[&["keys", "import"], args].concat())
}

#[tokio::test]
async fn keys_of_every_origin_open_what_they_opened_before() {
    let folder = folder();
    let (local, said) = folder.local(&["local", "--port", "0"]);
    let url = format!("{}/orders", said[0].split(' ').next().unwrap());
    let scope = ["--scope", "orders:read"];
    folder.write(
        "aws.csv",
        &format!(
            "Name,key,description,Enabled,usageplanIds\nfirst,{},x,TRUE,c7y23b\noff,{},x,FALSE,\n",
            key(1),
            key(2)
        ),
    );
    folder.write(
        "kong.json",
        &format!(r#"{{"consumers": [{{"username": "alice", "keyauth_credentials": [{{"key": "{}"}}]}}]}}"#, key(3)),
    );
    folder.write(
        "tyk.json",
        &format!(
            r#"{{"{}": {{"org_id": "globex", "alias": "ci", "expires": 0}}}}"#,
            key(4)
        ),
    );
    // SHA-256 of key(5), as a homemade authorizer keeps it.
    let hash = doorward_keys::Digest::of(&key(5), None).to_hex();
    folder.write(
        "hashes.csv",
        &format!("hash,tenant,name\n{hash},acme,homemade\n"),
    );
    for (args, says) in [
        (
            &["aws.csv", "--format", "aws", "--tenant", "acme"][..],
            "2 imported",
        ),
        (
            &[
                "kong.json",
                "--format",
                "kong",
                "--tenant-column",
                "consumer",
            ],
            "1 imported",
        ),
        (
            &["tyk.json", "--format", "tyk", "--tenant-column", "org_id"],
            "1 imported",
        ),
        (
            &["hashes.csv", "--format", "csv", "--former-hash", "sha256"],
            "1 imported",
        ),
    ] {
        let args = [args, &scope].concat();
        let dry = imports(&folder, &[&args[..], &["--dry-run"]].concat());
        assert_eq!(dry.code, 0, "{dry:?}");
        assert!(dry.err.contains("nothing was changed"), "{dry:?}");
        let done = imports(&folder, &args);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.err.contains(says), "{done:?}");
    }
    for (number, expected) in [(1, 200), (2, 401), (3, 200), (4, 200), (5, 200), (6, 401)] {
        assert_eq!(status(&url, &key(number)).await, expected, "{number}");
    }
    // The hash is not the key.
    assert_eq!(status(&url, &hash).await, 401);
    assert_eq!(exported(&folder, "alice")[0]["name"], "alice");
    assert_eq!(exported(&folder, "globex")[0]["name"], "ci");
    assert_eq!(exported(&folder, "acme").len(), 3);

    // What went out comes in again, where the pepper is the same: here it is there already.
    let all = folder.run(&["keys", "export", "--tenant", "acme", "--with-digests"]);
    folder.write("acme.jsonl", &all.out);
    let back = imports(&folder, &["acme.jsonl", "--format", "doorward"]);
    assert!(
        back.err.contains("0 imported, 3 were here already"),
        "{back:?}"
    );
    let csv = folder.run(&["keys", "export", "--tenant", "acme", "--format", "csv"]);
    assert!(csv.out.starts_with("id,tenant,name,"), "{csv:?}");
    assert_eq!(csv.out.lines().count(), 4);
    drop(local);
}

#[tokio::test]
async fn a_key_brought_by_its_hash_moves_at_its_first_use_and_stays_dead_once_it_is() {
    let folder = folder();
    let (local, said) = folder.local(&["local", "--port", "0"]);
    let url = format!("{}/orders", said[0].split(' ').next().unwrap());
    let hash = doorward_keys::Digest::of(&key(5), None).to_hex();
    folder.write("hashes.csv", &format!("hash,tenant\n{hash},acme\n"));
    folder.write("keys.csv", &format!("key,tenant\n{},acme\n", key(5)));
    folder.write("digests.csv", &format!("digest,tenant\n{hash},acme\n"));
    let by_hash = [
        "hashes.csv",
        "--format",
        "csv",
        "--former-hash",
        "sha256",
        "--scope",
        "orders:read",
    ];
    assert_eq!(imports(&folder, &by_hash).code, 0);
    let kept = || exported(&folder, "acme")[0]["digest"].clone();
    let (former, proper) = (kept(), hash.as_str());
    assert_ne!(former, proper);
    assert_eq!(status(&url, &key(5)).await, 200);
    for _ in 0..100 {
        if kept() == proper {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(kept(), proper);
    assert_eq!(changes(&folder, "acme", "update"), 1);
    assert_eq!(status(&url, &key(5)).await, 200);
    let id = exported(&folder, "acme")[0]["id"].clone();
    let revoked = folder.run(&["keys", "revoke", id.as_str().unwrap()]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let by_key = ["keys.csv", "--format", "csv"];
    let by_digest = ["digests.csv", "--format", "csv"];
    for args in [&by_hash[..], &by_key, &by_digest] {
        let back = imports(&folder, args);
        assert_eq!(back.code, 1, "{back:?}");
        assert!(back.err.contains("not brought back"), "{back:?}");
    }
    drop(local);
}

#[test]
fn faulty_rows_are_named_by_line_and_no_key_is_shown() {
    let folder = folder();
    let (local, _) = folder.local(&["local", "--port", "0"]);
    let text = format!(
        "key,tenant,scopes\n{},acme,a\nhunter2,acme,a\n{},,a\n{},acme,*\n",
        key(1),
        key(2),
        key(3)
    );
    folder.write("keys.csv", &text);
    let ended = imports(&folder, &["keys.csv", "--format", "csv"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for says in [
        "keys.csv:3: holds a key of 7 characters that fits no form",
        "keys.csv:4: names no tenant",
        "keys.csv:5: the request is not valid: `scopes[0]`",
        "4 rows: 1 imported, 0 were here already, 3 faulty",
    ] {
        assert!(ended.err.contains(says), "{says}: {ended:?}");
    }
    for secret in ["hunter2", &key(1), &key(2), &key(3)] {
        assert!(!ended.err.contains(secret), "{ended:?}");
    }
    // A key of somebody else is refused, and so is a dead one.
    folder.write("theirs.txt", &key(1));
    let theirs = ["theirs.txt", "--format", "plain", "--tenant", "globex"];
    let taken = imports(&folder, &theirs);
    assert!(taken.err.contains("belongs to another tenant"), "{taken:?}");
    let keys = exported(&folder, "acme");
    let id = keys[0]["id"].as_str().unwrap();
    assert_eq!(folder.run(&["keys", "revoke", id]).code, 0);
    let dead = imports(
        &folder,
        &["theirs.txt", "--format", "plain", "--tenant", "acme"],
    );
    assert!(dead.err.contains("not brought back"), "{dead:?}");
    for (args, says) in [
        (
            &["nowhere.txt", "--format", "plain", "--tenant", "a"][..],
            "cannot be read",
        ),
        (
            &["keys.csv", "--format", "csv", "--former-hash", "murmur64"],
            "no hash that keys can be brought by",
        ),
        (
            &["keys.csv", "--format", "csv", "--former-hash", "sha512"],
            "no form of `api_keys.imported` has",
        ),
        (&["keys.csv", "--format", "excel"], "excel"),
    ] {
        let ended = imports(&folder, args);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {ended:?}");
    }
    drop(local);
}

#[test]
fn keys_are_made_from_a_file_and_none_twice_after_a_kill() {
    const KEYS: usize = 400;
    let folder = folder();
    let (local, _) = folder.local(&["local", "--port", "0"]);
    let rows: Vec<String> = (0..KEYS)
        .map(|number| format!("acme,p{number},orders:read\n"))
        .collect();
    let rows = rows.concat();
    folder.write("partners.csv", &format!("tenant,name,scopes\n{rows}"));
    let args = [
        "keys",
        "create",
        "--from",
        "partners.csv",
        "--secrets-to",
        "secrets.jsonl",
    ];
    killed(&folder, &args, "secrets.jsonl.doorward-journal", 50);
    let resumed = folder.run(&args);
    assert!(resumed.err.contains("400 rows"), "{resumed:?}");
    let keys = exported(&folder, "acme");
    assert_eq!((keys.len(), distinct(&keys, "name")), (KEYS, KEYS));
    let path = folder.path().join("secrets.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let secrets: Vec<Value> = lines.collect();
    // A secret that was under way at the kill is lost, and said to be so.
    let lost = resumed.err.matches("its secret was lost with it").count();
    assert_eq!(secrets.len() + lost, KEYS, "{resumed:?}");
    assert_eq!(distinct(&secrets, "secret"), secrets.len());
    assert_eq!(resumed.code, i32::from(lost > 0), "{resumed:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A file that is there already is not written over, nor added to.
    let again = folder.run(&args);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.err.contains("does not exist yet"), "{again:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    drop(local);
}

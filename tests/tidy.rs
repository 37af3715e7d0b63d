//! The rules of the house that no compiler knows: who may depend on whom, what must not be linked, how long a file is,
//! and what must not be written anywhere.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Metadata, MetadataCommand};

/// Who may depend on which crates of ours. What is not listed here must not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("doorward-keys", &[]),
    ("doorward-engine", &["doorward-keys"]),
    ("doorward-backends", &["doorward-engine", "doorward-keys"]),
    ("doorward-gateway", &["doorward-engine", "doorward-keys"]),
    (
        "doorward-authorizer",
        &[
            "doorward-backends",
            "doorward-engine",
            "doorward-gateway",
            "doorward-keys",
        ],
    ),
    (
        "doorward-key-admin",
        &["doorward-backends", "doorward-engine", "doorward-keys"],
    ),
    (
        "doorward",
        &[
            "doorward-authorizer",
            "doorward-backends",
            "doorward-engine",
            "doorward-key-admin",
            "doorward-keys",
        ],
    ),
    (
        "doorward-tests",
        &[
            "doorward",
            "doorward-authorizer",
            "doorward-backends",
            "doorward-engine",
            "doorward-key-admin",
            "doorward-keys",
            "doorward-tokens",
            "doorward-verify",
        ],
    ),
    ("doorward-tokens", &["doorward-engine"]),
    (
        "doorward-bench",
        &[
            "doorward",
            "doorward-authorizer",
            "doorward-backends",
            "doorward-engine",
            "doorward-key-admin",
            "doorward-keys",
            "doorward-micro",
            "doorward-report",
        ],
    ),
    (
        "doorward-micro",
        &[
            "doorward-engine",
            "doorward-gateway",
            "doorward-keys",
            "doorward-report",
            "doorward-tokens",
        ],
    ),
    ("doorward-report", &[]),
    ("doorward-constant", &[]),
    ("doorward-echo", &[]),
    ("doorward-verify", &[]),
];

/// What a crate must not reach, directly or through others. A `*` at the end stands for any rest.
const OUT_OF_REACH: &[(&str, &[&str])] = &[
    ("doorward-keys", PURE),
    ("doorward-engine", PURE),
    ("doorward-gateway", PURE),
    ("doorward-authorizer", DEVELOPERS_ONLY),
    ("doorward-key-admin", DEVELOPERS_ONLY),
    ("doorward-echo", &["aws-sdk-*", "dynoxide-rs", "reqwest"]),
];

/// The pure crates know no cloud, no socket, no runtime.
const PURE: &[&str] = &[
    "aws-sdk-*",
    "aws-config",
    "aws-smithy-*",
    "hyper",
    "lambda_runtime",
    "reqwest",
    "rustls",
    "tokio",
];

/// What serves the developer's machine stays out of the deployed binaries.
const DEVELOPERS_ONLY: &[&str] = &[
    "axum",
    "clap",
    "criterion",
    "doorward-tokens",
    "doorward",
    "dynoxide-rs",
    "libsqlite3-sys",
    "proptest",
    "saphyr",
    "schemars",
];

/// A second TLS stack or crypto provider is a second set of bugs. The rest of this rule is in `deny.toml`.
const NOWHERE: &[&str] = &[
    "jsonwebtoken",
    "native-tls",
    "openssl",
    "openssl-sys",
    "ring",
];

const MAX_LINES: usize = 500;

/// Places of somebody's machine; written in pieces, so that this file passes its own test.
const FOREIGN_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

#[test]
fn crates_of_ours_depend_only_along_the_arrows() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    assert_eq!(
        members,
        arrows.keys().copied().collect(),
        "the members of the workspace and the arrows differ"
    );

    for package in &metadata.packages {
        let allowed = arrows[package.name.as_str()];
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            assert!(
                !members.contains(name) || allowed.contains(&name),
                "`{}` must not depend on `{name}`",
                package.name
            );
        }
    }
}

#[test]
fn nothing_out_of_reach_is_linked() {
    for (package, forbidden) in OUT_OF_REACH {
        let reached = linked_into(package);
        // A tree that cannot be read must not look like a clean one.
        assert!(
            reached.iter().any(|(name, _)| name == package),
            "no dependency tree of `{package}`"
        );
        for (name, _) in reached.iter().filter(|(name, _)| name != package) {
            assert!(
                !forbidden.iter().any(|pattern| fits(name, pattern)),
                "`{package}` must not reach `{name}`"
            );
        }
    }
}

#[test]
fn there_is_one_tls_stack_and_one_crypto_provider() {
    let metadata = metadata();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &metadata.packages {
        for (name, version) in linked_into(&package.name) {
            versions.entry(name).or_default().insert(version);
        }
    }
    for name in ["rustls", "aws-lc-rs", "aws-lc-sys"] {
        assert_eq!(
            versions.get(name).map(BTreeSet::len),
            Some(1),
            "versions of `{name}`: {:?}",
            versions.get(name)
        );
    }
    for name in NOWHERE {
        assert!(!versions.contains_key(*name), "`{name}` is in the tree");
    }
}

#[test]
fn every_dependency_of_the_workspace_has_a_reason() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, table) = text.split_once("[workspace.dependencies]\n").unwrap();
    let (table, _) = table.split_once("\n[").unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let foreign = |line: &str| line.contains(" = ") && !line.contains("path = ");
    let mut seen = 0;
    for (above, line) in lines.iter().zip(lines.iter().skip(1)) {
        if foreign(line) {
            seen += 1;
            assert!(above.starts_with("# "), "no reason above `{line}`");
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let mut seen = 0;
    for path in files() {
        let is_source = path
            .extension()
            .is_some_and(|e| ["rs", "sh", "py", "mjs", "md"].iter().any(|s| e == *s));
        let Some(text) = is_source.then(|| fs::read_to_string(&path).ok()).flatten() else {
            continue;
        };
        // Generated references are as long as what they describe.
        let mut head = text.lines().take(3);
        if head.any(|line| line.to_ascii_lowercase().starts_with("<!-- generated")) {
            continue;
        }
        seen += 1;
        let lines = text.lines().count();
        assert!(
            lines <= MAX_LINES,
            "{} has {lines} lines, more than {MAX_LINES}",
            path.display()
        );
    }
    assert!(seen > 40, "only {seen} source files were found");
}

#[test]
fn no_file_names_a_place_of_somebodys_machine() {
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for foreign in FOREIGN_PATHS {
                assert!(
                    !line.contains(foreign),
                    "{}:{} names `{foreign}`",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

/// Names and versions of what is linked into a package built on its own: features of other members do not count.
fn linked_into(package: &str) -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--offline",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--package",
            package,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect()
}

fn fits(name: &str, pattern: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(name == pattern, |start| name.starts_with(start))
}

/// The files of the project: what git knows, and what it would take in.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let listed: Vec<PathBuf> = String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        .map(|name| root().join(name))
        .filter(|path| path.is_file())
        .collect();
    assert!(!listed.is_empty(), "git lists no file");
    listed
}

//! Compares what a run produced with a committed file, or writes the file when `DOORWARD_BLESS` is set.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Fails unless the file at `path` (from the root of the workspace) holds exactly `actual`.
///
/// # Panics
/// When the file differs or cannot be read or written; the message says how to write it anew.
#[track_caller]
pub fn check(path: &str, actual: &str) {
    let file = root().join(path);
    if std::env::var_os("DOORWARD_BLESS").is_some() {
        assert!(
            std::fs::write(&file, actual).is_ok(),
            "`{path}` cannot be written"
        );
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected == actual {
        return;
    }
    let line = expected
        .lines()
        .zip(actual.lines())
        .position(|(left, right)| left != right);
    let at = line.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    let (was, is) = (
        expected.lines().nth(at).unwrap_or("(end)"),
        actual.lines().nth(at).unwrap_or("(end)"),
    );
    assert_eq!(
        was,
        is,
        "`{path}` is stale at line {}; write it anew with DOORWARD_BLESS=1 and read the difference",
        at + 1
    );
}

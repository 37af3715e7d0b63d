//! Counting one process.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::measured::WORD;

/// The instructions of the measured part of `name`.
pub(crate) fn count(name: &str, credentials: &str) -> anyhow::Result<u64> {
    let out = std::env::temp_dir().join(format!("doorward-callgrind-{}", std::process::id()));
    let mut child = Command::new("valgrind")
        .args([
            "--quiet",
            "--tool=callgrind",
            "--toggle-collect=*doorward_counted_part*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args([WORD, name])
        .stdin(Stdio::piped())
        .spawn()
        .context("valgrind cannot be started; is it installed?")?;
    let mut stdin = child
        .stdin
        .take()
        .context("no way to the counted process")?;
    stdin.write_all(credentials.as_bytes())?;
    drop(stdin);
    let status = child.wait()?;
    ensure!(status.success(), "`{name}` under valgrind: {status}");
    let text = fs::read_to_string(&out).context("valgrind wrote nothing")?;
    fs::remove_file(&out)?;
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let counted = totals.and_then(|totals| totals.trim().parse().ok());
    // A part that is not found would look like one that costs nothing.
    counted
        .filter(|count| *count > 0)
        .with_context(|| format!("`{name}`: valgrind counted nothing"))
}

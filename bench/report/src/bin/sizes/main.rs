//! What is in a binary, by crate, from the names of its symbols; writes `bench/results/size.json`. Needs `nm`, `size` and `strip`
//! of binutils.
//!
//! ```sh
//! bench/size
//! ```

mod names;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use doorward_report::machine;
use serde_json::{Value, json};

/// Crates that are named; the smaller ones are summed up.
const NAMED: usize = 22;

fn main() -> anyhow::Result<()> {
    let binaries: Vec<String> = std::env::args().skip(1).collect();
    ensure!(!binaries.is_empty(), "no binaries; use bench/size");
    let described = binaries.iter().map(|path| described(Path::new(path)));
    let described = described.collect::<anyhow::Result<Vec<_>>>()?;
    let results = json!({
        "what": "what is in the binaries", "machine": machine::described(), "binaries": described,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/size.json");
    fs::write(path, format!("{results:#}\n"))?;
    Ok(())
}

fn described(path: &Path) -> anyhow::Result<Value> {
    let name = path.file_name().and_then(|name| name.to_str());
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    for line in said("nm", &["--print-size", "--demangle"], path)?.lines() {
        if let Some((of, bytes)) = names::symbol(line) {
            *crates.entry(of).or_default() += bytes;
        }
    }
    ensure!(
        crates.len() > 3,
        "`{}` has no names of symbols",
        path.display()
    );
    let mut crates: Vec<(String, u64)> = crates.into_iter().collect();
    crates.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let rest = crates.split_off(crates.len().min(NAMED));
    let (many, rest) = (rest.len(), rest.iter().map(|(_, bytes)| bytes).sum());
    crates.push((format!("{many} others"), rest));
    let sections = said("size", &["--format=sysv", "--radix=10"], path)?;
    let sections = [
        "text",
        "rodata",
        "eh_frame",
        "gcc_except_table",
        "data.rel.ro",
        "rela.dyn",
    ]
    .map(|name| {
        let line = sections
            .lines()
            .find_map(|line| line.strip_prefix(&format!(".{name} ")));
        let bytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        json!({"name": name, "bytes": bytes})
    });
    let stripped = path.with_extension("stripped");
    let out = format!("--output-file={}", stripped.display());
    said("strip", &["--strip-all", &out], path)?;
    let zipped = zipped(&stripped)?;
    let bytes = fs::metadata(&stripped)?.len();
    fs::remove_file(&stripped)?;
    let crates = crates
        .iter()
        .map(|(name, bytes)| json!({"name": name, "bytes": bytes}));
    Ok(json!({
        "name": name, "bytes": bytes, "zipped": zipped, "sections": sections, "crates": crates.collect::<Vec<_>>(),
    }))
}

/// How large the archive is that Lambda gets.
fn zipped(path: &Path) -> anyhow::Result<u64> {
    let archive = path.with_extension("zip");
    let script = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'bootstrap')";
    let status = Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .arg(&archive)
        .status();
    ensure!(status.context("python3")?.success(), "no archive was made");
    let bytes = fs::metadata(&archive)?.len();
    fs::remove_file(&archive)?;
    Ok(bytes)
}

fn said(program: &str, arguments: &[&str], path: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).arg(path).output();
    let output = output.with_context(|| format!("`{program}` cannot be started"))?;
    ensure!(
        output.status.success(),
        "`{program}`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Writes what was measured into docs/performance.md and the README.

use std::{fs, path::Path};

use anyhow::Context as _;
use doorward_bench::report;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let results = fs::read_to_string(root.join("bench/results/invocations.json"))
        .context("nothing was measured yet; run bench/run")?;
    let results = serde_json::from_str(&results)?;
    for (path, part) in [
        ("docs/performance.md", report::performance(&results)),
        ("README.md", report::readme(&results)),
    ] {
        let file = root.join(path);
        let fresh = report::renewed(&fs::read_to_string(&file)?, &part);
        fs::write(
            &file,
            fresh.with_context(|| format!("`{path}` has lost its marks"))?,
        )?;
    }
    Ok(())
}

//! What the measurements share.

pub mod keys;

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

/// Writes results to the file `name` of `bench/results/`.
///
/// # Errors
/// When it cannot be written.
pub fn save(name: &str, results: &Value) -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("results")
        .join(name);
    fs::write(&path, format!("{results:#}\n"))
        .with_context(|| format!("`{}` cannot be written", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

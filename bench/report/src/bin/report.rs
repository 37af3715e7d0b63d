//! Writes what was measured into the documents, and prints what was aimed at and what came of it.

use std::{fs, path::Path};

use doorward_report::{PARTS, aims, results};

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for part in PARTS {
        let file = root.join(part.path);
        let fresh = part.renewed(&root, &fs::read_to_string(&file).unwrap_or_default())?;
        fs::write(&file, fresh)?;
    }
    let all = aims::RESULTS.iter().map(|name| results(&root, name));
    println!("{}", aims::table(&all.collect::<anyhow::Result<Vec<_>>>()?));
    Ok(())
}

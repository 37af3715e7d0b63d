//! Collects what criterion measured in several runs into `bench/results/engine.json`. Ratios are taken within a run.
//!
//! ```sh
//! bench/engine
//! ```

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, ensure};
use doorward_micro::{bare, scene::Scene};
use doorward_report::{
    machine,
    numbers::{median, rounded, spread},
};
use serde_json::{Value, json};

/// Medians of one run in nanoseconds, by name.
type Run = BTreeMap<String, f64>;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1);
    let folder = folder.context("the folder of the runs is missing; use bench/engine")?;
    let mut runs = Vec::new();
    for run in fs::read_dir(&folder)? {
        runs.push(read(&run?.path().join("engine"))?);
    }
    ensure!(!runs.is_empty(), "`{folder}` holds no run");
    let mut rows = Vec::new();
    for scene in Scene::ALL {
        let bare = scene.checks().map(bare::name);
        if let (Scene::New(_), Some(bare)) = (scene, &bare) {
            rows.push(row(bare, None, &runs)?);
        }
        rows.push(row(&scene.name(), bare.as_deref(), &runs)?);
    }
    let results = json!({
        "what": "decisions of the engine by itself", "machine": machine::described(), "load": machine::load(), "runs": runs.len(), "rows": rows,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/engine.json");
    fs::write(path, format!("{results:#}\n"))?;
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Run> {
    let json = |path: &Path| -> anyhow::Result<Value> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    };
    let mut run = Run::new();
    for one in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let newest = one?.path().join("new");
        if !newest.is_dir() {
            continue;
        }
        let named = json(&newest.join("benchmark.json"))?;
        let name = named.get("function_id").and_then(Value::as_str);
        let estimates = json(&newest.join("estimates.json"))?;
        let nanos = estimates.pointer("/median/point_estimate");
        let nanos = nanos.and_then(Value::as_f64).context("no median")?;
        run.insert(name.context("no name")?.to_owned(), nanos);
    }
    Ok(run)
}

fn row(name: &str, bare: Option<&str>, runs: &[Run]) -> anyhow::Result<Value> {
    let of = |run: &Run, name: &str| run.get(name).copied().with_context(|| name.to_owned());
    let nanos: Vec<f64> = runs
        .iter()
        .map(|run| of(run, name))
        .collect::<anyhow::Result<_>>()?;
    let mut row = json!({
        "name": name, "median_us": rounded(median(&nanos) / 1000.0),
    });
    if let (Some(bare), Value::Object(members)) = (bare, &mut row) {
        let ratios = runs.iter().map(|run| Ok(of(run, name)? / of(run, bare)?));
        let ratios = ratios.collect::<anyhow::Result<Vec<f64>>>()?;
        members.insert("ratio".to_owned(), spread(&ratios));
    }
    Ok(row)
}

//! How the time of a decision grows with what the configuration holds, and memory with the number of callers.
//!
//! All sizes of one thing are built first and then measured in turn, round by round, so that what the machine does at the time hits
//! all of them. Results go to `bench/results/scale.json`.
//!
//! ```sh
//! bench/scale
//! ```

mod growth;
mod memory;

use std::{fs, path::Path};

use doorward_engine::layers::jwt::Algorithm;
use doorward_micro::{credentials::Credentials, house::Size, scene::Scene};
use doorward_report::machine;
use serde_json::{Value, json};

use self::growth::Series;

/// Tokens of each algorithm: more than the engine remembers, so that each is new when its turn comes again.
const TOKENS: usize = 4500;

/// Keys for the last series.
const KEYS: usize = 100_000;

const SMALL: Size = Size::SMALL;

/// What grows.
const SERIES: &[Series] = &[
    Series {
        name: "address ranges",
        scene: Scene::KeyCached,
        sizes: &[10, 100, 1000, 10_000, 100_000],
        of: |ranges| Size { ranges, ..SMALL },
    },
    Series {
        name: "routes",
        scene: Scene::KeyCached,
        sizes: &[10, 50, 100, 500, 1000, 5000],
        of: |routes| Size { routes, ..SMALL },
    },
    Series {
        name: "issuers",
        scene: Scene::New(Algorithm::Rs256),
        sizes: &[1, 10, 100],
        of: |issuers| Size { issuers, ..SMALL },
    },
    Series {
        name: "keys remembered",
        scene: Scene::KeysInTurn,
        sizes: &[10, 100, 1000, 10_000, 100_000],
        of: |cache_entries| Size {
            cache_entries,
            ..SMALL
        },
    },
];

fn main() -> anyhow::Result<()> {
    // First, while nothing else has filled the process.
    let memory = memory::measured()?;
    eprintln!("makes tokens and keys");
    let credentials = Credentials::make(TOKENS, KEYS)?;
    let mut all = Vec::new();
    for series in SERIES {
        eprintln!("{}", series.name);
        all.push(growth::measured(series, &credentials)?);
    }
    let results: Value = json!({
        "what": "growth of time and memory in the engine", "machine": machine::described(), "load": machine::load(),
        "rounds": growth::ROUNDS, "calls": growth::CALLS, "series": all, "memory": memory,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/scale.json");
    fs::write(path, format!("{results:#}\n"))?;
    Ok(())
}

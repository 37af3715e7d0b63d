//! How many instructions the engine takes for a call, held against the counts in `bench/instructions.json`.
//!
//! Instructions do not depend on what else the machine does, so they can be a gate. Each scene runs in a process of its own under
//! valgrind's callgrind, which counts while one function runs: the keys and tokens are made outside, and what the first calls
//! set up is over by then. Of scenes in which a signature is checked, the bare check of the same signatures is taken off,
//! because the crypto library chooses its code by the processor, and its versions are not ours.
//!
//! ```sh
//! cargo run --profile counted -p doorward-micro --bin instructions
//! cargo run --profile counted -p doorward-micro --bin instructions -- --update --reason "policies hold conditions"
//! ```

mod callgrind;
mod committed;
mod measured;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use doorward_micro::{
    credentials::{ALGORITHMS, Credentials},
    front::Front,
    scene::Scene,
};

use self::{committed::Counts, measured::CREDENTIALS};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => hold(&counted()?),
        ["--update", "--reason", reason] if !reason.trim().is_empty() => {
            let mut counts = counted()?;
            (*reason).clone_into(&mut counts.reason);
            counts.write(&path())
        }
        [word, name] if *word == measured::WORD => measured::run(name),
        _ => bail!("`instructions` takes nothing, or --update --reason \"why they change\""),
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../instructions.json")
}

/// Counts every scene anew.
fn counted() -> anyhow::Result<Counts> {
    ensure!(
        cfg!(target_arch = "x86_64") && !cfg!(debug_assertions),
        "counts are of x86_64 and of optimised code: cargo run --profile counted -p doorward-micro --bin instructions"
    );
    let credentials = Credentials::make(CREDENTIALS, CREDENTIALS).context("no keys and tokens")?;
    let credentials = serde_json::to_string(&credentials)?;
    let mut counts = Counts::of_this_compiler()?;
    for algorithm in ALGORITHMS {
        let bare = callgrind::count(algorithm.name(), &credentials)?;
        counts
            .signatures
            .insert(algorithm.name().to_owned(), measured::per_call(bare));
    }
    for scene in Scene::ALL {
        let name = scene.name();
        let all = measured::per_call(callgrind::count(&name, &credentials)?);
        let checks = scene.checks();
        let bare = checks.and_then(|one| counts.signatures.get(one.name()));
        let own = all.saturating_sub(bare.copied().unwrap_or(0));
        eprintln!("{own:>9}  {name}");
        counts.per_call.insert(name, own);
    }
    for front in Front::ALL {
        let own = measured::per_call(callgrind::count(front.name(), &credentials)?);
        eprintln!("{own:>9}  {}", front.name());
        counts.per_call.insert(front.name().to_owned(), own);
    }
    Ok(counts)
}

fn hold(counts: &Counts) -> anyhow::Result<()> {
    let committed = Counts::read(&path())?;
    let findings = counts.differences(&committed);
    for finding in &findings {
        eprintln!("{finding}");
    }
    ensure!(
        findings.is_empty(),
        "the counts are not those of bench/instructions.json; where that is meant to be, \
         cargo run --profile counted -p doorward-micro --bin instructions -- --update --reason \"why\""
    );
    println!("{} counts are as committed", committed.per_call.len());
    Ok(())
}

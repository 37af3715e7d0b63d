//! What one call costs through Lambda's runtime API, and how long a start takes: Doorward beside a function that answers a constant
//! and beside authorizers as they are written at home. One process at a time, candidates in turn, several rounds; ratios are
//! taken round by round. Every answer is checked. Results go to `bench/results/invocations.json`.
//!
//! ```sh
//! bench/run
//! ```

mod candidates;
mod credentials;
mod lambda;
mod memory;
mod process;
mod scenario;
mod statistics;

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;
use doorward_report::{
    machine,
    numbers::{median, rounded},
};
use serde_json::{Value, json};

use self::{
    candidates::{CONSTANT, Candidate, LARGE},
    credentials::Credentials,
    process::Function,
    scenario::Scenario,
    statistics::{Sample, micros, ratio},
};

/// Calls before the clock counts, and calls that count.
struct Effort {
    /// What is aimed at counts as met only where it is in each of them.
    runs: usize,
    /// In each run.
    rounds: usize,
    warm_up: usize,
    calls: usize,
}

/// All that one candidate did, round by round.
#[derive(Default)]
struct Done {
    init: Vec<f64>,
    cold: Vec<f64>,
    memory: Vec<f64>,
    scenarios: BTreeMap<usize, Vec<Sample>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut is_quick, mut authorizer, mut only) = (false, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => is_quick = true,
            "--authorizer" => authorizer = arguments.next(),
            "--only" => only = arguments.next(),
            other => anyhow::bail!(
                "`{other}` is none of --quick, --authorizer FILE (another build of it) and --only WORD (of a candidate's name)"
            ),
        }
    }
    let effort = if is_quick {
        Effort {
            runs: 1,
            rounds: 1,
            warm_up: 20,
            calls: 50,
        }
    } else {
        Effort {
            runs: 3,
            rounds: 5,
            warm_up: 200,
            calls: 800,
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let tables = TableNames::default();
    let dynamo = std::thread::spawn({
        let tables = tables.clone();
        move || embedded(&tables)
    });
    let (dynamo, _stop) = dynamo.join().map_err(|_| anyhow::anyhow!("no table"))??;
    let client =
        doorward_backends::dynamodb::connect(doorward::dynamodb::connection(&dynamo)).await;
    eprintln!("makes tokens and keys");
    let credentials = Credentials::make(effort.warm_up + effort.calls, &client, &tables).await?;
    let authorizer = authorizer.as_deref();
    let mut candidates =
        candidates::all(&root, authorizer, (&dynamo, &tables), &credentials.key_set)?;
    let is_part = only.is_some();
    if let Some(only) = only {
        candidates.retain(|one| one.name == CONSTANT || one.name.contains(&only));
    }
    let mut done: BTreeMap<&str, Done> = BTreeMap::new();
    let rounds = effort.runs.saturating_mul(effort.rounds);
    for round in 0..rounds {
        for turn in 0..candidates.len() {
            let index = (turn + round) % candidates.len();
            let candidate = candidates.get(index).context("no candidate")?;
            eprintln!("round {} of {}: {}", round + 1, rounds, candidate.name);
            let of_candidate = done.entry(candidate.name).or_default();
            run(candidate, &credentials, &effort, of_candidate)?;
        }
    }
    let memory = if is_part {
        Value::Null
    } else {
        memory::after_many(&candidates, (&client, &tables), is_quick).await?
    };
    let results = results(&candidates, &done, &effort, &memory);
    if is_quick || is_part {
        println!("{results:#}");
        return Ok(());
    }
    doorward_bench::save("invocations.json", &results)
}

/// A table on a runtime of its own, which ends with what is given back.
fn embedded(tables: &TableNames) -> anyhow::Result<(String, tokio::sync::oneshot::Sender<()>)> {
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let (ready, address) = std::sync::mpsc::channel();
    let tables = tables.clone();
    std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &tables).await?;
            ready.send(dynamo.endpoint_url())?;
            let _ = stopped.await;
            Ok(())
        })
    });
    Ok((address.recv().context("the table does not start")?, stop))
}

fn run(
    candidate: &Candidate,
    credentials: &Credentials,
    effort: &Effort,
    done: &mut Done,
) -> anyhow::Result<()> {
    // Its files may have left memory while the others had their turn, and no disk is measured.
    Function::spawn(candidate, &credentials.key_set)?.init()?;
    let function = Function::spawn(candidate, &credentials.key_set)?;
    done.init.push(micros(function.init()?));
    let first = Scenario::DistinctRs256;
    let answered = function.lambda.invoke(&first.event(credentials, 0))?;
    first.check(candidate, &answered)?;
    done.cold.push(micros(function.since_start(&answered)));
    let scenarios: &[Scenario] = match candidate.name {
        CONSTANT | LARGE => &[Scenario::DistinctRs256],
        _ => &Scenario::ALL,
    };
    for (index, scenario) in scenarios.iter().enumerate() {
        for number in 0..effort.warm_up {
            let answered = function
                .lambda
                .invoke(&scenario.event(credentials, number))?;
            scenario.check(candidate, &answered)?;
        }
        let before = function.on_cpu()?;
        let mut took = Vec::with_capacity(effort.calls);
        for number in 0..effort.calls {
            let event = scenario.event(credentials, effort.warm_up + number);
            let answered = function.lambda.invoke(&event)?;
            scenario.check(candidate, &answered)?;
            took.push(answered.took);
        }
        let cpu = function.on_cpu()?.saturating_sub(before);
        let samples = done.scenarios.entry(index).or_default();
        samples.push(Sample::of(took, cpu));
    }
    let memory = u32::try_from(function.peak_memory()?).unwrap_or(u32::MAX);
    done.memory.push(f64::from(memory) / 1024.0);
    Ok(())
}

fn results(
    candidates: &[Candidate],
    done: &BTreeMap<&str, Done>,
    effort: &Effort,
    memory: &Value,
) -> Value {
    let empty = Done::default();
    let of = |name: &str| done.get(name).unwrap_or(&empty);
    let floor = of(CONSTANT);
    let p50 = |samples: &[Sample]| samples.iter().map(|one| one.p50).collect::<Vec<_>>();
    let floor_calls = floor
        .scenarios
        .get(&0)
        .map_or_else(Vec::new, |all| p50(all));
    let mut starts = Vec::new();
    let mut calls = Vec::new();
    for candidate in candidates {
        let done = of(candidate.name);
        let milli = |all: &[f64]| rounded(median(all) / 1000.0);
        starts.push(json!({
            "candidate": candidate.name,
            "init_ms": milli(&done.init), "init_ratio": ratio(&done.init, &floor.init, effort.rounds),
            "cold_ms": milli(&done.cold), "cold_ratio": ratio(&done.cold, &floor.cold, effort.rounds),
            "peak_mib": rounded(median(&done.memory)),
        }));
        for (index, samples) in &done.scenarios {
            let scenario = Scenario::ALL.get(*index).map_or("", |one| one.name());
            let middle = |of: fn(&Sample) -> f64| {
                rounded(median(&samples.iter().map(of).collect::<Vec<_>>()))
            };
            calls.push(json!({
                "candidate": candidate.name, "scenario": scenario,
                "p50_us": middle(|one| one.p50), "p90_us": middle(|one| one.p90), "p99_us": middle(|one| one.p99),
                "cpu_us": middle(|one| one.cpu), "ratio": ratio(&p50(samples), &floor_calls, effort.rounds),
            }));
        }
    }
    json!({
        "what": "invocations through the runtime API", "machine": machine::described(),
        "runs": effort.runs, "rounds": effort.rounds, "calls": effort.calls,
        "starts": starts, "calls_by_scenario": calls, "memory": memory,
    })
}

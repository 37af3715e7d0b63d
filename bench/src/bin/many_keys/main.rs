//! How key administration does on a table of few keys and on one of many: each operation on both, side by side.
//!
//! Two embedded `DynamoDB`s are filled in bulk with copies of one item, each a key of its own, and then used as the functions use
//! them, in turn, so that what the machine does at the time hits both. Nine keys of ten belong to one large tenant. No operation
//! may scan; each is a fixed number of calls, whatever the size of the table. The tables lie in memory, about 4 GB for 1,000,000
//! keys, so that no disk is measured. What is measured is this process and `SQLite`, not AWS: it shows growth, not speed.
//!
//! ```sh
//! cargo run --release -p doorward-bench --bin many-keys -- 1000000
//! cargo run --release -p doorward-bench --bin many-keys -- 1000000 --save    # and writes bench/results/keys.json
//! ```

mod fill;
mod work;

use anyhow::Context as _;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;
use doorward_report::{
    keys, machine,
    numbers::{median, rounded, spread},
};
use serde_json::{Value, json};

use self::work::{Bench, CALLS, Operation};

const FEW: u32 = 1_000;
const MANY: u32 = 20_000;

/// How often the tables take turns at each operation.
const ROUNDS: u32 = 7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (flags, counts): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    let is_saved = match flags.as_slice() {
        [] => false,
        [flag] if flag == "--save" => true,
        _ => anyhow::bail!("the flags `{}` are not just --save", flags.join(" ")),
    };
    let many = match counts.first() {
        Some(count) => count.parse().context("the count of keys is no number")?,
        None => MANY,
    };
    anyhow::ensure!(many > FEW, "the count of keys is not above {FEW}");
    let tables = TableNames::default();
    let small = EmbeddedDynamo::start(&Storage::Memory, 0, &tables).await?;
    let large = EmbeddedDynamo::start(&Storage::Memory, 0, &tables).await?;
    fill::fill(small.client(), &tables.keys, FEW).await?;
    fill::fill(large.client(), &tables.keys, many).await?;
    let of_few = Bench::new(small.client(), &tables.keys, FEW);
    let of_many = Bench::new(large.client(), &tables.keys, many);
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        rows.push(compared(operation, &of_few, &of_many).await?);
    }
    let results = json!({
        "what": "key administration on few keys and on many", "machine": machine::described(), "load": machine::load(),
        "rounds": ROUNDS, "times": CALLS, "few": FEW, "many": many, "rows": rows,
    });
    println!("{}", keys::table(&results));
    if is_saved {
        doorward_bench::save("keys.json", &results)?;
    }
    Ok(())
}

/// One row: the operation on both tables.
async fn compared(operation: Operation, few: &Bench, many: &Bench) -> anyhow::Result<Value> {
    let name = operation.name();
    let (mut of_few, mut of_many, mut calls) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let few = few.measured(operation, round).await?;
        let many = many.measured(operation, round).await?;
        anyhow::ensure!(
            few.calls == many.calls,
            "{CALLS} times `{name}` took {} calls on few keys and {} on many",
            few.calls,
            many.calls
        );
        calls = many.calls / u64::from(CALLS);
        of_few.push(few.micros);
        of_many.push(many.micros);
    }
    let ratios: Vec<f64> = of_many
        .iter()
        .zip(&of_few)
        .map(|(many, few)| many / few)
        .collect();
    Ok(json!({
        "name": name, "calls": calls, "few_us": rounded(median(&of_few)), "many_us": rounded(median(&of_many)), "ratio": spread(&ratios),
    }))
}

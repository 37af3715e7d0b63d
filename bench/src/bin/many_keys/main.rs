//! How key administration does on a table of few keys and on one of many: each operation on both, side by side.
//!
//! The embedded `DynamoDB` is filled in bulk with copies of one item, each a key of its own, and then used as the functions use
//! it. Nine keys of ten belong to one large tenant. No operation may scan; each is a fixed number of calls, whatever the size
//! of the table. What is measured is this process and `SQLite`, not AWS: it shows growth, not speed.
//!
//! ```sh
//! cargo run --release -p doorward-bench --bin many-keys -- 1000000
//! ```

mod fill;
mod work;

use anyhow::Context as _;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;

const FEW: u32 = 1_000;
const MANY: u32 = 20_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let many = match std::env::args().nth(1) {
        Some(count) => count.parse().context("the count of keys is no number")?,
        None => MANY,
    };
    let few = measured(FEW).await?;
    let many_measured = measured(many).await?;
    println!("| operation | calls | {FEW} keys, µs | {many} keys, µs | ratio |");
    println!("|---|---|---|---|---|");
    let mut most: f64 = 0.0;
    for (few, many) in few.iter().zip(&many_measured) {
        anyhow::ensure!(
            few.calls == many.calls,
            "`{}` took {} calls on few keys and {} on many",
            few.name,
            few.calls,
            many.calls
        );
        let ratio = many.micros / few.micros.max(1.0);
        most = most.max(ratio);
        println!(
            "| {} | {} | {:.0} | {:.0} | {ratio:.2} |",
            few.name, few.calls, few.micros, many.micros
        );
    }
    println!("\nat most {most:.2} times as long");
    Ok(())
}

async fn measured(count: u32) -> anyhow::Result<Vec<work::Measured>> {
    let folder = std::env::temp_dir().join(format!("doorward-many-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{count}.db"));
    let tables = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::File(file), 0, &tables).await?;
    let filled = fill::fill(dynamo.client(), &tables.keys, count).await?;
    let measured = work::measure(&dynamo, &tables.keys, &filled).await;
    dynamo.stop().await;
    std::fs::remove_dir_all(&folder)?;
    measured
}

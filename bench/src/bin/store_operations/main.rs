//! How many operations on `DynamoDB` 1,000 authorised calls cost, with and without what Doorward keeps in memory.
//!
//! The authorizer of the Lambda is called in this process, its work after each answer included, over an embedded
//! `DynamoDB` behind a counter. The first row is what an authorizer without memory does: it reads the key and writes a
//! counter for every call. Every call must be let in; a refusal ends the run with an error.
//!
//! ```sh
//! cargo run -p doorward-bench --bin store-operations
//! cargo run -p doorward-bench --bin store-operations -- --save    # and writes bench/results/operations.json
//! ```

mod counter;
mod gate;

use anyhow::Context as _;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::dynamodb::TableNames;
use doorward_report::machine;
use serde_json::{Map, json};

use self::{
    counter::{Counter, Operations},
    gate::Gate,
};

const CALLS: u64 = 1000;
const KEYS: usize = 10;

/// One row.
struct Setting {
    name: &'static str,
    /// `cache_seconds` of the keys.
    cached: bool,
    usage: &'static str,
    limit: Limit,
    /// How many keys call in turn.
    keys: usize,
}

/// A limit of 10,000 a minute, by key.
#[derive(Clone, Copy)]
enum Limit {
    None,
    Plain,
    /// With a lease of so many.
    Leased(u64),
}

const SETTINGS: [Setting; 7] = [
    Setting {
        name: "naive: one read and one write for each call",
        cached: false,
        usage: "exact",
        limit: Limit::None,
        keys: KEYS,
    },
    Setting {
        name: "keys in memory, usage exact",
        cached: true,
        usage: "exact",
        limit: Limit::None,
        keys: KEYS,
    },
    Setting {
        name: "keys in memory, usage in batches",
        cached: true,
        usage: "batched",
        limit: Limit::None,
        keys: KEYS,
    },
    Setting {
        name: "the same and a limit, no lease",
        cached: true,
        usage: "batched",
        limit: Limit::Plain,
        keys: KEYS,
    },
    Setting {
        name: "the same and a limit, lease of 10",
        cached: true,
        usage: "batched",
        limit: Limit::Leased(10),
        keys: KEYS,
    },
    Setting {
        name: "the same and a limit, lease of 100",
        cached: true,
        usage: "batched",
        limit: Limit::Leased(100),
        keys: KEYS,
    },
    Setting {
        name: "the same with one key, lease of 200",
        cached: true,
        usage: "batched",
        limit: Limit::Leased(200),
        keys: 1,
    },
];

impl Setting {
    fn config(&self) -> String {
        let seconds = if self.cached { 60 } else { 0 };
        let limit = "[limits.minute]\nalgorithm = 'fixed_window'\nlimit = 10000\nper = 'minute'\nby = ['key']\n";
        let (limit, charge) = match self.limit {
            Limit::None => (String::new(), ""),
            Limit::Plain => (limit.to_owned(), "limits = ['minute']\n"),
            Limit::Leased(lease) => (format!("{limit}lease = {lease}\n"), "limits = ['minute']\n"),
        };
        format!(
            "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\ncache_seconds = {seconds}\n\
             [usage]\nmode = '{}'\n{limit}\
             [[routes]]\nroute = 'GET /orders'\ncredentials = ['api_key']\n{charge}",
            self.usage
        )
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tables = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &tables)
        .await
        .context("the embedded DynamoDB did not start")?;
    let counter = Counter::before(dynamo.endpoint_url()).await?;
    let keys = doorward_bench::keys::make(dynamo.client(), &tables, KEYS, &[]).await?;
    println!(
        "DynamoDB operations for {CALLS} authorised calls with {KEYS} keys in one sandbox, where nothing else is said\n"
    );
    println!(
        "{:<44} {:>6} {:>7} {:>10}",
        "", "reads", "writes", "per call"
    );
    let mut saved = Map::from_iter([
        ("calls".to_owned(), json!(CALLS)),
        ("machine".to_owned(), machine::described()),
    ]);
    for setting in &SETTINGS {
        let gate = Gate::start(&setting.config(), &counter.url, &tables).await;
        let keys = keys.iter().take(setting.keys).cycle();
        for (_, key) in (0..CALLS).zip(keys) {
            gate.call(key).await.with_context(|| setting.name)?;
        }
        gate.end().await;
        let (reads, writes) = reads_and_writes(&counter.take());
        println!(
            "{:<44} {reads:>6} {writes:>7} {:>10}",
            setting.name,
            thousandths(reads.saturating_add(writes))
        );
        match (setting.cached, setting.limit) {
            (false, _) => saved.insert(
                "uncached".to_owned(),
                json!({"reads": reads, "writes": writes}),
            ),
            (true, Limit::Leased(_)) => saved.insert("leased_writes".to_owned(), json!(writes)),
            (true, _) => None,
        };
    }
    if std::env::args().any(|argument| argument == "--save") {
        doorward_bench::save("operations.json", &saved.into())?;
    }
    Ok(())
}

fn reads_and_writes(counted: &Operations) -> (u64, u64) {
    let sum = |is_read: bool| {
        let of_kind = counted
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "GetItem" | "Query") == is_read);
        of_kind.map(|(_, count)| count).sum()
    };
    (sum(true), sum(false))
}

/// Operations of 1,000 calls as operations of one.
fn thousandths(operations: u64) -> String {
    format!("{}.{:03}", operations / 1000, operations % 1000)
}

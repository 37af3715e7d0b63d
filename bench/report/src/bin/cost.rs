//! What a million requests cost with your numbers; without arguments, the document.
//!
//! ```sh
//! cargo run -p doorward-report --bin cost -- --ttl 300 --calls-per-minute 20 --sandboxes 4 --lease 50
//! ```

use std::{fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use doorward_report::cost::{DEFAULTS, document, doorward, node, single};

fn main() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/invocations.json");
    let results = serde_json::from_str(&fs::read_to_string(path)?)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        print!("{}", document(&results));
        return Ok(());
    }
    let (mut setting, mut function) = (DEFAULTS, doorward(&results));
    for pair in arguments.chunks(2) {
        let [name, value] = pair else {
            bail!("`{}` lacks its number", pair.concat());
        };
        let value: f64 = value
            .parse()
            .with_context(|| format!("`{value}` is no number"))?;
        ensure!(value.is_finite() && value >= 0.0, "`{value}` is below 0");
        match name.as_str() {
            "--calls-per-minute" => setting.calls_per_minute = value,
            "--ttl" => setting.ttl = value,
            "--cache-seconds" => setting.cache_seconds = value,
            "--flush-seconds" => setting.flush_seconds = Some(value),
            "--lease" => setting.lease = Some(value.max(1.0)),
            "--sandboxes" => setting.sandboxes = value.max(1.0),
            "--memory" => function.memory = value.max(128.0),
            "--wait-ms" => function.wait = value,
            "--line-bytes" => function.line = value,
            other => bail!(
                "`{other}` is none of --calls-per-minute, --ttl, --cache-seconds, --flush-seconds, --lease, --sandboxes, --memory, --wait-ms, --line-bytes"
            ),
        }
    }
    print!("{}", single(&setting, &function, &node(&results)));
    Ok(())
}

//! Of `bench/run`: starts and calls through the runtime API, beside others.

use std::fmt::Write as _;

use serde_json::Value;

use crate::rows::{date, number, ratio, rows, word};

/// The tables of docs/performance.md.
pub fn performance(results: &Value) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write!(text, "\n{}\n", machine(results));
    let _ = write!(
        text,
        "\n## Starts\n\n| | init, ms | × constant | cold, ms | × constant | peak memory, MiB |\n|---|---|---|---|---|---|\n"
    );
    for row in rows(results, "starts") {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            word(row, "candidate"),
            number(row, "init_ms"),
            ratio(row, "init_ratio"),
            number(row, "cold_ms"),
            ratio(row, "cold_ratio"),
            number(row, "peak_mib")
        );
    }
    let _ = write!(
        text,
        "\n## Calls\n\n| | call | p50, µs | p90 | p99 | CPU, µs | × constant |\n|---|---|---|---|---|---|---|\n"
    );
    for row in rows(results, "calls_by_scenario") {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            word(row, "candidate"),
            word(row, "scenario"),
            number(row, "p50_us"),
            number(row, "p90_us"),
            number(row, "p99_us"),
            number(row, "cpu_us"),
            ratio(row, "ratio")
        );
    }
    let memory = results.get("memory").unwrap_or(&Value::Null);
    let _ = write!(
        text,
        "\n## Memory\n\nAfter {} different credentials, tokens, keys of the table and strange keys, all but the latter used twice: {} MiB at most, {} MiB at the start.\n\n",
        number(memory, "credentials"),
        number(memory, "peak_mib"),
        number(memory, "at_start_mib")
    );
    text
}

/// The table of the README.
pub fn readme(results: &Value) -> String {
    let mut text = String::from(
        "\n| | cold start | RS256, new token | same token | API key | mistyped key |\n|---|---|---|---|---|---|\n",
    );
    let shown = ["doorward", "Node, aws-jwt-verify", "Python, PyJWT"];
    let scenarios = [
        "RS256, each token new",
        "RS256, the same token",
        "API key, the same",
        "refused: a mistyped key",
    ];
    for name in shown {
        let start = rows(results, "starts").find(|row| word(row, "candidate") == name);
        let Some(start) = start else { continue };
        let _ = write!(text, "| {name} | {} ms", number(start, "cold_ms"));
        for scenario in scenarios {
            let row = rows(results, "calls_by_scenario")
                .find(|row| word(row, "candidate") == name && word(row, "scenario") == scenario);
            let shown = row.map_or_else(String::new, |row| number(row, "p50_us"));
            let _ = write!(text, " | {shown} µs");
        }
        text.push_str(" |\n");
    }
    text.push('\n');
    text
}

fn machine(results: &Value) -> String {
    let machine = results.get("machine").unwrap_or(&Value::Null);
    format!(
        "{}; Node {}; {}. {} runs of {} rounds of {} calls each, on {}.",
        crate::rows::machine(results),
        word(machine, "node"),
        word(machine, "python"),
        number(results, "runs"),
        number(results, "rounds"),
        number(results, "calls"),
        date(results),
    )
}

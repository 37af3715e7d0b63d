//! What is aimed at, and what came of it: every row of every command that measures.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    keys,
    numbers::rounded,
    rows::{date, rows, word},
};

/// The results that it is made of, in the order in which [`table`] takes them.
pub const RESULTS: &[&str] = &[
    "engine.json",
    "invocations.json",
    "scale.json",
    "size.json",
    "operations.json",
    "keys.json",
];

/// The most, or the least, that is to be.
#[derive(Clone, Copy)]
enum Aim {
    Most(f64),
    Least(f64),
}

/// One row.
struct Row {
    what: &'static str,
    aim: Aim,
    unit: &'static str,
    /// One for each run; the worst of them counts.
    found: Vec<f64>,
    /// When it was measured; empty where nobody knows.
    on: String,
}

impl Row {
    fn is_met(&self) -> bool {
        !self.found.is_empty()
            && self.found.iter().all(|found| match self.aim {
                Aim::Most(most) => *found <= most,
                Aim::Least(least) => *found >= least,
            })
    }

    fn written(&self) -> String {
        let (sign, aim) = match self.aim {
            Aim::Most(most) => ("≤", most),
            Aim::Least(least) => ("≥", least),
        };
        let found: Vec<String> = self.found.iter().map(ToString::to_string).collect();
        let met = if self.is_met() { "met" } else { "**missed**" };
        format!(
            "| {} | {sign} {aim} {unit} | {} {unit} | {met} | {} |",
            self.what,
            found.join(", "),
            self.on,
            unit = self.unit,
        )
    }
}

/// The table.
pub fn table(results: &[Value]) -> String {
    let mut text = String::from(
        "\n| what | to reach | measured, run by run | | on |\n|---|---|---|---|---|\n",
    );
    for row in all(results) {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}", row.written());
    }
    text.push('\n');
    text
}

fn all(results: &[Value]) -> Vec<Row> {
    let mut rows = of_calls(results);
    rows.extend(of_size_and_growth(results));
    rows
}

/// A row of what was `found` in `results`.
fn row(
    what: &'static str,
    aim: Aim,
    unit: &'static str,
    results: &Value,
    found: impl IntoIterator<Item = f64>,
) -> Row {
    Row {
        what,
        aim,
        unit,
        found: found.into_iter().collect(),
        on: date(results).to_owned(),
    }
}

fn of_calls(results: &[Value]) -> Vec<Row> {
    let of = |place| results.get(place).unwrap_or(&Value::Null);
    let (engine, calls, operations) = (of(0), of(1), of(4));
    let (new, same) = ("RS256, each token new", "RS256, the same token");
    let key = "API key, the same";
    vec![
        row(
            "RS256, first sight of a token, in the engine: × the bare signature check",
            Aim::Most(1.25),
            "×",
            engine,
            named(engine, "rows", "name", new, "/ratio/max"),
        ),
        row(
            "the same as a call: × faster than aws-jwt-verify on Node",
            Aim::Least(2.0),
            "×",
            calls,
            beside(calls, new),
        ),
        row(
            "a token seen before, in the engine",
            Aim::Most(2.0),
            "µs",
            engine,
            named(
                engine,
                "rows",
                "name",
                "RS256, a token seen before",
                "/median_us",
            ),
        ),
        row(
            "API key, cached, in the engine",
            Aim::Most(2.0),
            "µs",
            engine,
            named(engine, "rows", "name", "API key, cached", "/median_us"),
        ),
        row(
            "API key, not cached: reads of the table for each call, and nothing else",
            Aim::Most(1.0),
            "",
            operations,
            per_call(operations, "reads"),
        ),
        row(
            "a call with a new token: × a constant function",
            Aim::Most(1.3),
            "×",
            calls,
            runs(calls, new),
        ),
        row(
            "a call with a token seen before: × a constant function",
            Aim::Most(1.3),
            "×",
            calls,
            runs(calls, same),
        ),
        row(
            "a call with a cached key: × a constant function",
            Aim::Most(1.3),
            "×",
            calls,
            runs(calls, key),
        ),
        row(
            "cold start: × a constant function",
            Aim::Most(2.0),
            "×",
            calls,
            cold(calls, "doorward"),
        ),
        row(
            "cold start: × faster than Node with aws-jwt-verify and the DynamoDB client",
            Aim::Least(10.0),
            "×",
            calls,
            quotients(&cold(calls, NODE), &cold(calls, "doorward")),
        ),
    ]
}

fn of_size_and_growth(results: &[Value]) -> Vec<Row> {
    let of = |place| results.get(place).unwrap_or(&Value::Null);
    let (calls, scale, size) = (of(1), of(2), of(3));
    let (operations, table) = (of(4), of(5));
    vec![
        row(
            "zip of the authorizer",
            Aim::Most(5.0),
            "MB",
            size,
            zip(size),
        ),
        row(
            "memory after 100,000 different tokens and keys",
            Aim::Most(40.0),
            "MiB",
            calls,
            at(calls, "/memory/peak_mib"),
        ),
        row(
            "10,000 address ranges: × the time of 10",
            Aim::Most(2.0),
            "×",
            scale,
            growth(scale, "address ranges", 10_000.0),
        ),
        row(
            "5,000 routes: × the time of 10",
            Aim::Most(2.0),
            "×",
            scale,
            growth(scale, "routes", 5_000.0),
        ),
        row(
            "1,000,000 keys in the table: × the time of 1,000",
            Aim::Most(2.0),
            "×",
            table,
            keys::most(table, 1e6),
        ),
        row(
            "writes to the table for 1,000 authorised calls by a warm key, with leases of 200 and usage counted",
            Aim::Most(10.0),
            "",
            operations,
            at(operations, "/leased_writes"),
        ),
    ]
}

const NODE: &str = "Node, aws-jwt-verify";

fn at(results: &Value, place: &str) -> Vec<f64> {
    let found = results.pointer(place).and_then(Value::as_f64);
    found.into_iter().map(rounded).collect()
}

/// What stands at `place` in the row of the table `table` whose `by` is `name`.
fn named(results: &Value, table: &str, by: &str, name: &str, place: &str) -> Vec<f64> {
    let row = rows(results, table).find(|row| word(row, by) == name);
    row.map_or_else(Vec::new, |row| at(row, place))
}

fn numbers(list: Option<&Value>) -> Vec<f64> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect()
}

fn of_candidate(results: &Value, candidate: &str, scenario: &str) -> Vec<f64> {
    let row = rows(results, "calls_by_scenario")
        .find(|row| word(row, "candidate") == candidate && word(row, "scenario") == scenario);
    numbers(row.and_then(|row| row.pointer("/ratio/runs")))
}

/// Of calls of Doorward, beside the constant.
fn runs(results: &Value, scenario: &str) -> Vec<f64> {
    of_candidate(results, "doorward", scenario)
}

/// How many times as long calls of Node take.
fn beside(results: &Value, scenario: &str) -> Vec<f64> {
    quotients(
        &of_candidate(results, NODE, scenario),
        &runs(results, scenario),
    )
}

fn quotients(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| rounded(of / to)).collect()
}

/// Of cold starts, beside the constant.
fn cold(results: &Value, candidate: &str) -> Vec<f64> {
    let row = rows(results, "starts").find(|row| word(row, "candidate") == candidate);
    numbers(row.and_then(|row| row.pointer("/cold_ratio/runs")))
}

fn zip(results: &Value) -> Vec<f64> {
    let bytes = named(results, "binaries", "name", "authorizer", "/zipped");
    bytes
        .into_iter()
        .map(|bytes| rounded(bytes / 1e6))
        .collect()
}

/// The middle of the ratios of `size` of `series` to the smallest.
fn growth(results: &Value, series: &str, size: f64) -> Vec<f64> {
    let series = rows(results, "series").find(|one| word(one, "name") == series);
    let mut points = series.into_iter().flat_map(|series| rows(series, "points"));
    let point = points.find(|point| point.get("size").and_then(Value::as_f64) == Some(size));
    point.map_or_else(Vec::new, |point| at(point, "/ratio/median"))
}

/// How many operations of this kind each call costs where nothing is kept.
fn per_call(operations: &Value, kind: &str) -> Vec<f64> {
    let found = operations.pointer(&format!("/uncached/{kind}"));
    let found = found.and_then(Value::as_f64);
    let calls = operations.get("calls").and_then(Value::as_f64);
    found
        .zip(calls)
        .into_iter()
        .map(|(found, calls)| rounded(found / calls))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(aim: Aim, found: &[f64]) -> Row {
        Row {
            what: "w",
            aim,
            unit: "×",
            found: found.to_vec(),
            on: "2026-11-28".to_owned(),
        }
    }

    #[test]
    fn an_aim_is_met_only_where_every_run_meets_it() {
        assert!(row(Aim::Most(1.3), &[1.2, 1.3]).is_met());
        assert!(!row(Aim::Most(1.3), &[1.2, 1.31]).is_met());
        assert!(row(Aim::Least(2.0), &[2.0]).is_met());
        assert!(!row(Aim::Least(2.0), &[3.0, 1.9]).is_met());
        assert!(!row(Aim::Most(1.3), &[]).is_met());
        assert_eq!(
            row(Aim::Most(1.3), &[1.4]).written(),
            "| w | ≤ 1.3 × | 1.4 × | **missed** | 2026-11-28 |"
        );
    }

    #[test]
    fn every_row_has_a_number_and_a_date() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let results = RESULTS
            .iter()
            .map(|name| crate::results(&root, name).unwrap());
        for row in all(&results.collect::<Vec<_>>()) {
            assert!(!row.found.is_empty() && !row.on.is_empty(), "{}", row.what);
        }
    }
}

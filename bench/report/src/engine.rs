//! Of `bench/engine`: what a decision takes by itself.

use std::fmt::Write as _;

use serde_json::Value;

use crate::rows::{date, load, machine, number, ratio, rows, word};

/// What is aimed at, by row: the most times the bare signature, or the most microseconds.
const AIMS: &[(&str, Aim)] = &[
    ("RS256, each token new", Aim::Times(1.25)),
    ("RS256, a token seen before", Aim::Micros(2.0)),
    ("API key, cached", Aim::Micros(2.0)),
];

#[derive(Clone, Copy)]
enum Aim {
    Times(f64),
    Micros(f64),
}

/// The table.
pub fn table(results: &Value) -> String {
    let mut text = format!(
        "\n{}. Middle of {} runs, on {}{}.\n\n| | µs | × the bare signature | aim |\n|---|---|---|---|\n",
        machine(results),
        number(results, "runs"),
        date(results),
        load(results),
    );
    for row in rows(results, "rows") {
        let name = word(row, "name");
        let times = row
            .get("ratio")
            .map_or_else(String::new, |_| ratio(row, "ratio"));
        let aim = AIMS.iter().find(|(of, _)| *of == name);
        let aim = aim.map_or_else(String::new, |(_, aim)| judged(*aim, row));
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {times} | {aim} |",
            number(row, "median_us")
        );
    }
    text.push('\n');
    text
}

/// An aim, and whether it is met: also by the slowest run, where it is a ratio.
fn judged(aim: Aim, row: &Value) -> String {
    let found = |place: &str| row.pointer(place).and_then(Value::as_f64);
    let (aim, most, found) = match aim {
        Aim::Times(most) => (format!("≤ {most} ×"), most, found("/ratio/max")),
        Aim::Micros(most) => (format!("< {most} µs"), most, found("/median_us")),
    };
    let is_met = found.is_some_and(|found| found <= most);
    format!("{aim}: {}", if is_met { "met" } else { "missed" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_aim_counts_as_met_only_when_the_slowest_run_met_it() {
        let row = |max: f64| json!({"ratio": {"max": max}, "median_us": 1.0});
        assert!(judged(Aim::Times(1.25), &row(1.25)).ends_with(": met"));
        assert!(judged(Aim::Times(1.25), &row(1.26)).ends_with(": missed"));
        assert!(judged(Aim::Micros(2.0), &row(9.0)).ends_with(": met"));
        assert!(judged(Aim::Times(1.25), &json!({})).ends_with(": missed"));
    }
}

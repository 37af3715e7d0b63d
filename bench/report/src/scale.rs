//! Of the bin `scale`: what grows with what.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    plot::{Panel, panels},
    rows::{date, load, machine, number, ratio, rows, word},
};

/// The tables.
pub fn tables(results: &Value) -> String {
    let mut text = format!(
        "\n{}. {} rounds of {} calls of each size in turn, on {}{}.\n\n![curves of what stands below](growth.svg)\n",
        machine(results),
        number(results, "rounds"),
        number(results, "calls"),
        date(results),
        load(results),
    );
    for series in rows(results, "series") {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n| {} | µs ({}) | × the smallest |\n|---|---|---|\n",
            word(series, "name"),
            word(series, "call")
        );
        for point in rows(series, "points") {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                number(point, "size"),
                number(point, "us"),
                ratio(point, "ratio")
            );
        }
    }
    text.push_str("\n| different credentials | MiB of the process |\n|---|---|\n");
    for point in rows(results, "memory") {
        let _ = writeln!(
            text,
            "| {} | {} |",
            number(point, "credentials"),
            number(point, "mib")
        );
    }
    text.push('\n');
    text
}

/// The curves.
pub fn curves(results: &Value) -> String {
    let points = |all: &Value, name: &str, right: &str, up: &str| {
        let of = |row: &Value, name: &str| row.get(name).and_then(Value::as_f64);
        let points = rows(all, name).filter_map(|row| Some((of(row, right)?, of(row, up)?)));
        points.collect::<Vec<_>>()
    };
    let mut all: Vec<Panel> = rows(results, "series")
        .map(|series| Panel {
            title: format!("µs, {}", word(series, "call")),
            across: word(series, "name").to_owned(),
            points: points(series, "points", "size", "us"),
        })
        .collect();
    all.push(Panel {
        title: "MiB of the process".to_owned(),
        across: "different credentials".to_owned(),
        points: points(results, "memory", "credentials", "mib"),
    });
    panels(&all)
}

//! Of `bench/keys`: key administration on a table of few keys and on one of many.

use std::fmt::Write as _;

use serde_json::Value;

use crate::rows::{date, load, machine, number, ratio, rows, word};

/// The table.
pub fn table(results: &Value) -> String {
    let mut text = format!(
        "\n{}. {} rounds of {} times each on both tables in turn, on {}{}.\n\n\
         | operation | calls | {} keys, µs | {} keys, µs | × |\n|---|---|---|---|---|\n",
        machine(results),
        number(results, "rounds"),
        number(results, "times"),
        date(results),
        load(results),
        number(results, "few"),
        number(results, "many"),
    );
    for row in rows(results, "rows") {
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            word(row, "name"),
            number(row, "calls"),
            number(row, "few_us"),
            number(row, "many_us"),
            ratio(row, "ratio")
        );
    }
    text.push('\n');
    text
}

/// Of the operation that grew most, how many times as long it took with `many` keys; `None` where another count was measured.
pub(crate) fn most(results: &Value, many: f64) -> Option<f64> {
    let measured = results.get("many").and_then(Value::as_f64);
    let ratios = rows(results, "rows").map(|row| row.pointer("/ratio/median")?.as_f64());
    let all = ratios.collect::<Option<Vec<f64>>>()?;
    let most = all.into_iter().reduce(f64::max);
    most.filter(|_| measured == Some(many))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_operation_that_grew_most_counts() {
        let row = |ratio: f64| json!({"ratio": {"median": ratio, "max": 9.0}});
        let results = |rows: &[Value]| json!({"many": 20, "rows": rows});
        let three = results(&[row(1.1), row(1.9), row(0.8)]);
        assert_eq!(most(&three, 20.0), Some(1.9));
        assert_eq!(most(&three, 10.0), None, "another count");
        assert_eq!(most(&results(&[]), 20.0), None, "no operation");
        assert_eq!(
            most(&results(&[row(1.1), json!({})]), 20.0),
            None,
            "an operation without a number"
        );
    }
}

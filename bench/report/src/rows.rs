//! Reading results.

use serde_json::Value;

/// The rows of the table `name`.
pub(crate) fn rows<'a>(results: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let rows = results.get(name).and_then(Value::as_array);
    rows.into_iter().flatten()
}

/// A text; empty where there is none.
pub(crate) fn word<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number as text; empty where there is none.
pub(crate) fn number(row: &Value, name: &str) -> String {
    let number = row.get(name).and_then(Value::as_f64);
    number.map_or_else(String::new, shown)
}

/// Without a point where there is nothing behind it.
fn shown(number: f64) -> String {
    number.to_string()
}

/// The machine, in one sentence without an end.
pub(crate) fn machine(results: &Value) -> String {
    let machine = results.get("machine").unwrap_or(&Value::Null);
    format!(
        "{}, {} processors, Linux {}; {}",
        word(machine, "processor"),
        number(machine, "processors"),
        word(machine, "kernel"),
        word(machine, "rustc")
    )
}

/// The day of the measurement; empty where nobody knows.
pub(crate) fn date(results: &Value) -> &str {
    results
        .get("machine")
        .map_or("", |machine| word(machine, "date"))
}

/// How busy the machine was at the end, where that is known; what is far above 1 is not to be believed.
pub(crate) fn load(results: &Value) -> String {
    let load = results.get("load").and_then(Value::as_f64);
    load.map_or_else(String::new, |load| {
        format!(", with a load average of {load}")
    })
}

/// The middle, and the ends over all rounds.
pub(crate) fn ratio(row: &Value, name: &str) -> String {
    let of = |end: &str| {
        let found = row
            .get(name)
            .and_then(|ratio| ratio.get(end))
            .and_then(Value::as_f64);
        found.map_or_else(String::new, shown)
    };
    format!("{} ({}–{})", of("median"), of("min"), of("max"))
}

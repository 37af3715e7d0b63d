//! Of `bench/size`: what is in the binaries.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    numbers::rounded,
    rows::{date, number, rows, word},
};

/// The tables.
pub fn tables(results: &Value) -> String {
    let mut text = format!(
        "\nOn {}, x86_64, {}.\n",
        date(results),
        word(results.get("machine").unwrap_or(&Value::Null), "rustc")
    );
    for binary in rows(results, "binaries") {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n**{}**: {} bytes, {} as zip.\n\n| crate | KiB |\n|---|---|\n",
            word(binary, "name"),
            number(binary, "bytes"),
            number(binary, "zipped")
        );
        list(&mut text, binary, "crates");
        text.push_str("\n| section | KiB |\n|---|---|\n");
        list(&mut text, binary, "sections");
    }
    text.push('\n');
    text
}

fn list(text: &mut String, binary: &Value, name: &str) {
    for row in rows(binary, name) {
        let bytes = row.get("bytes").and_then(Value::as_f64);
        let kib = bytes.map_or_else(String::new, |bytes| rounded(bytes / 1024.0).to_string());
        let _ = writeln!(text, "| {} | {kib} |", word(row, "name"));
    }
}

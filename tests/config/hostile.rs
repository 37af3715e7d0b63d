//! Texts that no person wrote: reading them must end, with a verdict and without a panic.

use doorward_engine::config::{Config, secret_references};
use proptest::prelude::*;

use crate::support::{cases, env};

fn read(text: &str) {
    let _ = secret_references(text);
    match Config::read(text, "hostile", &env()) {
        Ok(checked) => {
            assert!(!checked.config.routes.routes().is_empty());
        }
        Err(faults) => {
            assert!(!faults.faults.is_empty());
            assert_eq!(faults.to_string().lines().count(), faults.faults.len());
        }
    }
}

#[test]
fn deep_and_strange_texts_are_refused() {
    let deep_table = format!("{}a = 1", "a.".repeat(100_000));
    let deep_list = format!("a = {}", "[".repeat(100_000));
    let deep_json = format!("{{\"a\": {}", "[".repeat(100_000));
    let deep_object = "{\"a\":".repeat(100_000);
    for text in [
        deep_table.as_str(),
        deep_list.as_str(),
        deep_json.as_str(),
        deep_object.as_str(),
        "",
        "{",
        "{}",
        "\u{feff}{}",
        "\u{feff}a = 1",
        "\0",
        "=",
        "[[routes]]\n[routes]\n[[routes]]",
        "[routes]\n[[routes]]",
        "routes.a.b = 1\nroutes.a = 2\n[routes.a]",
        "\"\" = 1\n\"a.b\".\"c[0]\" = 2\n'a\"b' = 3",
        "a = {b = 1, b.c = 2}\n[a]\n[a.b]",
    ] {
        read(text);
    }
}

fn mutated() -> impl Strategy<Value = String> {
    let texts: Vec<String> = cases("good").into_iter().map(|case| case.text).collect();
    let edit = (any::<prop::sample::Index>(), 0_usize..12, "[\\PC\n]{0,6}");
    (
        prop::sample::select(texts),
        prop::collection::vec(edit, 1..6),
    )
        .prop_map(|(text, edits)| {
            let mut chars: Vec<char> = text.chars().collect();
            for (place, length, insert) in edits {
                let start = place.index(chars.len() + 1);
                let end = (start + length).min(chars.len());
                chars.splice(start..end, insert.chars());
            }
            chars.into_iter().collect()
        })
}

fn shuffled() -> impl Strategy<Value = String> {
    let lines: Vec<String> = cases("good")
        .into_iter()
        .chain(cases("bad"))
        .flat_map(|case| case.text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    prop::collection::vec(prop::sample::select(lines), 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_text_never_panics(text in "[\\PC\n\t\r]{0,200}") {
        read(&text);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_good_file_with_random_edits_never_panics(text in mutated()) {
        read(&text);
    }

    #[test]
    fn known_lines_in_random_order_never_panic(text in shuffled()) {
        read(&text);
    }
}

//! Numbers for people.

use serde_json::{Value, json};

/// The middle one; 0 of none.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(sorted.len().div_euclid(2))
        .copied()
        .unwrap_or(0.0)
}

/// To three digits, as far as they say anything.
pub fn rounded(number: f64) -> f64 {
    let digits = if number >= 100.0 {
        0
    } else if number >= 10.0 {
        1
    } else {
        2
    };
    format!("{number:.digits$}").parse().unwrap_or(number)
}

/// The middle one and the ends.
pub fn spread(numbers: &[f64]) -> Value {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(0.0, f64::max);
    json!({"median": rounded(median(numbers)), "min": rounded(low), "max": rounded(high)})
}

//! Spans of time as people write them: `90s`, `15m`, `12h`, `30d`.

/// Reads a whole number with a unit: `s`, `m`, `h` or `d`; a number alone is seconds. A `-` in front makes it negative.
///
/// # Errors
/// One line that says what would be right.
pub fn seconds(text: &str) -> Result<i64, String> {
    let (digits, unit) = match text.strip_suffix(|c: char| c.is_ascii_alphabetic()) {
        Some(digits) => (digits, text.chars().last().unwrap_or('s')),
        None => (text, 's'),
    };
    let factor = match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    };
    let number: Option<i64> = digits.parse().ok();
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| {
            format!("`{text}` is not a span of time; write `90s`, `15m`, `12h` or `30d`")
        })
}

/// As [`seconds`], and not negative.
///
/// # Errors
/// One line that says what would be right.
pub fn not_negative(text: &str) -> Result<i64, String> {
    match seconds(text)? {
        negative if negative < 0 => Err(format!("`{text}` is negative")),
        seconds => Ok(seconds),
    }
}

/// `seconds` in the largest unit that leaves no rest.
pub fn shown(seconds: i64) -> String {
    for (factor, unit) in [(24 * 60 * 60, 'd'), (60 * 60, 'h'), (60, 'm')] {
        if seconds != 0 && seconds % factor == 0 {
            return format!("{}{unit}", seconds / factor);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_spans_of_time() {
        for (text, expected) in [
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("-5m", -300),
            ("0s", 0),
        ] {
            assert_eq!(seconds(text), Ok(expected));
            assert_eq!(shown(expected), text);
        }
        assert_eq!(seconds("60"), Ok(60));
    }

    #[test]
    fn refuses_what_is_no_span_of_time() {
        for text in [
            "",
            "s",
            "1w",
            "1 h",
            "1.5h",
            "h1",
            "99999999999999999d",
            "1mm",
        ] {
            assert!(seconds(text).unwrap_err().contains("15m"), "{text}");
        }
        assert!(not_negative("-1s").is_err());
    }
}

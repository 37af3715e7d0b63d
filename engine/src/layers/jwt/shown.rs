//! Values of a token as they may stand in a log line.

/// The longest value that is shown, in characters of the result.
const MAX_SHOWN: usize = 100;

/// `text` in backticks, with everything but printable ASCII escaped and with a bounded length: tokens are written by
/// strangers, and a look-alike letter in an issuer should be seen as such.
pub(in crate::layers) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_SHOWN) + 5);
    out.push('`');
    for character in text.chars() {
        let before = out.len();
        match character {
            '`' => out.push('\''),
            ' '..='~' => out.push(character),
            other => out.extend(other.escape_unicode()),
        }
        if out.len() > MAX_SHOWN {
            out.truncate(before);
            out.push_str("...");
            break;
        }
    }
    out.push('`');
    out
}

/// Several values, at most five of them.
pub(in crate::layers) fn shown_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 5;
    let mut texts = texts.into_iter();
    let mut list: Vec<String> = texts.by_ref().take(MOST).map(shown).collect();
    match texts.count() {
        0 => {}
        more => list.push(format!("{more} more")),
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_control_characters_and_no_look_alikes() {
        assert_eq!(shown("a\r\nb\0\u{1b}["), "`a\\u{d}\\u{a}b\\u{0}\\u{1b}[`");
        assert_eq!(shown("\u{430}cme"), "`\\u{430}cme`");
        assert_eq!(shown("a`b"), "`a'b`");
    }

    #[test]
    fn cuts_long_values() {
        let long = shown(&"x".repeat(5000));
        assert!(long.len() < 110, "{long}");
        assert!(long.ends_with("...`"));
    }

    #[test]
    fn counts_what_it_leaves_out() {
        assert_eq!(shown_all(["a", "b"]), "`a`, `b`");
        assert!(shown_all(["x"; 9]).ends_with(", 4 more"));
    }
}

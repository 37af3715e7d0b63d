//! Checks of single values that more than one part of the configuration uses.

use super::{faults::Faults, problems::Problem};

/// The most characters of a configured text that a message shows.
const SHOWN_CHARS: usize = 80;

/// The range of a number, and what it is when nothing is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) default: u32,
}

impl Limits {
    /// The number, or the default where none or a bad one is set.
    pub(crate) fn check(self, number: Option<i64>, path: &str, faults: &mut Faults) -> u32 {
        let Some(found) = number else {
            return self.default;
        };
        match u32::try_from(found) {
            Ok(number) if (self.min..=self.max).contains(&number) => number,
            _ => {
                let Self { min, max, .. } = self;
                faults.problem(path, Problem::OutOfRange { min, max, found });
                self.default
            }
        }
    }
}

/// A text of the configuration as a message may show it: without control characters, cut to a bound.
pub(crate) fn shown(text: &str) -> String {
    let escaped = text.chars().map(|c| {
        if c.is_control() || c == '`' {
            c.escape_unicode().to_string()
        } else {
            c.to_string()
        }
    });
    let mut shown: String = escaped.take(SHOWN_CHARS).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A message of somebody else's parser as one line.
pub(super) fn one_line(message: &str) -> String {
    let words = message.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>();
    line.join(" ")
}

/// `; did you mean ...?` with the nearest of `known`, or nothing.
pub(crate) fn hint<'k>(found: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(found, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The nearest of `known`, if one is near enough to be meant.
pub(super) fn nearest<'k>(
    found: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let folded = found.to_lowercase().replace('-', "_");
    let scored = known.into_iter().map(|word| {
        let likeness = strsim::jaro_winkler(&folded, &word.to_lowercase());
        let edits = strsim::osa_distance(&folded, &word.to_lowercase());
        (word, likeness, edits)
    });
    scored
        .filter(|&(word, likeness, edits)| {
            likeness > 0.84 || edits.saturating_mul(3) <= word.chars().count()
        })
        .max_by(|a, b| b.2.cmp(&a.2).then(a.1.total_cmp(&b.1)))
        .map(|(word, ..)| word)
}

/// The characters of a token (RFC 9110 section 5.6.2).
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether `text` is an HTTP token of a sensible length.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_token_byte)
}

/// The name of a header that may carry something, lower case. Headers with a meaning of their own are refused.
pub(crate) fn header(name: &str, path: &str, faults: &mut Faults) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let found = shown(name);
    if !is_token(name) {
        faults.problem(path, Problem::HeaderName { found });
        return None;
    }
    if matches!(lower.as_str(), "authorization" | "cookie" | "host") {
        faults.problem(path, Problem::HeaderTaken { found });
        return None;
    }
    Some(lower)
}

/// The name of a query parameter that needs no escaping (RFC 3986 section 2.3).
pub(crate) fn query_parameter(
    name: Option<String>,
    path: &str,
    faults: &mut Faults,
) -> Option<String> {
    let name = name?;
    let fits = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
    if !fits {
        let found = shown(&name);
        faults.problem(path, Problem::ParameterName { found });
        return None;
    }
    faults.warning(path, Problem::QueryCredential);
    Some(name)
}

/// The name of a cookie.
pub(super) fn cookie(name: Option<String>, path: &str, faults: &mut Faults) -> Option<String> {
    let name = name?;
    if is_token(&name) {
        return Some(name);
    }
    let found = shown(&name);
    faults.problem(path, Problem::CookieName { found });
    None
}

/// Refuses lists that hold a value twice.
pub(crate) fn distinct(values: &[String], path: &str, faults: &mut Faults) {
    let mut seen = std::collections::HashSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(value) {
            let value = shown(value);
            faults.problem(format!("{path}[{index}]"), Problem::Repeated { value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_at_what_was_meant_and_at_nothing_else() {
        let known = ["issuers", "routes", "api_keys", "audiences"];
        for (found, meant) in [
            ("issuer", Some("issuers")),
            ("route", Some("routes")),
            ("api-keys", Some("api_keys")),
            ("apikeys", Some("api_keys")),
            ("audience", Some("audiences")),
            ("Routes", Some("routes")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, known), meant, "{found}");
        }
    }

    #[test]
    fn shows_texts_without_control_characters_and_bounded() {
        assert_eq!(shown("a\nb\u{1b}[31m`"), "a\\u{a}b\\u{1b}[31m\\u{60}");
        assert_eq!(shown(&"x".repeat(200)).chars().count(), SHOWN_CHARS + 1);
    }
}

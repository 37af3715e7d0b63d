//! How long an answer says it is fresh (RFC 9111 section 4.2.1).

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

/// `max-age` less the time the answer has spent in caches on the way; 0 where storing is not wanted; `None` where nothing
/// is said, or nothing that can be read.
pub(super) fn max_age(headers: &HeaderMap) -> Option<u64> {
    let mut least: Option<u64> = None;
    for line in headers.get_all(CACHE_CONTROL) {
        let Ok(line) = line.to_str() else { continue };
        for directive in line.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => Some(0),
                "max-age" => seconds(value),
                _ => None,
            };
            // RFC 9111 section 4.2.1: of several values the least is safe.
            least = match (least, seconds) {
                (Some(known), Some(new)) => Some(known.min(new)),
                (known, new) => known.or(new),
            };
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok());
    let age = age.and_then(seconds).unwrap_or(0);
    least.map(|least| least.saturating_sub(age))
}

/// Digits, quoted or not; numbers beyond the range are very long times (RFC 9111 section 1.2.2).
fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim().trim_matches('"');
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[track_caller]
    fn check(headers: &[(HeaderName, &'static str)], expected: Option<u64>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.clone(), HeaderValue::from_static(value));
        }
        assert_eq!(max_age(&map), expected, "{headers:?}");
    }

    #[test]
    fn reads_what_is_said_about_freshness() {
        check(&[], None);
        check(&[(CACHE_CONTROL, "public, max-age=300")], Some(300));
        check(&[(CACHE_CONTROL, "Max-Age=\"60\"")], Some(60));
        check(&[(CACHE_CONTROL, "no-store")], Some(0));
        check(&[(CACHE_CONTROL, "max-age=300, no-cache")], Some(0));
        check(
            &[
                (CACHE_CONTROL, "max-age=300"),
                (CACHE_CONTROL, "max-age=20"),
            ],
            Some(20),
        );
        check(&[(CACHE_CONTROL, "s-maxage=9, public")], None);
    }

    #[test]
    fn takes_off_the_time_spent_in_caches() {
        check(&[(CACHE_CONTROL, "max-age=300"), (AGE, "100")], Some(200));
        check(&[(CACHE_CONTROL, "max-age=300"), (AGE, "400")], Some(0));
        check(&[(AGE, "400")], None);
    }

    #[test]
    fn survives_values_that_make_no_sense() {
        for value in ["max-age=", "max-age=-1", "max-age=x", "=", ",,,", "max-age"] {
            check(&[(CACHE_CONTROL, value)], None);
        }
        check(
            &[(CACHE_CONTROL, "max-age=99999999999999999999999")],
            Some(u64::MAX),
        );
    }
}

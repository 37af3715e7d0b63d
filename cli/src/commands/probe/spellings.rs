//! Other spellings of a path, and what is made of how they are answered.

use super::{
    Outcome,
    assumptions::Assumption,
    seen::{By, Seen},
};

/// The other spellings of `path` that an assumption is about, as they are sent.
pub(super) fn of(assumption: Assumption, path: &str) -> Vec<String> {
    let mut found = match assumption {
        Assumption::TrailingSlash => vec![format!("{}/", path.trim_end_matches('/'))],
        Assumption::EncodedLetter => encoded_letters(path),
        Assumption::EncodedSlash => encoded_slashes(path),
        Assumption::DoubledSlash => at_each_slash(path, |_| true, "//"),
        Assumption::OtherCase => vec![capitalised(path), path.to_ascii_uppercase()],
        _ => Vec::new(),
    };
    found.retain(|spelled| spelled != path);
    found.dedup();
    found
}

/// What the answers say together. What reaches no route is refused as well, but nobody was asked, and it says nothing of the policy.
pub(super) fn judged(answers: &[(String, Seen)]) -> Outcome {
    let said = |of: &dyn Fn(&Seen) -> bool| {
        let those = answers.iter().filter(|(_, seen)| of(seen));
        let shown = those.map(|(path, seen)| format!("`{path}` {}", seen.shown()));
        shown.collect::<Vec<_>>().join(", ")
    };
    let is_in = |seen: &Seen| seen.by == By::Backend;
    if answers.is_empty() {
        Outcome::NotTried("the path has no other spelling of this kind".to_owned())
    } else if answers.iter().any(|(_, seen)| is_in(seen)) {
        Outcome::Differs(said(&is_in))
    } else if answers.iter().any(|(_, seen)| seen.is_refused()) {
        Outcome::AsAssumed(said(&|_| true))
    } else {
        Outcome::NotTried(format!("{}: the policy was not asked", said(&|_| true)))
    }
}

/// With its first and its last letter encoded (RFC 3986 section 2.1), one at a time.
fn encoded_letters(path: &str) -> Vec<String> {
    let is_letter = |(_, letter): &(usize, char)| letter.is_ascii_alphabetic();
    let first = path.char_indices().find(is_letter);
    let last = path.char_indices().rfind(is_letter);
    let encoded = |(at, letter): (usize, char)| {
        let (before, rest) = path.split_at_checked(at)?;
        let (_, after) = rest.split_at_checked(1)?;
        Some(format!("{before}%{:02X}{after}", u32::from(letter)))
    };
    first.into_iter().chain(last).filter_map(encoded).collect()
}

/// With one slash encoded: each but the first, and one more at the end.
fn encoded_slashes(path: &str) -> Vec<String> {
    let mut found = at_each_slash(path, |at| at > 0, "%2F");
    found.push(format!("{path}%2F"));
    found
}

/// With each slash that `counts` replaced by `other`, one at a time.
fn at_each_slash(path: &str, counts: fn(usize) -> bool, other: &str) -> Vec<String> {
    let slashes = path.match_indices('/').filter(|(at, _)| counts(*at));
    let replaced = slashes.filter_map(|(at, slash)| {
        let (before, rest) = path.split_at_checked(at)?;
        Some(format!("{before}{other}{}", rest.strip_prefix(slash)?))
    });
    replaced.collect()
}

/// With the first letter of its last segment in upper case.
fn capitalised(path: &str) -> String {
    let (before, last) = path.rsplit_once('/').unwrap_or_default();
    let mut letters = last.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let first = first.map(String::from).unwrap_or_default();
    format!("{before}/{first}{}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    #[test]
    fn every_place_of_a_path_is_spelled_otherwise() {
        for (assumption, path, spelled) in [
            (Assumption::TrailingSlash, "/a/b", &["/a/b/"][..]),
            (Assumption::TrailingSlash, "/a/", &[]),
            (Assumption::EncodedLetter, "/a/b1", &["/%61/b1", "/a/%621"]),
            (Assumption::EncodedLetter, "/a", &["/%61"]),
            (Assumption::EncodedLetter, "/1", &[]),
            (
                Assumption::EncodedSlash,
                "/a/b/c",
                &["/a%2Fb/c", "/a/b%2Fc", "/a/b/c%2F"],
            ),
            (Assumption::DoubledSlash, "/a/b", &["//a/b", "/a//b"]),
            (Assumption::OtherCase, "/a/bc", &["/a/Bc", "/A/BC"]),
            (Assumption::OtherCase, "/a", &["/A"]),
            (Assumption::OtherCase, "/1", &[]),
            (Assumption::Refused, "/a", &[]),
        ] {
            assert_eq!(of(assumption, path), spelled, "{assumption:?} {path}");
        }
    }

    #[test]
    fn one_spelling_that_is_let_in_outweighs_the_others() {
        let seen = |status, body: &str| Seen::new(status, HeaderMap::new(), body.as_bytes());
        let answers = |those: &[Seen]| -> Vec<_> {
            let named = those.iter().map(|seen| ("/x".to_owned(), seen.clone()));
            named.collect()
        };
        let policy = seen(403, r#"{"message":"Forbidden"}"#);
        let nowhere = seen(403, r#"{"message":"Missing Authentication Token"}"#);
        let inside = seen(404, "no such page");
        let judged = |those: &[Seen]| judged(&answers(those));
        assert!(
            matches!(judged(&[policy.clone(), inside, nowhere.clone()]), Outcome::Differs(seen) if seen == "`/x` 404")
        );
        assert!(matches!(
            judged(&[nowhere.clone(), policy]),
            Outcome::AsAssumed(_)
        ));
        assert!(
            matches!(judged(&[nowhere]), Outcome::NotTried(why) if why.ends_with("the policy was not asked"))
        );
        assert!(matches!(judged(&[]), Outcome::NotTried(_)));
    }
}

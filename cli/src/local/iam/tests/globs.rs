//! `*` and `?` against a plain model.

use super::super::glob;

/// The twenty-line model of `*` and `?`: slow, and plain enough to be believed.
fn model(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            model(&pattern[1..], text) || (!text.is_empty() && model(pattern, &text[1..]))
        }
        (Some('?'), Some(_)) => model(&pattern[1..], &text[1..]),
        (Some(wanted), Some(found)) => wanted == found && model(&pattern[1..], &text[1..]),
        _ => false,
    }
}

proptest::proptest! {
    #[test]
    fn globs_agree_with_the_model(pattern in "[ab/é*?]{0,10}", text in "[ab/é*?]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = model(&chars(&pattern), &chars(&text));
        proptest::prop_assert_eq!(glob::matches(&pattern, &text), expected);
    }
}

#[test]
fn a_hostile_pattern_does_not_explode() {
    let pattern = "*a".repeat(250) + "b";
    assert!(!glob::matches(&pattern, &"a".repeat(1600)));
}

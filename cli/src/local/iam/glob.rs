//! `*` and `?`, as IAM reads them.

/// Whether `pattern` covers the whole of `text`: `*` any run of characters, `?` exactly one.
///
/// Only the last star is ever moved, so the work is bounded by the product of both lengths whatever the pattern; with the
/// 512 characters of a resource and the 1,600 bytes of a method ARN that is under a million steps.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // What follows the last star, and the text that the star has not taken yet.
    let mut last_star = None;
    loop {
        let unread = text.clone();
        let fits = match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                text = unread.clone();
                last_star = Some((pattern.clone(), unread));
                true
            }
            (Some('?'), Some(_)) => true,
            (Some(wanted), Some(found)) => wanted == found,
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        if fits {
            continue;
        }
        let Some((after_star, mut rest)) = last_star else {
            return false;
        };
        rest.next();
        pattern = after_star.clone();
        text = rest.clone();
        last_star = Some((after_star, rest));
    }
}

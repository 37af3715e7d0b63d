//! The builder's own reading of a policy, to check that what it wrote allows what was asked.

use super::{Condition, Effect, Policy, resources::Text, rights};

/// Whether `policy` lets `resource` pass for whoever meets `held`.
pub(super) fn allows(policy: &Policy, resource: &str, held: &Condition) -> bool {
    let resource = Text::of(resource);
    let mut allowed = false;
    for statement in policy.statements() {
        match statement.effect {
            Effect::Allow => {
                allowed |= rights::implies(held, &statement.condition)
                    && statement.resources.cover(resource);
            }
            Effect::Deny => {
                if !rights::spares(&statement.condition, held)
                    && statement.resources.cover(resource)
                {
                    return false;
                }
            }
        }
    }
    allowed
}

/// Whether `glob` covers `text`: `*` any run of characters, `?` exactly one (AWS: IAM JSON policy elements, Resource).
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let mut glob = glob.chars();
    let mut text = text.chars();
    // Where to go back to: behind the last `*`, and the text it has not taken yet.
    let mut back = None;
    loop {
        let (glob_before, text_before) = (glob.clone(), text.clone());
        match (glob.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = text_before;
                back = Some((glob.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            (_, None) if glob_before.as_str().is_empty() => return true,
            _ => {
                let Some((after_star, mut rest)) = back.take() else {
                    return false;
                };
                if rest.next().is_none() {
                    return false;
                }
                glob = after_star.clone();
                text = rest.clone();
                back = Some((after_star, rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_globs_as_iam_does() {
        for (glob, text, expected) in [
            ("GET/orders", "GET/orders", true),
            ("GET/orders", "GET/orders/", false),
            ("GET/?*", "GET/", false),
            ("GET/?*", "GET/a/b", true),
            ("GET/?*/b", "GET/a/x/b", true),
            ("GET/?*/b", "GET/a/x/bc", false),
            ("GET/?*/b", "GET//b", false),
            ("*;*", "GET/a;b", true),
            ("*", "", true),
            ("", "", true),
            ("?", "", false),
            ("a*b*c", "abxbc", true),
            ("a*b*c", "abxb", false),
            ("GET/é?", "GET/éü", true),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
    }
}

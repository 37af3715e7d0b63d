//! What keeps routes from standing in one table.

use super::{METHODS, Methods, Route, Segment, Template, tree::MAX_SEGMENTS};
use crate::request::path::is_plain;

/// Why routes cannot stand in one table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Two routes answer the same requests.
    #[error("`{second}` answers the same requests as `{first}`: leave out one of them")]
    Repeated {
        /// The key of the route that stands first.
        first: String,
        /// The key of the other.
        second: String,
    },
    /// A literal that no normal path can have, or that would be a wildcard or a variable in an IAM policy.
    #[error(
        "`{route}` holds the segment `{literal}`, which no path can match: use letters, digits and plain punctuation"
    )]
    Literal {
        /// The key of the route.
        route: String,
        /// The segment.
        literal: String,
    },
    /// A template with too many segments.
    #[error("`{route}` has more than {MAX_SEGMENTS} segments: shorten it")]
    Depth {
        /// The key of the route.
        route: String,
    },
    /// A greedy segment that is not the last, or a method that is none of [`METHODS`].
    #[error("`{route}` is not a method and a template")]
    Malformed {
        /// The key of the route.
        route: String,
    },
}

/// Checks one route for itself.
pub(super) fn check(route: &Route, methods: &Methods, template: &Template) -> Result<(), Conflict> {
    let route = || route.key.clone();
    if template.segments.len() > MAX_SEGMENTS {
        return Err(Conflict::Depth { route: route() });
    }
    let known = |name: &str| METHODS.contains(&name);
    let before_end = template
        .segments
        .split_last()
        .map_or(&[][..], |(_, rest)| rest);
    if matches!(methods, Methods::One(name) if !known(name))
        || before_end.iter().any(|s| matches!(s, Segment::Greedy(_)))
    {
        return Err(Conflict::Malformed { route: route() });
    }
    for segment in &template.segments {
        if let Segment::Literal(text) = segment
            && !is_literal(text)
        {
            return Err(Conflict::Literal {
                route: route(),
                literal: text.clone(),
            });
        }
    }
    Ok(())
}

/// Whether a segment of a normal path can have this text, and an IAM resource can hold it: `*` is a wildcard there and `${`
/// begins a variable.
fn is_literal(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|byte| is_plain(byte) && !matches!(byte, b'*' | b'$'))
}

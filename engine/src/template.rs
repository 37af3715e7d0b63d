//! Reading and writing path templates in the syntax of API Gateway.
//!
//! A template is refused where it could be read in two ways, or where it could widen an IAM resource: `*` and `?` are
//! IAM wildcards, `${` begins an IAM policy variable, and escapes, dot segments and path parameters are normalised or
//! refused before matching (RFC 3986 sections 3.3 and 6.2.2), so that a literal holding them would never match.

use std::{collections::BTreeSet, fmt};

use crate::routes::{MAX_SEGMENTS, Segment, Template};

impl Template {
    /// Reads a template such as `/orders/{id}` or `/files/{path+}`.
    ///
    /// # Errors
    /// Says what is wrong and what would be right, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err("a path must begin with `/`".to_owned());
        };
        if rest.is_empty() {
            return Ok(Self { segments: vec![] });
        }
        let parts: Vec<&str> = rest.split('/').collect();
        if parts.len() > MAX_SEGMENTS {
            return Err(format!("a path must have at most {MAX_SEGMENTS} segments"));
        }
        let mut names = BTreeSet::new();
        let mut segments = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let is_last = index.saturating_add(1) == parts.len();
            let segment = segment(part, is_last)?;
            if let Segment::Param(name) | Segment::Greedy(name) = &segment
                && !names.insert(name.clone())
            {
                return Err(format!("the parameter `{name}` stands there twice"));
            }
            segments.push(segment);
        }
        Ok(Self { segments })
    }

    /// The template with its parameter names left out. Templates of one shape match the same paths.
    pub fn shape(&self) -> String {
        if self.segments.is_empty() {
            return "/".to_owned();
        }
        let parts = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Param(_) => "/{}".to_owned(),
            Segment::Greedy(_) => "/{+}".to_owned(),
        });
        parts.collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(f, "/{text}"),
            Segment::Param(name) => write!(f, "/{{{name}}}"),
            Segment::Greedy(name) => write!(f, "/{{{name}+}}"),
        })
    }
}

fn segment(part: &str, is_last: bool) -> Result<Segment, String> {
    if part.is_empty() {
        return Err("a path must not end in `/` or hold `//`".to_owned());
    }
    if let Some(inner) = part.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        return parameter(part, inner, is_last);
    }
    if part.contains(['{', '}']) {
        return Err(format!(
            "a parameter must be a whole segment, such as `/{{id}}/`, found `{part}`"
        ));
    }
    if matches!(part, "." | "..") {
        return Err(format!("a path must not hold the dot segment `{part}`"));
    }
    match part.chars().find(|&c| !is_literal(c)) {
        Some(c) => Err(format!("a path must not hold `{}`", c.escape_default())),
        None => Ok(Segment::Literal(part.to_owned())),
    }
}

fn parameter(part: &str, inner: &str, is_last: bool) -> Result<Segment, String> {
    let (name, is_greedy) = match inner.strip_suffix('+') {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fits {
        return Err(format!(
            "a parameter must be named in letters, digits and `_`, found `{part}`"
        ));
    }
    match (is_greedy, is_last) {
        (true, false) => Err(format!(
            "`{part}` takes all that follows and must be the last segment"
        )),
        (true, true) => Ok(Segment::Greedy(name.to_owned())),
        (false, _) => Ok(Segment::Param(name.to_owned())),
    }
}

/// The characters of a segment (RFC 3986 section 3.3, `pchar`) without escapes and without those that mean something
/// to IAM (`*`, `$`) or to servers that read path parameters (`;`).
const fn is_literal(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            '-' | '.' | '_' | '~' | '!' | '&' | '\'' | '(' | ')' | '+' | ',' | '=' | ':' | '@'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_templates() {
        for text in [
            "/",
            "/orders",
            "/orders/{id}",
            "/files/{path+}",
            "/a/{b}/c/{d_1}",
            "/v1.0/a-b~c:d@e",
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn refuses_templates_that_are_ambiguous_or_widen_a_policy() {
        for (text, says) in [
            ("", "begin with"),
            ("orders", "begin with"),
            ("/orders/", "end in"),
            ("//orders", "hold `//`"),
            ("/a//b", "hold `//`"),
            ("/a/../b", "dot segment"),
            ("/./b", "dot segment"),
            ("/a*", "hold `*`"),
            ("/a?b", "hold `?`"),
            ("/${aws:userid}", "whole segment"),
            ("/$default", "hold `$`"),
            ("/a%2fb", "hold `%`"),
            ("/a;b=c", "hold `;`"),
            ("/a\\b", "hold `\\\\`"),
            ("/a\nb", "hold `\\n`"),
            ("/a b", "hold ` `"),
            ("/caf\u{e9}", "hold `\\u{e9}`"),
            ("/{id}s", "whole segment"),
            ("/x{id}", "whole segment"),
            ("/{}", "letters, digits"),
            ("/{+}", "letters, digits"),
            ("/{a-b}", "letters, digits"),
            ("/{path+}/x", "last segment"),
            ("/{id}/x/{id}", "twice"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn refuses_paths_of_too_many_segments() {
        assert!(Template::parse(&"/a".repeat(MAX_SEGMENTS)).is_ok());
        let error = Template::parse(&"/a".repeat(MAX_SEGMENTS + 1)).unwrap_err();
        assert!(error.contains("at most 100 segments"), "{error}");
    }

    #[test]
    fn templates_of_one_shape_differ_in_names_only() {
        let shape = |text| Template::parse(text).unwrap().shape();
        assert_eq!(shape("/a/{b}"), shape("/a/{c}"));
        assert_ne!(shape("/a/{b}"), shape("/a/{b+}"));
        assert_ne!(shape("/a/{b}"), shape("/a/b"));
    }
}

//! What a statement covers, in a form that many answers can share.

use std::{
    ops::{Deref, Range},
    sync::{Arc, OnceLock},
};

use serde_json::value::{RawValue, to_raw_value};

use super::glob;

/// The resources of a statement, without the ARN before them. A copy costs nothing, and what was written once for an ARN is
/// kept.
#[derive(Clone, Debug)]
pub struct Resources(Arc<Held>);

#[derive(Debug)]
struct Held {
    globs: Vec<String>,
    /// Where the first bytes of each stand that are no wildcard: a text that it covers has them too.
    literals: Vec<Range<usize>>,
    /// The ARN that it was written for first, and how.
    written: OnceLock<(String, Arc<RawValue>)>,
}

impl Resources {
    /// Whether one of them covers `text`, which stands behind the ARN too.
    pub(super) fn cover(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let may = |glob: &str, literal: &Range<usize>| {
            let wanted = glob.as_bytes().get(literal.clone()).unwrap_or_default();
            match wanted {
                [] => true,
                _ if literal.start == 0 => bytes.starts_with(wanted),
                [first, ..] => {
                    let mut places = bytes.windows(wanted.len());
                    places.any(|place| place.first() == Some(first) && place == wanted)
                }
            }
        };
        let mut globs = self.0.globs.iter().zip(&self.0.literals);
        globs.any(|(glob, literal)| may(glob, literal) && glob::matches(glob, text))
    }

    /// The JSON array of these resources behind `arn_prefix`, which is the ARN up to the stage.
    pub fn to_json(&self, arn_prefix: &str) -> Arc<RawValue> {
        let written = &self.0.written;
        let (prefix, json) = written.get_or_init(|| (arn_prefix.to_owned(), self.json(arn_prefix)));
        if prefix == arn_prefix {
            Arc::clone(json)
        } else {
            self.json(arn_prefix)
        }
    }

    fn json(&self, arn_prefix: &str) -> Arc<RawValue> {
        let arns = self.iter().map(|glob| format!("{arn_prefix}/{glob}"));
        // A list of texts can be written; `null` would be a policy that the gateway refuses.
        let json = to_raw_value(&arns.collect::<Vec<_>>());
        json.unwrap_or_default().into()
    }
}

impl Deref for Resources {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0.globs
    }
}

impl From<Vec<String>> for Resources {
    fn from(globs: Vec<String>) -> Self {
        let is_wildcard = |byte: &u8| matches!(byte, b'*' | b'?');
        let literal = |glob: &String| {
            let bytes = glob.as_bytes();
            let start = bytes.iter().take_while(|byte| is_wildcard(byte)).count();
            let run = bytes
                .iter()
                .skip(start)
                .take_while(|byte| !is_wildcard(byte));
            start..start.saturating_add(run.count())
        };
        Self(Arc::new(Held {
            literals: globs.iter().map(literal).collect(),
            globs,
            written: OnceLock::new(),
        }))
    }
}

impl FromIterator<String> for Resources {
    fn from_iter<I: IntoIterator<Item = String>>(globs: I) -> Self {
        Vec::from_iter(globs).into()
    }
}

impl PartialEq for Resources {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Resources {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cover_what_one_of_them_matches() {
        let resources = Resources::from(vec![
            "GET/a".to_owned(),
            "GET/é/?*/b".to_owned(),
            "*;;*".to_owned(),
            "?é".to_owned(),
        ]);
        for (text, expected) in [
            ("GET/a", true),
            ("GET/a/", false),
            ("GET/é/x/b", true),
            ("GET/é//b", false),
            ("GET/e/x/b", false),
            ("", false),
            ("a;b;;", true),
            ("a;b;", false),
            (";", false),
            ("xé", true),
            ("xyé", false),
        ] {
            assert_eq!(resources.cover(text), expected, "{text}");
        }
        assert!(Resources::from(vec!["*".to_owned()]).cover(""));
        assert!(!Resources::from(vec![]).cover(""));
    }

    #[test]
    fn writes_arns_for_each_stage_and_keeps_the_first() {
        let resources = Resources::from(vec!["GET/a\"b".to_owned(), "GET/?*".to_owned()]);
        for _ in 0..2 {
            assert_eq!(
                resources.to_json("arn:x/prod").get(),
                r#"["arn:x/prod/GET/a\"b","arn:x/prod/GET/?*"]"#
            );
            assert_eq!(
                resources.to_json("arn:x/dev").get(),
                r#"["arn:x/dev/GET/a\"b","arn:x/dev/GET/?*"]"#
            );
        }
    }
}

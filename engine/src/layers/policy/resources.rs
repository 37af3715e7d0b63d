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
    /// What a text must have that each of them covers.
    needs: Vec<Needs>,
    /// The ARN that it was written for first, and how.
    written: OnceLock<(String, Arc<RawValue>)>,
}

/// What tells most texts apart from a glob before it is read as one.
#[derive(Debug)]
struct Needs {
    /// The bytes that it has.
    bytes: Bytes,
    /// Where its first bytes stand that are no wildcard.
    literal: Range<usize>,
}

impl Needs {
    fn of(glob: &str) -> Self {
        let is_wildcard = |byte: &u8| matches!(byte, b'*' | b'?');
        let bytes = glob.as_bytes();
        let start = bytes.iter().take_while(|byte| is_wildcard(byte)).count();
        let run = bytes
            .iter()
            .skip(start)
            .take_while(|byte| !is_wildcard(byte));
        Self {
            bytes: Bytes::of(bytes.iter().filter(|byte| !is_wildcard(byte))),
            literal: start..start.saturating_add(run.count()),
        }
    }

    /// Whether `glob`, whose needs these are, covers `held`.
    fn cover(&self, glob: &str, held: Text<'_>) -> bool {
        if !self.bytes.are_among(held.bytes) {
            return false;
        }
        let literal = glob.get(self.literal.clone()).unwrap_or_default();
        if self.literal.start == 0 {
            // What stands before the first wildcard is compared once.
            let rest = held.text.strip_prefix(literal);
            let glob = glob.get(self.literal.end..).unwrap_or_default();
            return rest.is_some_and(|rest| glob::matches(glob, rest));
        }
        held.text.contains(literal) && glob::matches(glob, held.text)
    }
}

/// A set of bytes, in which those that differ in the highest bit alone are the same.
#[derive(Clone, Copy, Debug)]
struct Bytes(u128);

impl Bytes {
    fn of<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> Self {
        let bits = bytes.into_iter().map(|byte| 1 << (byte & 0x7f));
        Self(bits.fold(0, |all: u128, bit: u128| all | bit))
    }

    const fn are_among(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }
}

/// A text that is held against globs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    text: &'a str,
    bytes: Bytes,
}

impl<'a> Text<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            text,
            bytes: Bytes::of(text.as_bytes()),
        }
    }
}

impl Resources {
    /// Whether one of them covers `text`, which stands behind the ARN too.
    pub(super) fn cover(&self, text: Text<'_>) -> bool {
        let mut globs = self.0.globs.iter().zip(&self.0.needs);
        globs.any(|(glob, needs)| needs.cover(glob, text))
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
        Self(Arc::new(Held {
            needs: globs.iter().map(|glob| Needs::of(glob)).collect(),
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
            assert_eq!(resources.cover(Text::of(text)), expected, "{text}");
        }
        assert!(Resources::from(vec!["*".to_owned()]).cover(Text::of("")));
        assert!(!Resources::from(vec![]).cover(Text::of("")));
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

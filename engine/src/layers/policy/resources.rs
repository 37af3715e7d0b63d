//! What a statement covers, in a form that many answers can share.

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde_json::value::{RawValue, to_raw_value};

/// The resources of a statement, without the ARN before them. A copy costs nothing, and what was written once for an ARN is
/// kept.
#[derive(Clone, Debug)]
pub struct Resources(Arc<Held>);

#[derive(Debug)]
struct Held {
    globs: Vec<String>,
    /// The ARN that it was written for first, and how.
    written: OnceLock<(String, Arc<RawValue>)>,
}

impl Resources {
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

//! An `OpenAPI` document as a tree, in the order in which it was written. JSON and YAML end in the same tree.

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::ImportError;

/// A value of the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Doc {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Doc>),
    Map(Vec<(String, Doc)>),
}

/// The longest chain of references that is followed.
const MAX_REFERENCES: usize = 16;

impl Doc {
    /// Reads a document: JSON when the first character that is not white space is `{`, YAML otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, ImportError> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| ImportError::Syntax {
                language: "JSON",
                message: error.to_string(),
            });
        }
        let syntax = |message| ImportError::Syntax {
            language: "YAML",
            message,
        };
        let documents = Yaml::load_from_str(text).map_err(|error| syntax(error.to_string()))?;
        match documents.as_slice() {
            [document] => Ok(Self::of(document)),
            [] => Err(syntax("the text is empty".to_owned())),
            _ => Err(syntax("the text holds more than one document".to_owned())),
        }
    }

    fn of(yaml: &Yaml<'_>) -> Self {
        match yaml {
            Yaml::Value(Scalar::Boolean(flag)) => Self::Flag(*flag),
            Yaml::Value(Scalar::Integer(number)) => {
                // Only small numbers are looked at, such as the version of the specification.
                i32::try_from(*number).map_or(Self::Null, |number| Self::Number(number.into()))
            }
            Yaml::Value(Scalar::FloatingPoint(number)) => Self::Number(number.0),
            Yaml::Value(Scalar::String(text)) => Self::Text(text.to_string()),
            Yaml::Sequence(items) => Self::List(items.iter().map(Self::of).collect()),
            Yaml::Mapping(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| (Self::of(key).key(), Self::of(value)));
                Self::Map(pairs.collect())
            }
            Yaml::Tagged(_, inner) => Self::of(inner),
            Yaml::Value(Scalar::Null)
            | Yaml::Representation(..)
            | Yaml::Alias(_)
            | Yaml::BadValue => Self::Null,
        }
    }

    /// A value as the name of a member: YAML reads `200:` as a number.
    fn key(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Null | Self::List(_) | Self::Map(_) => String::new(),
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let mut members = self.members();
        members.find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &(String, Self)> {
        let pairs = match self {
            Self::Map(pairs) => pairs.as_slice(),
            _ => &[],
        };
        pairs.iter()
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `value`, or what it refers to in this document; `None` when the reference leads nowhere or out of it.
    pub(super) fn resolve<'d>(&'d self, value: &'d Self) -> Option<&'d Self> {
        let mut value = value;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.member("$ref") else {
                return Some(value);
            };
            let steps = reference.text()?.strip_prefix("#/")?.split('/');
            value = steps
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .try_fold(self, |at, step| at.member(&step))?;
        }
        None
    }
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Doc;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Doc, E> {
        Ok(Doc::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Doc, E> {
        Ok(Doc::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Doc, E> {
        Ok(i32::try_from(number).map_or(Doc::Null, |number| Doc::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Doc, E> {
        Ok(i32::try_from(number).map_or(Doc::Null, |number| Doc::Number(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Doc, E> {
        Ok(Doc::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Doc, E> {
        Ok(Doc::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Doc, A::Error> {
        let mut list = vec![];
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Doc::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Doc, A::Error> {
        let mut map = vec![];
        while let Some(member) = members.next_entry()? {
            map.push(member);
        }
        Ok(Doc::Map(map))
    }
}

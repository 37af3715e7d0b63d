//! JSON as tokens and key sets may use it: no repeated member at any depth (RFC 7515 section 4, RFC 7519 section 4),
//! bounded depth, an object and nothing after it.
//!
//! The maps of `serde_json` keep the last of two members without a word, so that two readers of one token can see two
//! different tokens. This reader refuses such text.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep objects and lists may lie in each other.
pub(in crate::layers) const MAX_DEPTH: usize = 32;

/// Room for the claims of most tokens.
const USUAL_CLAIMS: usize = 16;

/// One JSON value; text without escapes is borrowed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(serde_json::Number),
    /// Text.
    Text(Cow<'t, str>),
    /// A list.
    List(Vec<Value<'t>>),
    /// An object.
    Object(Object<'t>),
}

/// An object with every member once, in the order of the text. Tokens have few members: looking through a list is faster
/// than any map.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'t>(Vec<(Cow<'t, str>, Value<'t>)>);

impl<'t> Object<'t> {
    /// Reads a document: white space around the object is allowed (RFC 8259 section 2).
    pub(crate) fn document(text: &'t [u8]) -> Result<Self, String> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = Strict { depth: 0 }
            .deserialize(&mut reader)
            .and_then(|value| reader.end().map(|()| value))
            .map_err(|error| error.to_string())?;
        match value {
            Value::Object(object) => Ok(object),
            _ => Err("not a JSON object".to_owned()),
        }
    }

    /// Reads a part of a token: the object is all there is.
    pub(crate) fn token_part(text: &'t [u8]) -> Result<Self, String> {
        match text {
            [b'{', .., b'}'] => Self::document(text),
            _ => Err("not a JSON object, or something stands around it".to_owned()),
        }
    }

    /// The member called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'t>> {
        self.0
            .iter()
            .find_map(|(member, value)| (member == name).then_some(value))
    }

    /// The names of all members, in the order of the text.
    pub(in crate::layers) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    /// Whether there is a member called `name`, whatever its value.
    pub(in crate::layers) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Value<'_> {
    /// What kind of value it is, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text, if it is text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one value that lies `depth` levels deep.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'t> DeserializeSeed<'t> for Strict {
    type Value = Value<'t>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Value<'t>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Strict {
    type Value = Value<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'t>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'t>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'t>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'t>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'t>, E> {
        serde_json::Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<Value<'t>, E> {
        Ok(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'t>, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Value<'t>, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Value<'t>, A::Error> {
        let inner = self.inner()?;
        let mut members = Vec::with_capacity(if self.depth == 0 { USUAL_CLAIMS } else { 0 });
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(inner)?));
        }
        if has_repeated(&members) {
            return Err(A::Error::custom("a member is repeated"));
        }
        Ok(Value::Object(Object(members)))
    }
}

/// Whether two members have the same name. Many members are compared by their hashes, so that an object of thousands costs
/// no square of it.
fn has_repeated(members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    const FEW: usize = 24;
    if members.len() > FEW {
        let mut seen = HashSet::with_capacity(members.len());
        return !members.iter().all(|(name, _)| seen.insert(name.as_ref()));
    }
    members.iter().enumerate().any(|(index, (name, _))| {
        let mut earlier = members.iter().take(index);
        earlier.any(|(other, _)| other == name)
    })
}

/// Reads the name of a member.
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<Cow<'t, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, value: &'t str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'t, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn refuses(text: &str, why: &str) {
        let error = Object::token_part(text.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }

    #[test]
    fn refuses_repeated_members_at_any_depth() {
        refuses(r#"{"iss":"a","iss":"b"}"#, "repeated");
        refuses(r#"{"iss":"a","i\u0073s":"a"}"#, "repeated");
        refuses(r#"{"a":{"b":[{"c":1,"c":1}]}}"#, "repeated");
    }

    #[test]
    fn refuses_a_repeated_member_among_many() {
        for count in [2, 23, 24, 25, 26, 1000] {
            let members = |names: &[usize]| {
                let members: Vec<String> = names.iter().map(|n| format!("\"m{n}\":1")).collect();
                format!("{{{}}}", members.join(","))
            };
            let mut names: Vec<usize> = (0..count).collect();
            assert!(Object::token_part(members(&names).as_bytes()).is_ok());
            for (from, to) in [(0, count - 1), (count - 2, count - 1)] {
                names[to] = from;
                refuses(&members(&names), "repeated");
            }
        }
    }

    #[test]
    fn refuses_what_stands_around_the_object() {
        for text in [
            r#"{"a":1} "#,
            r#" {"a":1}"#,
            "\u{feff}{\"a\":1}",
            r#"{"a":1}{"a":1}"#,
            r#"{"a":1},{}"#,
            "[]",
            "[{}]",
            "1",
            "null",
            r#""{}""#,
            "",
            "{",
            "}",
        ] {
            assert!(Object::token_part(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Object::document(b" {\"a\":1}\n").is_ok());
        assert!(Object::document(b"{\"a\":1} x}").is_err());
    }

    #[test]
    fn refuses_json_that_is_not_strict() {
        for text in [
            r#"{"a":1,}"#,
            "{'a':1}",
            "{a:1}",
            r#"{"a":01}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":1e999}"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":1/*x*/}"#,
        ] {
            assert!(Object::token_part(text.as_bytes()).is_err(), "{text}");
        }
        assert!(
            Object::token_part(b"{\"a\":\"\xff\"}").is_err(),
            "not UTF-8"
        );
    }

    #[test]
    fn refuses_depth_beyond_the_bound() {
        let nested = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(Object::token_part(nested(MAX_DEPTH).as_bytes()).is_ok());
        refuses(&nested(MAX_DEPTH + 1), "deeper");
        refuses(
            &format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000)),
            "deeper",
        );
    }

    #[test]
    fn reads_numbers_as_numbers_whatever_features_are_on() {
        let object = Object::token_part(br#"{"i":-1,"u":18446744073709551615,"f":1.5}"#).unwrap();
        for name in ["i", "u", "f"] {
            assert!(matches!(object.get(name), Some(Value::Number(_))), "{name}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_reader_where_no_member_repeats(members in prop::collection::btree_map(".*", ".*", 0..20)) {
            let text = serde_json::to_string(&members).unwrap();
            let object = Object::token_part(text.as_bytes()).unwrap();
            for (name, value) in &members {
                prop_assert_eq!(object.get(name).and_then(Value::as_text), Some(value.as_str()));
            }
        }

        #[test]
        fn never_panics(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Object::document(&text);
        }
    }
}

//! JSON in which no member is given twice. The usual reading keeps the last of two in silence (RFC 8259 section 4), and two
//! readers of one request must not see two requests.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON value, and whether any object in it names a member twice.
#[derive(Clone, Debug)]
pub(crate) struct Strict {
    pub(crate) value: Value,
    pub(crate) is_ambiguous: bool,
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut is_ambiguous = false;
        let value = Tree(&mut is_ambiguous).deserialize(deserializer)?;
        Ok(Self {
            value,
            is_ambiguous,
        })
    }
}

/// Up to here every whole number is one of its own in double precision: 2^53 - 1.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

struct Tree<'flag>(&'flag mut bool);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // A number has one meaning, however it is written (RFC 8259 section 6): `7.0` is 7.
        let whole = value.fract() == 0.0 && value.abs() <= MAX_EXACT;
        let read = whole.then(|| format!("{value:.0}").parse::<i64>().ok());
        Ok(read
            .flatten()
            .map_or_else(|| Value::from(value), Value::from))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Tree(self.0))?;
            *self.0 |= object.insert(name, value).is_some();
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Strict {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_member_given_twice_at_any_depth_is_seen() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"x":[{"a":1,"b":2,"a":3}]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert!(read(text).is_ambiguous, "{text}");
        }
        let plain = r#"{"a":[1,-1,1.5,null,true,"x",{"a":{}}],"A":{}}"#;
        let strict = read(plain);
        assert!(!strict.is_ambiguous);
        assert_eq!(strict.value, serde_json::from_str::<Value>(plain).unwrap());
        let numbers = read("[7.0, -7e0, -0.0, 4503599627370496.0, 0.5, 1e300]").value;
        assert_eq!(numbers.to_string(), "[7,-7,0,4503599627370496,0.5,1e+300]");
    }
}

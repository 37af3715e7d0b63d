//! Conditions: which operators on which keys must hold (*IAM JSON policy elements: Condition operators*).

mod operator;
mod value;

use serde_json::Value;

use self::{
    operator::{Base, Operator},
    value::Test,
};
use super::{Facts, Malformed, document};

/// All conditions of a statement; every one must hold.
#[derive(Debug, Default)]
pub(super) struct Conditions(Vec<Condition>);

/// One operator on one key.
#[derive(Debug)]
struct Condition {
    operator: Operator,
    key: Key,
    tests: Vec<Test>,
}

/// The keys that a request without IAM identity carries. Names ignore letter case (*IAM JSON policy elements: Condition*).
#[derive(Debug)]
enum Key {
    CurrentTime,
    EpochTime,
    SourceIp,
    SecureTransport,
    UserAgent,
    Referer,
    /// A key that no request here carries.
    Foreign,
}

impl Conditions {
    pub(super) fn read(value: &Value, place: &str) -> Result<Self, Malformed> {
        let mut conditions = Vec::new();
        for (name, keys) in document::object(value, place)? {
            let place = format!("{place}.{name}");
            let operator = Operator::read(name, &place)?;
            let keys = document::object(keys, &place)?;
            if keys.is_empty() {
                return Err(Malformed::new(place, "names no key"));
            }
            for (name, values) in keys {
                let place = format!("{place}.{name}");
                conditions.push(Condition::read(operator, name, values, &place)?);
            }
        }
        Ok(Self(conditions))
    }

    pub(super) fn hold(&self, facts: &Facts) -> bool {
        self.0.iter().all(|condition| condition.holds(facts))
    }
}

impl Condition {
    fn read(
        operator: Operator,
        name: &str,
        values: &Value,
        place: &str,
    ) -> Result<Self, Malformed> {
        let key = Key::read(name, place)?;
        if !key.suits(operator.base) {
            return Err(Malformed::new(
                place,
                "the operator cannot be used with this key",
            ));
        }
        let values = match values {
            Value::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        if values.is_empty() {
            return Err(Malformed::new(place, "empty"));
        }
        let tests = values
            .iter()
            .map(|value| Test::read(operator.base, value, place))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            operator,
            key,
            tests,
        })
    }

    fn holds(&self, facts: &Facts) -> bool {
        let found = self.key.of(facts);
        if self.operator.base == Base::Null {
            return self
                .tests
                .iter()
                .any(|test| test.is_null_test_for(found.is_none()));
        }
        let Some(found) = found else {
            return self.operator.if_exists || self.operator.negated;
        };
        self.operator.negated != self.tests.iter().any(|test| test.matches(&found))
    }
}

impl Key {
    fn read(name: &str, place: &str) -> Result<Self, Malformed> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "aws:currenttime" => Self::CurrentTime,
            "aws:epochtime" => Self::EpochTime,
            "aws:sourceip" => Self::SourceIp,
            "aws:securetransport" => Self::SecureTransport,
            "aws:useragent" => Self::UserAgent,
            "aws:referer" => Self::Referer,
            other if other.contains(':') => Self::Foreign,
            _ => return Err(Malformed::new(place, "not the name of a condition key")),
        })
    }

    /// Whether the values of this key can be of the operator's type (*AWS global condition context keys*).
    const fn suits(&self, base: Base) -> bool {
        match base {
            Base::Null | Base::String { .. } => true,
            Base::Number(_) => matches!(self, Self::EpochTime | Self::Foreign),
            Base::Date(_) => matches!(self, Self::CurrentTime | Self::EpochTime | Self::Foreign),
            Base::Bool => matches!(self, Self::SecureTransport | Self::Foreign),
            Base::Address => matches!(self, Self::SourceIp | Self::Foreign),
        }
    }

    /// The value that the request carries, as text.
    fn of(&self, facts: &Facts) -> Option<String> {
        match self {
            Self::CurrentTime => value::iso_8601(facts.now),
            Self::EpochTime => Some(facts.now.unix().to_string()),
            Self::SourceIp => facts.source_ip.map(|ip| ip.to_canonical().to_string()),
            Self::SecureTransport => Some(facts.secure_transport.to_string()),
            Self::UserAgent => facts.user_agent.clone(),
            Self::Referer => facts.referer.clone(),
            Self::Foreign => None,
        }
    }
}

//! The names of condition operators.

use std::cmp::Ordering;

use super::Malformed;

/// An operator, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator {
    pub(super) base: Base,
    /// `...Not...`: holds when no value matches, and when the key is missing.
    pub(super) negated: bool,
    /// `...IfExists`: holds when the key is missing.
    pub(super) if_exists: bool,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    String { like: bool, ignore_case: bool },
    Number(Comparison),
    Date(Comparison),
    Bool,
    Address,
    Null,
}

/// How the value of the request must stand to the value of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Operator {
    pub(super) fn read(name: &str, place: &str) -> Result<Self, Malformed> {
        if name.starts_with("ForAnyValue:") || name.starts_with("ForAllValues:") {
            return Err(Malformed::new(
                place,
                "set operators are for keys with several values, which requests here do not carry",
            ));
        }
        let (plain, if_exists) = match name.strip_suffix("IfExists") {
            // *IfExists* cannot be used with `Null` (*IAM JSON policy elements: Condition operators*).
            Some("Null") | None => (name, false),
            Some(plain) => (plain, true),
        };
        let (base, negated) = base(plain)
            .ok_or_else(|| Malformed::new(place, "not a condition operator that is supported"))?;
        Ok(Self {
            base,
            negated,
            if_exists,
        })
    }
}

fn base(name: &str) -> Option<(Base, bool)> {
    let text = |like, ignore_case| Base::String { like, ignore_case };
    Some(match name {
        "StringEquals" => (text(false, false), false),
        "StringNotEquals" => (text(false, false), true),
        "StringEqualsIgnoreCase" => (text(false, true), false),
        "StringNotEqualsIgnoreCase" => (text(false, true), true),
        "StringLike" => (text(true, false), false),
        "StringNotLike" => (text(true, false), true),
        "Bool" => (Base::Bool, false),
        "IpAddress" => (Base::Address, false),
        "NotIpAddress" => (Base::Address, true),
        "Null" => (Base::Null, false),
        _ => {
            let (kind, comparison): (fn(Comparison) -> Base, _) = match name.strip_prefix("Numeric")
            {
                Some(comparison) => (Base::Number, comparison),
                None => (Base::Date, name.strip_prefix("Date")?),
            };
            let (comparison, negated) = match comparison {
                "Equals" => (Comparison::Equal, false),
                "NotEquals" => (Comparison::Equal, true),
                "LessThan" => (Comparison::Less, false),
                "LessThanEquals" => (Comparison::LessOrEqual, false),
                "GreaterThan" => (Comparison::Greater, false),
                "GreaterThanEquals" => (Comparison::GreaterOrEqual, false),
                _ => return None,
            };
            (kind(comparison), negated)
        }
    })
}

//! The document: version, statements, and what each covers (IAM User Guide, *IAM JSON policy element reference*).

use serde_json::{Map, Value};

use super::{Facts, Malformed, condition::Conditions, glob, resource::Pattern};

/// A whole policy, checked.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

/// One statement, checked.
#[derive(Debug)]
pub(super) struct Statement {
    deny: bool,
    actions: Selection<String>,
    resources: Selection<Pattern>,
    conditions: Conditions,
}

/// What an element names, or all but that.
#[derive(Debug)]
enum Selection<T> {
    /// `Action`, `Resource`.
    Only(Vec<T>),
    /// `NotAction`, `NotResource`.
    AllBut(Vec<T>),
}

impl<T> Selection<T> {
    fn covers(&self, matches: impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Only(named) => named.iter().any(matches),
            Self::AllBut(named) => !named.iter().any(matches),
        }
    }
}

impl Document {
    pub(super) fn read(policy: &Value) -> Result<Self, Malformed> {
        let root = object(policy, "policy")?;
        known_members(root, &["Version", "Id", "Statement"], "policy")?;
        match root.get("Version").map(Value::as_str) {
            None | Some(Some("2012-10-17" | "2008-10-17")) => {}
            Some(_) => {
                return Err(Malformed::new(
                    "Version",
                    "neither 2012-10-17 nor 2008-10-17",
                ));
            }
        }
        let statements = match root.get("Statement") {
            None => return Err(Malformed::new("policy", "`Statement` is missing")),
            Some(Value::Array(list)) if list.is_empty() => {
                return Err(Malformed::new("Statement", "empty"));
            }
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(index, value)| Statement::read(value, &format!("Statement[{index}]")))
                .collect::<Result<_, _>>()?,
            Some(single) => vec![Statement::read(single, "Statement")?],
        };
        Ok(Self { statements })
    }
}

impl Statement {
    fn read(value: &Value, place: &str) -> Result<Self, Malformed> {
        let members = object(value, place)?;
        let known = [
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        known_members(members, &known, place)?;
        // Case matters here (*IAM JSON policy elements: Effect*).
        let deny = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => false,
            Some("Deny") => true,
            _ => {
                return Err(Malformed::new(
                    format!("{place}.Effect"),
                    "neither `Allow` nor `Deny`",
                ));
            }
        };
        Ok(Self {
            deny,
            actions: selection(members, ["Action", "NotAction"], place, read_action)?,
            resources: selection(members, ["Resource", "NotResource"], place, Pattern::read)?,
            conditions: match members.get("Condition") {
                None => Conditions::default(),
                Some(value) => Conditions::read(value, &format!("{place}.Condition"))?,
            },
        })
    }

    pub(super) const fn denies(&self) -> bool {
        self.deny
    }

    pub(super) fn covers(&self, action: &str, resource: &str, facts: &Facts) -> bool {
        let action = action.to_ascii_lowercase();
        self.actions.covers(|named| glob::matches(named, &action))
            && self.resources.covers(|pattern| pattern.covers(resource))
            && self.conditions.hold(facts)
    }
}

/// `*`, or a service and an action, either with wildcards, in any letter case (*IAM JSON policy elements: Action*).
fn read_action(text: &str, place: &str) -> Result<String, Malformed> {
    let fits = text == "*"
        || text
            .split_once(':')
            .is_some_and(|(service, action)| !service.is_empty() && !action.is_empty());
    if fits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Malformed::new(
            place,
            format!("`{text}` is not `service:Action`"),
        ))
    }
}

fn selection<T>(
    members: &Map<String, Value>,
    [only, all_but]: [&str; 2],
    place: &str,
    read: impl Fn(&str, &str) -> Result<T, Malformed>,
) -> Result<Selection<T>, Malformed> {
    let read_all = |value, name: &str| {
        let place = format!("{place}.{name}");
        texts(value, &place)?
            .into_iter()
            .map(|text| read(text, &place))
            .collect::<Result<Vec<T>, _>>()
    };
    match (members.get(only), members.get(all_but)) {
        (Some(value), None) => Ok(Selection::Only(read_all(value, only)?)),
        (None, Some(value)) => Ok(Selection::AllBut(read_all(value, all_but)?)),
        _ => Err(Malformed::new(
            place,
            format!("needs either `{only}` or `{all_but}`"),
        )),
    }
}

/// One text or a list of texts, none of which holds a policy variable.
fn texts<'a>(value: &'a Value, place: &str) -> Result<Vec<&'a str>, Malformed> {
    let values = match value {
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    if values.is_empty() {
        return Err(Malformed::new(place, "empty"));
    }
    values
        .iter()
        .map(|value| {
            let text = value
                .as_str()
                .ok_or_else(|| Malformed::new(place, "neither a text nor a list of texts"))?;
            no_variables(text, place).map(|()| text)
        })
        .collect()
}

/// Refuses policy variables (*IAM policy elements: Variables and tags*).
pub(super) fn no_variables(text: &str, place: &str) -> Result<(), Malformed> {
    if text.contains("${") {
        return Err(Malformed::new(
            place,
            format!("`{text}` holds a policy variable, which is not supported"),
        ));
    }
    Ok(())
}

pub(super) fn object<'a>(
    value: &'a Value,
    place: &str,
) -> Result<&'a Map<String, Value>, Malformed> {
    value
        .as_object()
        .ok_or_else(|| Malformed::new(place, "not an object"))
}

fn known_members(
    members: &Map<String, Value>,
    known: &[&str],
    place: &str,
) -> Result<(), Malformed> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Malformed::new(
            place,
            format!("`{name}` does not belong here"),
        )),
    }
}

//! The fields of a request: from the path, the query, the body and headers to a command.

use serde_json::{Map, Value, json};

use super::{
    Asked, plain,
    table::{Header, Kind, Parameter, Route, Takes},
};
use crate::{
    command::Command,
    error::AdminError,
    lambda::{shape, unambiguous},
    strict_json::Strict,
};

/// The longest body that is read, in bytes: a hundred keys with all that a key can have.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The command, and whether it has a precondition.
pub(super) fn read(
    route: &'static Route,
    asked: &Asked<'_>,
) -> Result<(Command, bool), AdminError> {
    let mut members = match &route.takes {
        Takes::Query(parameters) => query(asked, parameters)?,
        Takes::Body { .. } => {
            if !asked.query()?.is_empty() {
                let message = "this route takes no query parameters; send them in the body";
                return Err(AdminError::invalid("", message));
            }
            body(asked)?
        }
    };
    if route.takes_header(Header::IdempotencyKey)
        && let Some(key) = asked.header(Header::IdempotencyKey.name())?
    {
        idempotency_key(key, &mut members)?;
    }
    let mut is_conditional = false;
    if route.takes_header(Header::IfMatch)
        && let Some(tags) = asked.header(Header::IfMatch.name())?
    {
        is_conditional = true;
        precondition(tags, &mut members)?;
    }
    for name in route.in_path() {
        put(&mut members, name, asked.in_path(name))?;
    }
    put(&mut members, "operation", json!(route.operation))?;
    let command = serde_json::from_value(Value::Object(members));
    let command = command.map_err(|error| fault(&shape(&error)))?;
    Ok((command, is_conditional))
}

/// The fault that a reader of JSON told. A field that is missing is one of ours; any other name may be anything, and stays out of
/// the log.
fn fault(told: &str) -> AdminError {
    let missing = told.strip_prefix("missing field `");
    match missing.and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => AdminError::invalid(field, "is missing"),
        None => AdminError::invalid("", told),
    }
}

/// Sets a member that comes from the route; one of that name in the request is refused.
fn put(members: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), AdminError> {
    if members.contains_key(name) {
        let message = "comes from the path and must not be given again";
        return Err(AdminError::invalid(name, message));
    }
    members.insert(name.to_owned(), value);
    Ok(())
}

fn body(asked: &Asked<'_>) -> Result<Map<String, Value>, AdminError> {
    let (body, is_binary) = asked.body();
    if is_binary {
        let message = "the body is taken as binary; send it with `Content-Type: application/json`";
        return Err(AdminError::invalid("", message));
    }
    let text = match body {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::String(text)) if text.len() <= MAX_BODY => text,
        Some(_) => {
            let message = format!("the body must be text of at most {MAX_BODY} bytes");
            return Err(AdminError::invalid("", message));
        }
    };
    if text.is_empty() {
        return Ok(Map::new());
    }
    let read: Strict = serde_json::from_str(text).map_err(|error| {
        let message = format!("the body is not JSON: {}", shape(&error));
        AdminError::invalid("", message)
    })?;
    match unambiguous(read)? {
        Value::Object(members) => Ok(members),
        _ => Err(AdminError::invalid("", "the body must be a JSON object")),
    }
}

fn query(
    asked: &Asked<'_>,
    parameters: &'static [Parameter],
) -> Result<Map<String, Value>, AdminError> {
    let mut members = asked.query()?;
    for (name, value) in &mut members {
        let Some(parameter) = parameters.iter().find(|known| known.name == name) else {
            let known: Vec<_> = parameters.iter().map(|known| known.name).collect();
            let message = match known.as_slice() {
                [] => "is no parameter; this route takes none".to_owned(),
                known => format!(
                    "is no parameter of this route; there are `{}`",
                    known.join("`, `")
                ),
            };
            return Err(AdminError::invalid(&plain(name), message));
        };
        let text = value.as_str().unwrap_or_default();
        // No sign and no white space: one number has one spelling here.
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        *value = match (parameter.kind, text) {
            (Kind::Text, _) => continue,
            (Kind::Number, digits) => match digits.parse::<i64>() {
                Ok(number) if is_number => json!(number),
                _ => return Err(AdminError::invalid(name, "is not a whole number")),
            },
            (Kind::Flag, "true") => json!(true),
            (Kind::Flag, "false") => json!(false),
            (Kind::Flag, _) => {
                return Err(AdminError::invalid(name, "is neither `true` nor `false`"));
            }
        };
    }
    Ok(members)
}

fn idempotency_key(key: &str, members: &mut Map<String, Value>) -> Result<(), AdminError> {
    let given = members.insert("idempotencyKey".to_owned(), json!(key));
    if given.is_some_and(|given| !given.is_null() && given != key) {
        let message = "is given twice, and not the same";
        return Err(AdminError::invalid("idempotencyKey", message));
    }
    Ok(())
}

/// `*` wants any version; else one strong tag, for the comparison is the strong one (RFC 9110 section 13.1.1).
fn precondition(tags: &str, members: &mut Map<String, Value>) -> Result<(), AdminError> {
    if members
        .get("expectedVersion")
        .is_some_and(|given| !given.is_null())
    {
        let message = "is given as `If-Match` too; give one of them";
        return Err(AdminError::invalid("expectedVersion", message));
    }
    if tags.trim() == "*" {
        return Ok(());
    }
    // A list without a tag names no version, so none fits.
    if tags.trim().is_empty() {
        let message = "the header `if-match` names no version";
        return Err(AdminError::PreconditionFailed(message.to_owned()));
    }
    let digits = tags
        .trim()
        .strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'));
    let digits = digits.filter(|tag| tag.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(version) = digits.and_then(|tag| tag.parse::<u64>().ok()) else {
        let message =
            "the header `if-match` is neither `*` nor the `ETag` of an answer, such as `\"7\"`";
        return Err(AdminError::invalid("expectedVersion", message));
    };
    members.insert("expectedVersion".to_owned(), json!(version));
    Ok(())
}

//! Events of a REST API, and the answers to them
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>).
//!
//! | route | command |
//! |---|---|
//! | `POST /keys` | create |
//! | `GET /keys?tenant=…&limit=…&cursor=…` | list |
//! | `GET /keys/{id}` | get |
//! | `GET /keys/{id}/audit?limit=…&cursor=…` | audit |
//! | `GET /keys/{id}/usage?from=…&to=…&by=…` | usage |
//! | `PATCH /keys/{id}` | update |
//! | `DELETE /keys/{id}` | delete |
//! | `POST /keys/verify` | verify |
//! | `GET /audit?tenant=…&action=…&actor=…&from=…&to=…` | the changes of a tenant |
//! | `POST /keys/{id}/rotate`, `/disable`, `/enable`, `/revoke` | the same |
//!
//! The route is taken from `resource`, which the gateway fills from its own configuration, not from the path. A header
//! `Idempotency-Key` is the same as `idempotencyKey` in the body.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{shape, unambiguous};
use crate::{caller::Caller, command::Command, error::AdminError, strict_json::Strict};

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The IAM principal that the gateway names.
pub(super) fn caller(event: &Value) -> Result<Caller, AdminError> {
    let principal = event
        .pointer("/requestContext/identity/userArn")
        .and_then(Value::as_str)
        .filter(|arn| arn.starts_with("arn:"));
    match principal {
        Some(arn) => Ok(Caller::operator(arn)),
        None => Err(AdminError::Forbidden(
            "the gateway names no IAM principal; this API needs IAM authorization".to_owned(),
        )),
    }
}

/// What the event asks for.
pub(super) fn command(event: &Value) -> Result<Command, AdminError> {
    let method = event.get("httpMethod").and_then(Value::as_str);
    let resource = event.get("resource").and_then(Value::as_str);
    let operation = match (method, resource) {
        (Some("POST"), Some("/keys")) => "create",
        (Some("GET"), Some("/keys")) => "list",
        (Some("GET"), Some("/keys/{id}")) => "get",
        (Some("GET"), Some("/keys/{id}/audit")) => "audit",
        (Some("GET"), Some("/keys/{id}/usage")) => "usage",
        (Some("POST"), Some("/keys/{id}/rotate")) => "rotate",
        (Some("POST"), Some("/keys/{id}/disable")) => "disable",
        (Some("POST"), Some("/keys/{id}/enable")) => "enable",
        (Some("POST"), Some("/keys/{id}/revoke")) => "revoke",
        (Some("PATCH"), Some("/keys/{id}")) => "update",
        (Some("DELETE"), Some("/keys/{id}")) => "delete",
        (Some("POST"), Some("/keys/verify")) => "verify",
        (Some("GET"), Some("/audit")) => "auditOfTenant",
        _ => return Err(AdminError::NotFound("such route".to_owned())),
    };
    let mut members = if method == Some("GET") {
        query(event)?
    } else {
        if has_members(event, "queryStringParameters") {
            let message = "this route takes no query parameters; send them in the body";
            return Err(AdminError::invalid("", message));
        }
        body(event)?
    };
    if matches!(operation, "create" | "rotate") {
        idempotency_header(event, &mut members)?;
    }
    if !matches!(operation, "create" | "list" | "verify" | "auditOfTenant") {
        let id = event.pointer("/pathParameters/id").cloned();
        put(&mut members, "id", id.unwrap_or(Value::Null))?;
    }
    put(&mut members, "operation", json!(operation))?;
    typed(Value::Object(members))
}

/// The answer to what came of it.
pub(super) fn response(outcome: Result<Value, AdminError>, makes: bool) -> Value {
    let (status, body) = match outcome {
        Ok(reply) => {
            // A repeat made nothing.
            let created = makes && reply.get("secret").is_some();
            (if created { 201 } else { 200 }, reply)
        }
        Err(error) => {
            let told = serde_json::to_value(error.for_caller());
            (status_of(&error), told.unwrap_or(Value::Null))
        }
    };
    let mut headers = json!({"content-type": "application/json", "cache-control": "no-store"});
    if status == 503
        && let Some(headers) = headers.as_object_mut()
    {
        headers.insert("retry-after".to_owned(), json!("1"));
    }
    json!({
        "statusCode": status,
        "headers": headers,
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

/// RFC 9110 section 15.
const fn status_of(error: &AdminError) -> u16 {
    match error {
        AdminError::Invalid(_) => 400,
        AdminError::Forbidden(_) => 403,
        AdminError::NotFound(_) => 404,
        AdminError::Refused(_) | AdminError::Conflict(_) | AdminError::IdempotencyKeyUsed => 409,
        AdminError::Corrupt(_) => 500,
        AdminError::Unavailable(_) => 503,
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, AdminError> {
    serde_json::from_value(value).map_err(|error| AdminError::invalid("", shape(&error)))
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

fn body(event: &Value) -> Result<Map<String, Value>, AdminError> {
    if event.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        let message = "the body is taken as binary; send it with `Content-Type: application/json`";
        return Err(AdminError::invalid("", message));
    }
    let text = match event.get("body") {
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

/// The query parameters. One that is given twice is refused: nobody knows which was meant.
fn query(event: &Value) -> Result<Map<String, Value>, AdminError> {
    if let Some(Value::Object(all)) = event.get("multiValueQueryStringParameters") {
        for (name, values) in all {
            if values.as_array().is_some_and(|values| values.len() > 1) {
                return Err(AdminError::invalid(&plain(name), "is given more than once"));
            }
        }
    }
    let Some(Value::Object(given)) = event.get("queryStringParameters") else {
        return Ok(Map::new());
    };
    let mut members = given.clone();
    for name in ["limit", "from", "to"] {
        let Some(value) = members.get_mut(name) else {
            continue;
        };
        // No sign and no white space: one number has one spelling here.
        let digits = value
            .as_str()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|text| text.parse::<i64>().ok()) {
            Some(number) => *value = json!(number),
            None => return Err(AdminError::invalid(name, "is not a whole number")),
        }
    }
    Ok(members)
}

fn idempotency_header(event: &Value, members: &mut Map<String, Value>) -> Result<(), AdminError> {
    let Some(Value::Object(headers)) = event.get("headers") else {
        return Ok(());
    };
    // Names of headers have no case (RFC 9110 section 5.1).
    let mut named = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"))
        .map(|(_, value)| value);
    let Some(value) = named.next() else {
        return Ok(());
    };
    let given = members.get("idempotencyKey");
    if named.next().is_some() || given.is_some_and(|given| given != value) {
        let message = "is given twice, and not the same";
        return Err(AdminError::invalid("idempotencyKey", message));
    }
    members.insert("idempotencyKey".to_owned(), value.clone());
    Ok(())
}

fn has_members(event: &Value, name: &str) -> bool {
    event
        .get(name)
        .and_then(Value::as_object)
        .is_some_and(|members| !members.is_empty())
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_control())
        .take(60)
        .collect()
}

//! An event of a gateway, whatever its format: a REST API or payload format 1.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>), or payload format
//! 2.0 of an HTTP API
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
//!
//! The route is taken from what the gateway fills from its own configuration, not from the path.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::plain;
use crate::error::AdminError;

/// What is read of an event.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'e> {
    event: &'e Value,
    /// The method; empty where there is none.
    pub(crate) method: &'e str,
    /// The path as the gateway has it; empty where there is none.
    pub(crate) resource: &'e str,
    is_http: bool,
}

impl<'e> Asked<'e> {
    /// Reads the route of an event.
    pub(crate) fn of(event: &'e Value) -> Self {
        let text = |pointer: &str| {
            let found = event.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_default()
        };
        let is_http = event.get("version").and_then(Value::as_str) == Some("2.0");
        let (method, resource) = if is_http {
            // The method of a route for any method is that of the request.
            let method = text("/requestContext/http/method");
            match text("/routeKey").split_once(' ') {
                Some((of_route, resource)) if of_route == method || of_route == "ANY" => {
                    (method, resource)
                }
                _ => ("", ""),
            }
        } else {
            (text("/httpMethod"), text("/resource"))
        };
        Self {
            event,
            method,
            resource,
            is_http,
        }
    }

    /// A field that stands in the path.
    pub(crate) fn in_path(&self, name: &str) -> Value {
        let parameters = self.event.get("pathParameters");
        let value = parameters.and_then(|parameters| parameters.get(name));
        value.cloned().unwrap_or(Value::Null)
    }

    /// The query. One that names a parameter twice is refused: nobody knows which was meant.
    pub(crate) fn query(&self) -> Result<Map<String, Value>, AdminError> {
        let twice = |name: &str| AdminError::invalid(&plain(name), "is given more than once");
        if !self.is_http {
            if let Some(name) = self.repeated("multiValueQueryStringParameters") {
                return Err(twice(name));
            }
            let given = self.object("queryStringParameters");
            return Ok(given.cloned().unwrap_or_default());
        }
        // The parsed form joins the values of one name with commas, which a value may hold itself.
        let raw = self.event.get("rawQueryString").and_then(Value::as_str);
        let mut members = Map::new();
        let pairs = raw.unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if members.insert(name.clone(), Value::from(value)).is_some() {
                return Err(twice(&name));
            }
        }
        Ok(members)
    }

    /// A header by its name in lower case. Names of headers have no case (RFC 9110 section 5.1).
    pub(crate) fn header(&self, name: &str) -> Result<Option<&'e str>, AdminError> {
        let twice =
            || AdminError::invalid("", format!("the header `{name}` is given more than once"));
        let is_it = |(found, _): &(&String, &Value)| found.eq_ignore_ascii_case(name);
        if let Some(all) = self.object("multiValueHeaders")
            && let Some((_, values)) = all.iter().find(is_it)
            && values.as_array().is_some_and(|values| values.len() > 1)
        {
            return Err(twice());
        }
        let Some(headers) = self.object("headers") else {
            return Ok(None);
        };
        let mut named = headers.iter().filter(is_it);
        match (named.next(), named.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => Ok(value.as_str()),
            (Some(_), Some(_)) => Err(twice()),
        }
    }

    /// The body as it came, and whether the gateway took it for binary.
    pub(crate) fn body(&self) -> (Option<&'e Value>, bool) {
        let is_binary = self.event.get("isBase64Encoded") == Some(&Value::Bool(true));
        (self.event.get("body"), is_binary)
    }

    fn object(&self, name: &str) -> Option<&'e Map<String, Value>> {
        self.event.get(name).and_then(Value::as_object)
    }

    fn repeated(&self, name: &str) -> Option<&'e str> {
        let mut all = self.object(name)?.iter();
        let is_repeated = |values: &Value| values.as_array().is_some_and(|all| all.len() > 1);
        let (name, _) = all.find(|(_, values)| is_repeated(values))?;
        Some(name)
    }
}

/// A name or a value of a query (WHATWG URL Standard, *application/x-www-form-urlencoded parsing*).
fn decoded(text: &str) -> Result<String, AdminError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    let decoded = decoded.map_err(|_| AdminError::invalid("", "the query is not UTF-8"))?;
    Ok(decoded.into_owned())
}

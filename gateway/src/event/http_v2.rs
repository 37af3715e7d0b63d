//! HTTP API, payload format 2.0 (AWS: Lambda authorizers for HTTP APIs). Repeated headers are joined by commas, cookies
//! are a list of their own, and the query is read from its raw form, where repeated names are still apart.

use doorward_engine::{
    Request,
    request::{Entrance, Form, Target},
};

use super::{
    Seen,
    arn::verb_agrees,
    fields::{self, HeaderMaps},
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, seen: Seen) -> Result<Request, Malformed> {
    event.without(&[
        "httpMethod",
        "multiValueHeaders",
        "multiValueQueryStringParameters",
    ])?;
    if seen.target == Target::Connect {
        return Err(Malformed {
            at: "routeArn",
            what: "is of a WebSocket API",
        });
    }
    verb_agrees(event, &seen.target, &["requestContext.http.method"])?;
    let headers = HeaderMaps::read(event, "headers", None)?;
    Ok(Request {
        received_at: seen.received_at,
        form: Form::AsConfigured,
        has_usage_plans: false,
        time_left: None,
        stage: seen.stage,
        target: seen.target,
        raw_paths: fields::paths(event, &["rawPath", "requestContext.http.path"])?,
        headers: headers.headers(),
        query: fields::raw_query(event)?,
        cookies: fields::listed_cookies(event, &headers)?,
        peer: fields::address(event, "requestContext.http.sourceIp")?,
        token: None,
        certificate: fields::certificate(
            event,
            "requestContext.authentication.clientCert.clientCertPem",
        )?,
        entrance: entrance(event)?,
    })
}

/// Under a custom domain the raw path of a stage with a name may hold the stage, which the client did not write (AWS: *Create AWS
/// Lambda proxy integrations for HTTP APIs*); what the client wrote is not known then.
fn entrance(event: &Node<'_>) -> Result<Entrance, Malformed> {
    let entrance = fields::entrance(event, Some("rawPath"))?;
    let stage = event.text("requestContext.stage")?;
    let is_known = entrance.is_default_endpoint() || stage == Some("$default");
    Ok(Entrance {
        path: entrance.path.filter(|_| is_known),
        ..entrance
    })
}

//! REQUEST authorizer of a WebSocket API (AWS: Lambda authorizers for WebSocket APIs). Only `$connect` is authorised; its
//! ARN has no verb.

use doorward_engine::{
    Request,
    request::{Form, Target},
};

use super::{
    Seen,
    fields::{self, HeaderMaps},
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, seen: Seen) -> Result<Request, Malformed> {
    event.without(&[
        "cookies",
        "httpMethod",
        "rawPath",
        "rawQueryString",
        "routeArn",
    ])?;
    if event
        .text("version")?
        .is_some_and(|version| version == "1.0" || version == "2.0")
    {
        return Err(Malformed {
            at: "version",
            what: "is of an HTTP API",
        });
    }
    let is_connect = event
        .text("requestContext.eventType")?
        .is_none_or(|of| of == "CONNECT")
        && event
            .text("requestContext.routeKey")?
            .is_none_or(|key| key == "$connect");
    if !is_connect || seen.target != Target::Connect {
        return Err(Malformed {
            at: "requestContext.eventType",
            what: "is not the opening of a WebSocket connection",
        });
    }
    let headers = HeaderMaps::read(event, "headers", Some("multiValueHeaders"))?;
    Ok(Request {
        received_at: seen.received_at,
        form: Form::Policy,
        has_usage_plans: false,
        time_left: None,
        stage: seen.stage,
        target: seen.target,
        raw_paths: Vec::new(),
        headers: headers.headers(),
        query: fields::query(event)?,
        cookies: headers.cookies(),
        peer: fields::address(event, "requestContext.identity.sourceIp")?,
        token: None,
        certificate: fields::certificate(
            event,
            "requestContext.identity.clientCert.clientCertPem",
        )?,
        entrance: fields::entrance(event, None)?,
    })
}

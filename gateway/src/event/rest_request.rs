//! REQUEST authorizer of a REST API (AWS: input to a Lambda authorizer). Maps exist twice: the single-value ones keep the
//! last value of a repeated name, the multi-value ones keep all.

use doorward_engine::{
    Request,
    request::{Form, Target},
};

use super::{
    Seen,
    arn::verb_agrees,
    fields::{self, HeaderMaps},
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, seen: Seen) -> Result<Request, Malformed> {
    event.without(&["cookies", "rawPath", "rawQueryString", "routeArn"])?;
    if seen.target == Target::Connect {
        return Err(Malformed {
            at: "methodArn",
            what: "is of a WebSocket API",
        });
    }
    verb_agrees(
        event,
        &seen.target,
        &["httpMethod", "requestContext.httpMethod"],
    )?;
    let headers = HeaderMaps::read(event, "headers", Some("multiValueHeaders"))?;
    Ok(Request {
        received_at: seen.received_at,
        form: Form::Policy,
        has_usage_plans: true,
        time_left: None,
        stage: seen.stage,
        target: seen.target,
        raw_paths: fields::paths(event, &["path", "requestContext.path"])?,
        headers: headers.headers(),
        query: fields::query(event)?,
        cookies: headers.cookies(),
        peer: fields::address(event, "requestContext.identity.sourceIp")?,
        // Not what the caller sent, but the identity sources joined; the credential is read from its header.
        token: None,
        certificate: fields::certificate(
            event,
            "requestContext.identity.clientCert.clientCertPem",
        )?,
        entrance: fields::entrance(event, Some("requestContext.path"))?,
    })
}

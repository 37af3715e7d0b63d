//! REQUEST authorizer of a REST API (AWS: input to a Lambda authorizer). Maps exist twice: the single-value ones keep the
//! last value of a repeated name, the multi-value ones keep all.

use doorward_engine::{
    Request,
    request::{Form, Target},
};

use super::{
    Seen,
    arn::verb_agrees,
    fields,
    tree::{Malformed, Node},
};

const HEADERS: &str = "headers";
const ALL_HEADERS: Option<&str> = Some("multiValueHeaders");

pub(super) fn read(event: &Node, seen: Seen) -> Result<Request, Malformed> {
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
    Ok(Request {
        received_at: seen.received_at,
        form: Form::PolicyUnderPlan,
        time_left: None,
        stage: seen.stage,
        target: seen.target,
        raw_paths: fields::paths(event, &["path", "requestContext.path"])?,
        headers: fields::headers(event, HEADERS, ALL_HEADERS)?,
        query: fields::query(event)?,
        cookies: fields::cookies(event, HEADERS, ALL_HEADERS)?,
        peer: fields::address(event, "requestContext.identity.sourceIp")?,
        // Not what the caller sent, but the identity sources joined; the credential is read from its header.
        token: None,
    })
}

//! TOKEN authorizer of a REST API: type, ARN and the raw value of one header (AWS: input to a Lambda authorizer).

use doorward_engine::{
    Request,
    request::{Headers, Target},
};
use doorward_keys::Secret;

use super::{
    Seen,
    arn::verb_agrees,
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node, seen: Seen) -> Result<Request, Malformed> {
    event.without(&[
        "headers",
        "multiValueHeaders",
        "identitySource",
        "routeArn",
        "version",
    ])?;
    if seen.target == Target::Connect {
        return Err(Malformed {
            at: "methodArn",
            what: "is of a WebSocket API, which sends no TOKEN events",
        });
    }
    verb_agrees(event, &seen.target, &["requestContext.httpMethod"])?;
    Ok(Request {
        received_at: seen.received_at,
        stage: seen.stage,
        target: seen.target,
        raw_paths: Vec::new(),
        headers: Headers::default(),
        query: Vec::new(),
        cookies: Vec::new(),
        peer: None,
        token: event
            .text("authorizationToken")?
            .map(|token| Secret::new(token.to_owned())),
    })
}

//! TOKEN authorizer of a REST API: type, ARN and the raw value of one header (AWS: input to a Lambda authorizer). Local
//! gateways add headers and a version; they are not looked at.

use doorward_engine::{
    Request,
    request::{Entrance, Form, Headers, Target},
};
use doorward_keys::Secret;

use super::{
    Seen,
    arn::verb_agrees,
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, seen: Seen) -> Result<Request, Malformed> {
    event.without(&["routeArn"])?;
    if event
        .text("version")?
        .is_some_and(|version| version != "1.0")
    {
        return Err(Malformed {
            at: "version",
            what: "is of another kind of event",
        });
    }
    if seen.target == Target::Connect {
        return Err(Malformed {
            at: "methodArn",
            what: "is of a WebSocket API, which sends no TOKEN events",
        });
    }
    verb_agrees(event, &seen.target, &["requestContext.httpMethod"])?;
    Ok(Request {
        received_at: seen.received_at,
        form: Form::Policy,
        has_usage_plans: true,
        time_left: None,
        stage: seen.stage,
        target: seen.target,
        raw_paths: Vec::new(),
        headers: Headers::default(),
        query: Vec::new(),
        cookies: Vec::new(),
        peer: None,
        certificate: None,
        entrance: Entrance::default(),
        token: event
            .text("authorizationToken")?
            .map(|token| Secret::new(token.to_owned())),
    })
}

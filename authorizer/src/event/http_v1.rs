//! HTTP API, payload format 1.0 (AWS: Lambda authorizers for HTTP APIs): a REST event with a version. What `sam local`
//! sends to an authorizer of format 1.0 may have the shape of format 2.0; it is read as that and answered as 1.0.

use doorward_engine::{Request, request::Form};

use super::{
    Seen, http_v2, rest_request,
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node, seen: Seen) -> Result<Request, Malformed> {
    let request = if event.text("version")? == Some("2.0") {
        http_v2::read(event, seen)
    } else {
        rest_request::read(event, seen)
    };
    // The answer is that of format 1.0, which is always a policy, and an HTTP API has no usage plans.
    request.map(|request| Request {
        form: Form::Policy,
        ..request
    })
}

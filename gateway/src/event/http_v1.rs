//! HTTP API, payload format 1.0 (AWS: Lambda authorizers for HTTP APIs): a REST event with a version. What `sam local`
//! sends to an authorizer of format 1.0 may have the shape of format 2.0; it is read as that and answered as 1.0.

use doorward_engine::{Request, request::Form};

use super::{
    Seen, http_v2, rest_request,
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, seen: Seen) -> Result<Request, Malformed> {
    if event.text("version")? == Some("2.0") {
        // The answer is that of format 1.0, which is always a policy.
        http_v2::read(event, seen).map(|request| Request {
            form: Form::Policy,
            ..request
        })
    } else {
        rest_request::read(event, seen).map(|request| Request {
            has_usage_plans: false,
            ..request
        })
    }
}

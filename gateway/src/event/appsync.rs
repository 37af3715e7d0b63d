//! Lambda authorizer of an AppSync GraphQL API (AWS: AppSync, Lambda authorization). There is no ARN, no path and no source
//! address; the token is the raw value of the `Authorization` header.

use doorward_engine::{
    Request,
    limits::Moment,
    request::{ApiStage, Form, Headers, Target},
};
use doorward_keys::Secret;

use super::{
    fields,
    tree::{Malformed, Node},
};

pub(super) fn read(event: &Node<'_>, received_at: Moment) -> Result<Request, Malformed> {
    event.without(&["headers", "methodArn", "routeArn", "version"])?;
    let token = event.text("authorizationToken")?;
    let api = event.text("requestContext.apiId")?.unwrap_or_default();
    Ok(Request {
        received_at,
        form: Form::Policy,
        has_usage_plans: false,
        time_left: None,
        // No policy is written for AppSync; the name only tells APIs apart.
        stage: ApiStage::new(format!("appsync/{api}")),
        target: Target::GraphQl,
        raw_paths: Vec::new(),
        headers: headers(event, token)?,
        query: Vec::new(),
        cookies: fields::HeaderMaps::read(event, "requestHeaders", None)?.cookies(),
        peer: None,
        certificate: None,
        entrance: fields::entrance(event, None)?,
        token: token.map(|token| Secret::new(token.to_owned())),
    })
}

/// The headers without `Authorization`, which is the token once more and would count as a second credential.
fn headers(event: &Node<'_>, token: Option<&str>) -> Result<Headers, Malformed> {
    let mut others = Vec::new();
    for (name, value) in fields::single_values(event, "requestHeaders")? {
        if !name.eq_ignore_ascii_case("authorization") {
            others.push((name, value));
        } else if token != Some(value) {
            return Err(Malformed {
                at: "requestHeaders",
                what: "holds another token than `authorizationToken`",
            });
        }
    }
    Ok(Headers::from_maps(&others, &[]))
}

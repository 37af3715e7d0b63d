//! The form of answers, limits, domains, and what the gateway answers by itself.

use doorward_engine::config::{HttpApiAnswer, RateLimited};

use super::{Asked, finding};
use crate::wiring::{
    Finding, Rule,
    model::{Api, ApiKind, Authorizer, Form},
};

const ORIGIN: &str = "access-control-allow-origin";

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    for (api, authorizer) in asked.wiring.authorizers() {
        form(asked, api, authorizer, found);
        limits(asked, api, authorizer, found);
    }
    let ours = |api: &&Api| asked.wiring.authorizers().any(|(one, _)| one.id == api.id);
    for api in asked.wiring.apis.iter().filter(ours) {
        responses(asked, api, found);
    }
    domains(asked, found);
}

fn form(asked: Asked<'_>, api: &Api, authorizer: &Authorizer, found: &mut Vec<Finding>) {
    let expected = asked.config.answers.http_api;
    let message = match (authorizer.form, expected) {
        (Form::Http2Simple, HttpApiAnswer::Policy) => {
            "simple answers are expected, and `answers.http_api` is `policy`"
        }
        (Form::Http2, HttpApiAnswer::Simple) => {
            "policies are expected, and `answers.http_api` is `simple`"
        }
        _ => "",
    };
    if !message.is_empty() {
        found.push(finding(Rule::AnswerForm, authorizer.line, &api.id, message));
    }
    if authorizer.form != Form::RestToken {
        return;
    }
    let needs = asked.needs;
    let unseen = [
        (needs.by_address, "the address of the caller"),
        (needs.certificates, "the client certificate"),
        (needs.proofs, "the proof of possession"),
        (needs.together.is_some(), "the second credential"),
    ];
    for (_, what) in unseen.iter().filter(|(decides, _)| *decides) {
        let message =
            format!("the authorizer is not shown {what}, by which the configuration decides");
        found.push(finding(
            Rule::TokenAuthorizer,
            authorizer.line,
            &api.id,
            message,
        ));
    }
}

fn limits(asked: Asked<'_>, api: &Api, authorizer: &Authorizer, found: &mut Vec<Finding>) {
    let answers = &asked.config.answers;
    let plans = asked.config.limits.plans.values();
    let names_key = answers.usage_plan_key.is_some()
        || plans.into_iter().any(|plan| plan.usage_plan_key.is_some());
    let demands_key = api.key_by_authorizer == Some(true)
        && api
            .routes
            .iter()
            .any(|route| route.needs_key && asked.wiring.is_guarded(api, route));
    if demands_key && !names_key {
        let message = "keys come from the authorizer, and `answers.usage_plan_key` is not set";
        found.push(finding(Rule::KeyUnnamed, api.line, &api.id, message));
    }
    let is_penalty = matches!(
        asked.config.answers.rate_limited,
        RateLimited::PenaltyKey(_)
    );
    // HTTP APIs have no usage plans; callers over a limit get a Deny there.
    if !is_penalty || api.kind == ApiKind::Http {
        return;
    }
    if authorizer.keeps() {
        let message = "the key without allowance is kept with the answer, and outlives the limit";
        found.push(finding(
            Rule::PenaltyKeyKept,
            authorizer.ttl.1,
            &api.id,
            message,
        ));
    }
    match api.key_by_authorizer {
        Some(true) => {}
        Some(false) => {
            let message = "the API takes keys from the caller, not from the authorizer";
            found.push(finding(Rule::PenaltyKeyPasses, api.line, &api.id, message));
        }
        None => {
            let message = "whether the authorizer names the key is known to AWS only";
            found.push(finding(Rule::Unknown, authorizer.line, &api.id, message));
        }
    }
    let open = api.routes.iter().filter(|route| !route.needs_key);
    for route in open.filter(|route| asked.wiring.is_guarded(api, route)) {
        let message = format!("`{} {}` demands no key", route.method, route.path);
        found.push(finding(
            Rule::PenaltyKeyPasses,
            route.line,
            &api.id,
            message,
        ));
    }
}

fn responses(asked: Asked<'_>, api: &Api, found: &mut Vec<Finding>) {
    let denied = api.responses.get("ACCESS_DENIED");
    let is_deny = matches!(asked.config.answers.rate_limited, RateLimited::Deny);
    if let Some(denied) = denied.filter(|one| one.status.as_deref() == Some("429"))
        && !is_deny
    {
        let message = "a caller who lacks a right gets 429 too";
        found.push(finding(
            Rule::DeniedAsLimited,
            denied.line,
            &api.id,
            message,
        ));
    }
    let (Some(line), ApiKind::Rest) = (api.cors, api.kind) else {
        return;
    };
    let has = |kind: &str| {
        let response = api.responses.get(kind)?;
        Some(response.headers.iter().any(|name| name == ORIGIN))
    };
    for kind in ["UNAUTHORIZED", "ACCESS_DENIED", "DEFAULT_5XX"] {
        let of_all = (kind != "DEFAULT_5XX")
            .then(|| has("DEFAULT_4XX"))
            .flatten();
        if has(kind).or(of_all) != Some(true) {
            let line = api
                .responses
                .get(kind)
                .map_or(line, |response| response.line);
            let message = format!("`{kind}` has no `Access-Control-Allow-Origin`");
            found.push(finding(Rule::ResponseWithoutCors, line, &api.id, message));
        }
    }
}

fn domains(asked: Asked<'_>, found: &mut Vec<Finding>) {
    let demanding = || {
        let all = asked.wiring.domains.iter();
        all.filter(|domain| domain.demands_certificates)
    };
    for (domain, id) in demanding().flat_map(|one| one.apis.iter().map(move |id| (one, id))) {
        let Some(api) = asked.wiring.apis.iter().find(|api| api.id == *id) else {
            continue;
        };
        let line = api.line.max(1);
        match api.default_endpoint_closed {
            Some(true) => {}
            Some(false) => {
                let domain = &domain.id;
                let message =
                    format!("`{domain}` demands certificates, and the default endpoint is open");
                found.push(finding(Rule::DefaultEndpointOpen, line, id, message));
            }
            None => {
                let message = "whether the default endpoint is closed is known to AWS only";
                found.push(finding(Rule::Unknown, line, id, message));
            }
        }
    }
    if !asked.needs.certificates {
        return;
    }
    for (api, authorizer) in asked.wiring.authorizers() {
        if !demanding().any(|domain| domain.apis.contains(&api.id)) {
            let message =
                "routes demand client certificates, and no domain of this API asks for them";
            found.push(finding(
                Rule::NoMutualTls,
                authorizer.line,
                &api.id,
                message,
            ));
        }
    }
}

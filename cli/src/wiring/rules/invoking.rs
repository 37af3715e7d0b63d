//! Who may invoke the authorizer.

use super::{Asked, finding};
use crate::wiring::{
    Finding, Rule,
    model::{Api, Permission},
};

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    for (api, authorizer) in asked.wiring.authorizers() {
        let Some(function) = &authorizer.function else {
            let message = "the function is not in this template, so its role, environment and permissions were not looked at";
            found.push(finding(Rule::Unknown, authorizer.line, &api.id, message));
            continue;
        };
        let mut permissions = of_gateway(asked, function);
        if !authorizer.is_permitted && !permissions.any(|one| lets(one, api)) {
            let message = format!("nothing lets `{}` invoke `{function}`", api.id);
            found.push(finding(
                Rule::NoPermission,
                authorizer.line,
                &api.id,
                message,
            ));
        }
    }
    let ours = asked.wiring.functions.iter().filter(|one| one.is_doorwards);
    for permission in ours.flat_map(|function| of_gateway(asked, &function.id)) {
        let names_api = permission.source.as_deref().is_some_and(names_api);
        if !names_api || !permission.names_account && !names_account(permission) {
            let message = if names_api {
                "it names no account, and ids of APIs are used again by others"
            } else {
                "every API may invoke the function"
            };
            let rule = Rule::WidePermission;
            found.push(finding(rule, permission.line, &permission.id, message));
        }
    }
}

fn of_gateway<'a>(asked: Asked<'a>, function: &'a str) -> impl Iterator<Item = &'a Permission> {
    let all = asked.wiring.permissions.iter();
    all.filter(move |one| one.is_for_gateway && one.function.as_deref() == Some(function))
}

/// Whether a permission lets this API in.
fn lets(permission: &Permission, api: &Api) -> bool {
    let Some(source) = &permission.source else {
        return true;
    };
    source.contains(&format!("${{{}}}", api.id)) || !names_api(source)
}

/// Whether the part of an address behind the account names an API: `arn:…:execute-api:REGION:ACCOUNT:API/…`.
fn names_api(source: &str) -> bool {
    let behind = source.rsplit(':').next().unwrap_or_default();
    let api = behind.split('/').next().unwrap_or_default();
    !api.is_empty() && !api.contains('*')
}

fn names_account(permission: &Permission) -> bool {
    let source = permission.source.as_deref().unwrap_or_default();
    let account = source.replace("${AWS::", "${AWS.");
    let account = account.split(':').nth(4).unwrap_or_default();
    !account.is_empty() && !account.contains('*')
}

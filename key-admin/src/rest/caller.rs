//! Who asks over a gateway: from what the gateway verified, never from the path, the body or the headers.
//!
//! - **IAM**: the ARN that the gateway names after it verified the signature. What it may do is said by `key_admin.principals`.
//! - **Authorizer**: subject, tenant and scopes from the context of Doorward's own authorizer, or from the claims of an
//!   authorizer for JWTs. Such callers administer the keys of their tenant, may do what their scopes say, and grant the scopes
//!   that they hold.

use std::collections::BTreeSet;

use doorward_engine::key_admin::{Grantable, KeyAdminConfig, Unlisted};
use serde_json::Value;

use crate::{caller::Caller, error::AdminError};

/// Refuses events of other APIs than `apis`; where these are none, every API will do.
pub(crate) fn of_api(event: &Value, apis: &[String]) -> Result<(), AdminError> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let id = text("/requestContext/apiId").unwrap_or_default();
    let stage = text("/requestContext/stage").unwrap_or_default();
    let is_it = |api: &String| match api.split_once('/') {
        Some(pair) => pair == (id, stage),
        None => api == id,
    };
    if apis.is_empty() || apis.iter().any(is_it) {
        Ok(())
    } else {
        Err(refused(
            "this API is none of those that `DOORWARD_ADMIN_API` names",
        ))
    }
}

/// The caller that the gateway names in `event`.
pub(crate) fn caller(event: &Value, config: &KeyAdminConfig) -> Result<Caller, AdminError> {
    let arn = [
        "/requestContext/identity/userArn",
        "/requestContext/authorizer/iam/userArn",
    ];
    let arn = arn
        .iter()
        .find_map(|pointer| event.pointer(pointer)?.as_str());
    if let Some(arn) = arn {
        return if config.accepts_iam {
            of_principal(arn, config)
        } else {
            Err(refused("this API takes no signed requests; send a token"))
        };
    }
    let context = event.pointer("/requestContext/authorizer");
    match context {
        Some(context @ Value::Object(_)) if config.accepts_authorizer => {
            of_context(context, config)
        }
        _ if config.accepts_authorizer => Err(refused(
            "the gateway names neither an IAM principal nor a caller that an authorizer knows",
        )),
        _ => Err(refused(
            "the gateway names no IAM principal; this API needs IAM authorization",
        )),
    }
}

fn of_principal(arn: &str, config: &KeyAdminConfig) -> Result<Caller, AdminError> {
    if !arn.starts_with("arn:") {
        return Err(refused(
            "the gateway names no IAM principal; this API needs IAM authorization",
        ));
    }
    match (config.principal(arn), config.unlisted) {
        (Some(principal), _) => Ok(Caller::limited(
            arn,
            principal.tenant.clone(),
            principal.permissions.iter().copied(),
            principal.scopes.clone(),
        )),
        (None, Unlisted::Operator) => Ok(Caller::operator(arn)),
        (None, Unlisted::Refuse) => Err(refused(
            "this principal is not listed; an operator can add it to `key_admin.principals`",
        )),
    }
}

/// A caller of an authorizer.
struct Facts {
    name: String,
    tenant: String,
    scopes: BTreeSet<String>,
}

fn of_context(context: &Value, config: &KeyAdminConfig) -> Result<Caller, AdminError> {
    // Doorward's own context: flat on a REST API, under `lambda` on an HTTP API.
    let own = context.get("lambda").unwrap_or(context);
    let claims = [context.pointer("/jwt/claims"), context.get("claims")];
    let facts = if let Some(claims) = claims.into_iter().flatten().next() {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        Facts::of(
            text("sub"),
            text("iss"),
            text(&config.tenant_claim),
            text("scope"),
        )
    } else {
        let text = |name: &str| own.get(name).and_then(Value::as_str);
        let kinds = text("credential").unwrap_or_default();
        // A key that makes keys could never be got rid of.
        if !kinds
            .split(' ')
            .any(|kind| matches!(kind, "jwt" | "opaque"))
        {
            return Err(refused(
                "keys are administered with a token; an API key or a certificate alone does not do",
            ));
        }
        Facts::of(
            text("subject"),
            text("issuer"),
            text("tenant"),
            text("scopes"),
        )
    };
    let facts = facts.ok_or_else(|| {
        refused("the authorizer names no subject and tenant, and keys are administered by tenant")
    })?;
    Ok(Caller::limited(
        &facts.name,
        Some(facts.tenant),
        config.permissions(&facts.scopes),
        Grantable::Only(facts.scopes),
    ))
}

impl Facts {
    fn of(
        subject: Option<&str>,
        issuer: Option<&str>,
        tenant: Option<&str>,
        scopes: Option<&str>,
    ) -> Option<Self> {
        let there = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let scopes = scopes.unwrap_or_default().split(' ');
        // Two issuers may know two people by one name.
        let name = match there(issuer) {
            Some(issuer) => format!("{} of {issuer}", there(subject)?),
            None => there(subject)?,
        };
        Some(Self {
            name,
            tenant: there(tenant)?,
            scopes: scopes
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

fn refused(why: &str) -> AdminError {
    AdminError::Forbidden(why.to_owned())
}

#[cfg(test)]
mod tests;

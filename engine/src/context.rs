//! The flat identity contract for the backend: the same names whatever the credential was.
//!
//! | name | meaning |
//! |---|---|
//! | `credential` | `api_key`, `jwt`, `opaque`, `certificate`, several with spaces between them, or `anonymous` |
//! | `subject` | `sub` of the token, the public id of the key, or the name in the certificate |
//! | `issuer` | `iss` of the token, or the issuer of the server that knows it |
//! | `clientId` | the OAuth client of the token |
//! | `tenant` | of the key, the token or the certificate |
//! | `scopes` | what the caller may do, separated by spaces |
//! | `roles` | of the token, separated by commas (a role may hold spaces) |
//! | `keyId`, `keyName` | of the key |
//! | `certificate`, `certificateAuthority`, `certificateSerial` | who the client certificate stands for, with the kind of the name before it; who issued it; its serial number |
//! | `dpopNonce` | a nonce for the next proof, to be handed on in the header `DPoP-Nonce`; where nonces are configured |
//! | `expiresAt` | when the earliest credential expires, in seconds since the epoch |
//! | `downstreamToken` | a token for the backend, where the route has an exchange |
//! | `limit`, `remaining` | of the strictest limit of the route: how many in each window, and how many are left |
//! | `reset` | seconds until `remaining` is whole again, or the window ends |
//! | `rateLimitReset` | the same time in seconds since the epoch, so that a cached answer can be judged |
//! | `rateLimited` | `true` where the limit is used up and whoever reads this is to refuse |
//! | `retryAfter` | seconds after which the same request passes; where the limit is used up |
//! | `identityToken` | who is calling, signed, where [`crate::identity_token`] is configured; added by the encoders |
//! | `rateLimit`, `rateLimitPolicy` | the values of the fields `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) |
//!
//! After these come mapped claims, the metadata of the key and the context of the route, in this order; what comes first
//! stays. The values are raw text here; the encoders make them safe for headers.

use std::{borrow::Cow, sync::Arc};

use doorward_keys::Timestamp;

use crate::{
    decision::Context,
    identity::{Authenticated, joined},
    identity_token,
    limits::LimitReport,
    routes::Kind,
};

/// The names that nothing else may take.
pub const NAMES: [&str; 24] = [
    "downstreamToken",
    "credential",
    "subject",
    "issuer",
    "clientId",
    "tenant",
    "scopes",
    "roles",
    "keyId",
    "keyName",
    "certificate",
    "certificateAuthority",
    "certificateSerial",
    "dpopNonce",
    "expiresAt",
    "limit",
    "remaining",
    "reset",
    "rateLimitReset",
    "rateLimited",
    "retryAfter",
    "rateLimit",
    "rateLimitPolicy",
    identity_token::NAME,
];

/// Room for the facts of most callers.
const USUAL_FACTS: usize = 8;

/// The names of what is known of limits.
const OF_LIMITS: [&str; 8] = [
    "limit",
    "remaining",
    "reset",
    "rateLimitReset",
    "rateLimited",
    "retryAfter",
    "rateLimit",
    "rateLimitPolicy",
];

/// The names of what is handed on with the answer and says nothing of the caller. An identity token that held one of them
/// would carry it to where it is not meant, and be another one for each nonce.
const HANDED_ON: [&str; 3] = ["downstreamToken", "dpopNonce", identity_token::NAME];

/// Whether a fact of this name says who is calling, as an identity token does too.
pub(crate) fn is_identity(name: &str) -> bool {
    NAMES.contains(&name) && !OF_LIMITS.contains(&name) && !HANDED_ON.contains(&name)
}

/// What the caller, the gateway or the backend may know of a limit, as it stood at `now`.
pub fn of_limit(report: &LimitReport, now: Timestamp) -> Context {
    let LimitReport {
        name,
        limit,
        remaining,
        reset_seconds: reset,
        retry_after,
        window_seconds: window,
    } = report;
    // What is used up has room again when the caller may retry, which may be long before it is whole.
    let end = retry_after.unwrap_or(*reset);
    let reset_at = now.plus(i64::try_from(end).unwrap_or(i64::MAX));
    let mut facts = Context::from([
        ("limit".into(), limit.to_string()),
        ("remaining".into(), remaining.to_string()),
        ("reset".into(), end.to_string()),
        ("rateLimitReset".into(), reset_at.unix().to_string()),
        (
            "rateLimit".into(),
            format!("\"{name}\";r={remaining};t={end}"),
        ),
        (
            "rateLimitPolicy".into(),
            format!("\"{name}\";q={limit};w={window}"),
        ),
    ]);
    if let Some(retry_after) = retry_after {
        facts.insert("rateLimited".into(), "true".to_owned());
        facts.insert("retryAfter".into(), retry_after.to_string());
    }
    facts
}

/// What the backend learns of `caller` on a route with the context `of_route`; what the token is bound to works until
/// `bound_until`.
pub(crate) fn context(
    caller: &Authenticated,
    bound_until: Option<Timestamp>,
    of_route: &Context,
) -> Arc<Context> {
    let gathered = || gathered(caller, bound_until, of_route);
    match caller.alone().filter(|_| bound_until.is_none()) {
        Some(alone) => alone.context(of_route, gathered),
        None => Arc::new(gathered()),
    }
}

fn gathered(caller: &Authenticated, bound_until: Option<Timestamp>, of_route: &Context) -> Context {
    let mut facts: Vec<(Cow<'static, str>, String)> = Vec::with_capacity(USUAL_FACTS);
    let mut put = |name: &'static str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        facts.extend(value.map(|value| (name.into(), value)));
    };
    let (client, subject) = (
        caller.client.as_ref().map(|client| &client.record),
        caller.subject.as_ref(),
    );
    let certificate = caller.certificate.as_ref();
    put("credential", Some(credential(caller)));
    put(
        "subject",
        subject
            .map(|s| s.subject.clone())
            .or_else(|| client.map(|c| c.id.to_string()))
            .or_else(|| certificate.map(|c| c.identity.name.clone())),
    );
    put("issuer", subject.map(|s| s.issuer.to_string()));
    put("clientId", subject.and_then(|s| s.client_id.clone()));
    put("tenant", caller.tenants().next().map(str::to_owned));
    put("scopes", Some(caller.scopes_joined()));
    put("roles", subject.map(|s| joined(s.roles.iter(), ",")));
    put("keyId", client.map(|c| c.id.to_string()));
    put("keyName", client.map(|c| c.name.clone()));
    put("certificate", certificate.map(|c| c.identity.to_string()));
    put(
        "certificateAuthority",
        certificate.map(|c| c.authority.clone()),
    );
    put("certificateSerial", certificate.map(|c| c.serial.clone()));
    let key_ends = client.and_then(|c| c.expires_at);
    put(
        "expiresAt",
        key_ends
            .into_iter()
            .chain(subject.map(|s| s.expires_at))
            .chain(certificate.map(|c| c.valid_until))
            .chain(bound_until)
            .min()
            .map(|end| end.unix().to_string()),
    );

    // In one go, which takes less than to insert them one by one.
    let mut context: Context = facts.into_iter().collect();
    let claims = subject.iter().flat_map(|s| &s.context);
    let metadata = client.into_iter().flat_map(|c| &c.metadata);
    let named = claims.chain(metadata).map(|(name, value)| (&**name, value));
    let of_route = of_route.iter().map(|(name, value)| (&**name, value));
    for (name, value) in named.chain(of_route) {
        if !NAMES.contains(&name) {
            let fact = context.entry(Cow::Owned(name.to_owned()));
            fact.or_insert_with(|| value.clone());
        }
    }
    context
}

fn credential(caller: &Authenticated) -> String {
    if caller.kinds().next().is_none() {
        "anonymous".to_owned()
    } else {
        joined(caller.kinds().map(Kind::as_str), " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_calling_is_neither_a_limit_nor_what_is_handed_on() {
        let identity: Vec<_> = NAMES.into_iter().filter(|name| is_identity(name)).collect();
        assert_eq!(
            identity,
            [
                "credential",
                "subject",
                "issuer",
                "clientId",
                "tenant",
                "scopes",
                "roles",
                "keyId",
                "keyName",
                "certificate",
                "certificateAuthority",
                "certificateSerial",
                "expiresAt",
            ]
        );
        assert!(!is_identity("plan"));
    }
}

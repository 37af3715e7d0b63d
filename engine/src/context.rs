//! The flat identity contract for the backend: the same names whatever the credential was.
//!
//! | name | meaning |
//! |---|---|
//! | `credential` | `api_key`, `jwt`, `api_key jwt` or `anonymous` |
//! | `subject` | `sub` of the token, or the public id of the key |
//! | `issuer` | `iss` of the token |
//! | `clientId` | the OAuth client of the token |
//! | `tenant` | of the key or the token |
//! | `scopes` | what the caller may do, separated by spaces |
//! | `roles` | of the token, separated by commas (a role may hold spaces) |
//! | `keyId`, `keyName` | of the key |
//! | `expiresAt` | when the earliest credential expires, in seconds since the epoch |
//!
//! After these come mapped claims, the metadata of the key and the context of the route, in this order; what comes first
//! stays. The values are raw text here; the encoders make them safe for headers.

use crate::{decision::Context, identity::Authenticated, routes::Route};

/// The names that nothing else may take.
pub const NAMES: [&str; 10] = [
    "credential",
    "subject",
    "issuer",
    "clientId",
    "tenant",
    "scopes",
    "roles",
    "keyId",
    "keyName",
    "expiresAt",
];

/// What the backend learns of `caller` on `route`.
pub(crate) fn context(caller: &Authenticated, route: &Route) -> Context {
    let mut context = Context::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            context.insert(name.to_owned(), value);
        }
    };
    let (client, subject) = (
        caller.client.as_ref().map(|client| &client.record),
        caller.subject.as_ref(),
    );
    put("credential", Some(credential(caller)));
    put(
        "subject",
        subject
            .map(|s| s.subject.clone())
            .or_else(|| client.map(|c| c.id.to_string())),
    );
    put("issuer", subject.map(|s| s.issuer.clone()));
    put("clientId", subject.and_then(|s| s.client_id.clone()));
    put(
        "tenant",
        client
            .map(|c| c.tenant.clone())
            .or_else(|| subject.and_then(|s| s.tenant.clone())),
    );
    put(
        "scopes",
        Some(caller.scopes().into_iter().collect::<Vec<_>>().join(" ")),
    );
    put(
        "roles",
        subject.map(|s| {
            s.roles
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(",")
        }),
    );
    put("keyId", client.map(|c| c.id.to_string()));
    put("keyName", client.map(|c| c.name.clone()));
    let key_ends = client.and_then(|c| c.expires_at);
    put(
        "expiresAt",
        key_ends
            .into_iter()
            .chain(subject.map(|s| s.expires_at))
            .min()
            .map(|end| end.unix().to_string()),
    );

    let claims = subject.iter().flat_map(|s| &s.context);
    let metadata = client.into_iter().flat_map(|c| &c.metadata);
    for (name, value) in claims.chain(metadata).chain(&route.context) {
        if !NAMES.contains(&name.as_str()) {
            context.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    context
}

fn credential(caller: &Authenticated) -> String {
    let kinds: Vec<&str> = caller
        .kinds()
        .into_iter()
        .map(crate::routes::Kind::as_str)
        .collect();
    if kinds.is_empty() {
        "anonymous".to_owned()
    } else {
        kinds.join(" ")
    }
}

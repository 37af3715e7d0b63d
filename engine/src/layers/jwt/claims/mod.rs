//! The claims of a token whose signature holds (RFC 7519 section 4.1), and the evidence that is made of them.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use doorward_keys::Timestamp;

use super::{
    config::IssuerConfig,
    facts::{Claims, claim_denial},
    header::Header,
    json::Object,
    profile::Profile,
    shown::shown_all,
};
use crate::{
    denial::{Denial, Reason},
    identity::{Subject, TokenFacts},
    layers::proof::Confirmation,
};

/// A token that holds.
pub(crate) struct Accepted {
    pub(crate) subject: Subject,
    /// The earliest time at which it holds, leeway included.
    pub(crate) not_before: Timestamp,
}

/// Checks everything that is not signature: kind, times, audience, required claims; then reads who it is. `iss` has
/// chosen `config`, by exact text.
pub(super) fn check(
    config: &IssuerConfig,
    header: &Header,
    claims: &Object<'_>,
    now: Timestamp,
) -> Result<Accepted, Denial> {
    config.profile.check_kind(header.kind.as_deref())?;
    check_claims(config, claims, now)
}

/// The same without the kind in the header, which the answer of an introspection server has not.
pub(super) fn check_claims(
    config: &IssuerConfig,
    claims: &Object<'_>,
    now: Timestamp,
) -> Result<Accepted, Denial> {
    let claims = Claims(claims);
    let times = times(config, claims, now)?;
    config.profile.check_claims(claims)?;
    let client_id = client_id(config, claims)?;
    audience(config, claims, client_id)?;
    // A bound token needs its proof whatever scheme it came with (RFC 8705 section 3, RFC 9449 section 7.2). It is checked
    // where the request is known.
    let confirmation = Confirmation::of(claims.0)?;
    config
        .profile
        .check_binding(claims, confirmation.as_ref())?;
    for (path, accepted) in &config.required_claims {
        if !claims.has_one_of(path, accepted) {
            return Err(claim_denial(format!(
                "`{path}` has none of the values that `required_claims` lists"
            )));
        }
    }
    Ok(Accepted {
        subject: Subject {
            confirmation,
            ..subject(config, claims, client_id, &times)?
        },
        not_before: times.not_before,
    })
}

struct Times {
    not_before: Timestamp,
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
    valid_until: Timestamp,
}

fn times(config: &IssuerConfig, claims: Claims<'_, '_>, now: Timestamp) -> Result<Times, Denial> {
    let leeway = config.leeway;
    let stated = claims.time("exp")?;
    // Where there need be none, what is said holds for a while, and no leeway comes on top.
    let assumed = config.without_expiry.map(|seconds| now.plus(seconds));
    let expires_at = stated
        .or(assumed)
        .ok_or_else(|| claim_denial("`exp` is missing; tokens without end are not accepted"))?;
    let not_before = claims.time("nbf")?;
    let issued_at = claims.time("iat")?;
    if now >= expires_at.plus(leeway) {
        return Err(Denial::new(
            Reason::TokenExpired,
            format!(
                "expired {} seconds ago, leeway is {leeway}",
                now.since(expires_at)
            ),
        ));
    }
    for (name, time) in [("nbf", not_before), ("iat", issued_at)] {
        if let Some(time) = time.filter(|time| now.plus(leeway) < *time) {
            return Err(Denial::new(
                Reason::TokenNotYetValid,
                format!(
                    "`{name}` is {} seconds ahead, leeway is {leeway}",
                    time.since(now)
                ),
            ));
        }
    }
    if let Some(longest) = config.max_lifetime {
        let issued_at = issued_at
            .ok_or_else(|| claim_denial("`iat` is missing, and `max_lifetime_seconds` needs it"))?;
        let lifetime = expires_at.since(issued_at);
        if lifetime > longest {
            return Err(Denial::new(
                Reason::TokenLifetime,
                format!("lives {lifetime} seconds, at most {longest} are accepted"),
            ));
        }
    }
    let starts = not_before.max(issued_at);
    Ok(Times {
        not_before: starts.map_or(Timestamp::from_unix(0), |time| time.plus(-leeway)),
        issued_at,
        expires_at,
        valid_until: stated.map_or(expires_at, |stated| stated.plus(leeway)),
    })
}

/// The client: for id tokens of Cognito the one audience, else the configured claim.
fn client_id<'o>(config: &IssuerConfig, claims: Claims<'o, '_>) -> Result<Option<&'o str>, Denial> {
    match config.profile {
        Profile::CognitoId => match claims.audiences()?.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(claim_denial("`aud` of an id token names several clients")),
        },
        Profile::AccessToken | Profile::Legacy | Profile::CognitoAccess | Profile::Introspected => {
            claims.text_at(&config.claims.client_id)
        }
    }
}

/// The audience, or where `client_ids` are configured the client, or both.
fn audience(
    config: &IssuerConfig,
    claims: Claims<'_, '_>,
    client_id: Option<&str>,
) -> Result<(), Denial> {
    let refused = |what: &str, found: Vec<&str>, expected: &[String]| {
        let found = match found.as_slice() {
            [] => "missing".to_owned(),
            several => shown_all(several.iter().copied()),
        };
        let expected = shown_all(expected.iter().map(String::as_str));
        Denial::new(
            Reason::TokenAudience,
            format!("{what} is {found}, expected {expected}"),
        )
    };
    let audiences = claims.audiences()?;
    let meant_for_us = audiences
        .iter()
        .any(|audience| config.audiences.iter().any(|ours| ours == audience));
    if !config.audiences.is_empty() && !meant_for_us {
        return Err(refused("`aud`", audiences, &config.audiences));
    }
    let known_client = client_id.is_some_and(|id| config.client_ids.iter().any(|ours| ours == id));
    if !config.client_ids.is_empty() && !known_client {
        let what = format!("the client (`{}`)", config.claims.client_id);
        let found = client_id.into_iter().collect();
        return Err(refused(&what, found, &config.client_ids));
    }
    // INVARIANT: the configuration has audiences or clients; if it had neither, nobody would be meant.
    if config.audiences.is_empty() && config.client_ids.is_empty() {
        return Err(refused("`aud`", audiences, &[]));
    }
    Ok(())
}

/// `sub`, where the subject is read from another claim and says something else.
fn other_subject(claims: Claims<'_, '_>, subject: &str) -> Option<String> {
    let sub = claims.text("sub").ok().flatten();
    sub.filter(|sub| *sub != subject).map(str::to_owned)
}

fn subject(
    config: &IssuerConfig,
    claims: Claims<'_, '_>,
    client_id: Option<&str>,
    times: &Times,
) -> Result<Subject, Denial> {
    let map = &config.claims;
    let named = claims.text_at(&map.subject)?;
    let subject = named.or(client_id).ok_or_else(|| {
        claim_denial(format!(
            "neither `{}` nor `{}` says who it is",
            map.subject, map.client_id
        ))
    })?;
    let tenant = match &map.tenant {
        Some(path) => claims.text_at(path)?,
        None => None,
    };
    let context = config
        .context
        .iter()
        .filter_map(|(name, path)| Some((name.clone(), claims.flat(path)?)));
    Ok(Subject {
        issuer_name: Arc::clone(&config.name),
        issuer: Arc::clone(&config.issuer),
        subject: subject.to_owned(),
        // RFC 9700 section 4.15: whichever claim is mapped, `sub` decides whether there is a user at all.
        is_client: client_id.is_some_and(|id| {
            id == subject || matches!(claims.text("sub"), Ok(Some(sub)) if sub == id)
        }),
        client_id: client_id.map(str::to_owned),
        tenant: tenant.map(str::to_owned),
        scopes: claims.words(map.scopes.as_ref())?,
        roles: claims.words(map.roles.as_ref())?,
        valid_until: times.valid_until,
        expires_at: times.expires_at,
        confirmation: None,
        context: context.collect(),
        token: TokenFacts {
            id: claims.text("jti")?.map(str::to_owned),
            origin_id: claims.text("origin_jti")?.map(str::to_owned),
            sub: other_subject(claims, subject),
            issued_at: times.issued_at,
        },
        introspected: None,
    })
}

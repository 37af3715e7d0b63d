//! The checks of what claims mean.

use std::collections::{BTreeMap, BTreeSet};

use super::{ClaimsMap, RawClaims, RawFormat, RawPath, RawScalar, WordsFormat, fields::Fields};
use crate::{
    config::context_names,
    layers::jwt::{claim_path::ClaimPath, profile::Profile},
};

pub(super) fn required_claims(
    raw: BTreeMap<String, Vec<RawScalar>>,
    fields: &mut Fields<'_>,
) -> Vec<(ClaimPath, Vec<RawScalar>)> {
    let mut required = Vec::new();
    for (claim, values) in raw {
        let field = format!("required_claims.{claim}");
        if values.is_empty() {
            fields.fault(
                &field,
                "an empty list accepts nothing; name at least one value",
            );
        }
        if let Some(path) = fields.claim(&field, Some(RawPath::Text(claim))) {
            required.push((path, values));
        }
    }
    required
}

pub(super) fn claims_map(
    profile: Profile,
    raw: RawClaims,
    (scope_format, role_format): (Option<RawFormat>, Option<RawFormat>),
    fields: &mut Fields<'_>,
) -> ClaimsMap {
    let scopes = fields
        .claim("claims.scopes", raw.scopes)
        .or_else(|| profile.scopes_claim());
    let roles = fields
        .claim("claims.roles", raw.roles)
        .or_else(|| profile.roles_claim());
    for (format, claim, field, other) in [
        (scope_format, &scopes, "scope_format", "claims.scopes"),
        (role_format, &roles, "role_format", "claims.roles"),
    ] {
        if format.is_some() && claim.is_none() {
            fields.fault(field, format!("there is no claim to read; set `{other}`"));
        }
    }
    let scope_format = |path: &ClaimPath| match (scope_format, path.last()) {
        (Some(RawFormat::Text), _) | (None, "scope" | "scp") => WordsFormat::Text,
        (Some(RawFormat::List) | None, _) => WordsFormat::List,
    };
    let role_format = match role_format {
        Some(RawFormat::Text) => WordsFormat::Text,
        Some(RawFormat::List) | None => WordsFormat::List,
    };
    ClaimsMap {
        scopes: scopes.map(|path| {
            let format = scope_format(&path);
            (path, format)
        }),
        roles: roles.map(|path| (path, role_format)),
        tenant: fields.claim("claims.tenant", raw.tenant),
        client_id: fields
            .claim("claims.client_id", raw.client_id)
            .unwrap_or_else(|| ClaimPath::top(profile.client_claim())),
        subject: fields
            .claim("claims.subject", raw.subject)
            .unwrap_or_else(|| ClaimPath::top("sub")),
    }
}

pub(super) fn context(
    raw: BTreeMap<String, RawPath>,
    fields: &mut Fields<'_>,
) -> BTreeMap<String, ClaimPath> {
    let mut context = BTreeMap::new();
    let mut folded = BTreeSet::new();
    for (name, path) in raw {
        let field = format!("context.{name}");
        let place = format!("{}.{field}", fields.path);
        context_names::check(&name, &place, fields.faults);
        if !folded.insert(name.to_ascii_lowercase()) {
            fields.fault(
                &field,
                "differs from another name in letter case only; backends that see headers cannot tell them apart",
            );
        }
        if let Some(path) = fields.claim(&field, Some(path)) {
            context.insert(name, path);
        }
    }
    context
}

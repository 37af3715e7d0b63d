//! The checks of one issuer and of all issuers together.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    IssuerConfig, RawIssuer,
    check_claims::{claims_map, context, required_claims},
    check_keys::{KeysGiven, key_set_limits, keys},
    fields::Fields,
    raw::{LEEWAY, MAX_LIFETIME},
};
use crate::{
    config::Faults,
    layers::jwt::{algorithm::Algorithm, profile::Profile, shown::shown},
};

const MAX_NAME: usize = 100;

/// Reads a file of the bundle by the name in the configuration. The engine itself reads no files.
pub type ReadFile<'r> = dyn Fn(&str) -> Result<String, String> + 'r;

impl IssuerConfig {
    /// Checks all issuers: each by itself, and that no two of them share `issuer` or `name`. Those without faults come
    /// back in their order.
    pub fn check_all(
        raw: Vec<RawIssuer>,
        read_file: &ReadFile<'_>,
        faults: &mut Faults,
    ) -> Vec<Arc<Self>> {
        let mut issuers = BTreeMap::new();
        let mut names = BTreeMap::new();
        let mut checked = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let path = format!("issuers[{index}]");
            for (field, value, seen) in [
                ("issuer", raw.issuer.clone(), &mut issuers),
                ("name", raw.name.clone(), &mut names),
            ] {
                let Some(value) = value else { continue };
                if let Some(first) = seen.get(&value) {
                    faults.add(
                        format!("{path}.{field}"),
                        format!(
                            "{} is the `{field}` of `issuers[{first}]` already; each issuer is described once",
                            shown(&value)
                        ),
                    );
                } else {
                    seen.insert(value, index);
                }
            }
            checked.extend(Self::check(raw, &path, read_file, faults).map(Arc::new));
        }
        checked
    }

    /// Checks one issuer. Every fault is added at its place below `path`; with any fault there is no configuration.
    pub fn check(
        raw: RawIssuer,
        path: &str,
        read_file: &ReadFile<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut found = Faults::default();
        let config = {
            let mut fields = Fields {
                path,
                faults: &mut found,
            };
            check_fields(raw, &mut fields, read_file)
        };
        let good = found.is_empty();
        faults.join(found);
        good.then_some(config)
    }
}

fn check_fields(raw: RawIssuer, fields: &mut Fields<'_>, read_file: &ReadFile<'_>) -> IssuerConfig {
    let http = raw.danger_allow_http.unwrap_or(false);
    if http {
        let place = format!("{}.danger_allow_http", fields.path);
        fields.faults.warn(
            place,
            "keys are fetched over http and from private addresses: whoever controls that network can sign tokens",
        );
    }
    let issuer = raw.issuer.unwrap_or_default();
    if issuer.is_empty() {
        fields.fault("issuer", "missing; write the exact text of `iss`");
    }
    let name = name(raw.name, &issuer, fields);
    let profile = Profile::from(raw.profile.unwrap_or_default());
    let algorithms = algorithms(raw.algorithms, fields);
    let key_set = key_set_limits(&raw.key_set.unwrap_or_default(), fields);
    let given = KeysGiven {
        uri: raw.jwks_uri,
        file: raw.jwks_file,
        inline: raw.jwks,
    };
    let keys = keys(
        given,
        &issuer,
        http,
        &algorithms,
        &key_set,
        fields,
        read_file,
    );
    let (audiences, client_ids) =
        audiences_and_clients(profile, raw.audiences, raw.client_ids, fields);
    if profile == Profile::CognitoId
        && raw
            .claims
            .as_ref()
            .is_some_and(|claims| claims.client_id.is_some())
    {
        fields.fault(
            "claims.client_id",
            "id tokens of Cognito name the client in `aud`; leave this out",
        );
    }
    let max_lifetime = raw
        .max_lifetime_seconds
        .map(|seconds| fields.number("max_lifetime_seconds", Some(seconds), MAX_LIFETIME));
    IssuerConfig {
        leeway: fields.number("leeway_seconds", raw.leeway_seconds, LEEWAY),
        required_claims: required_claims(raw.required_claims.unwrap_or_default(), fields),
        claims: claims_map(
            profile,
            raw.claims.unwrap_or_default(),
            (raw.scope_format, raw.role_format),
            fields,
        ),
        context: context(raw.context.unwrap_or_default(), fields),
        name: name.into(),
        issuer: issuer.into(),
        keys,
        key_set,
        algorithms,
        audiences,
        client_ids,
        profile,
        max_lifetime,
        without_expiry: None,
    }
}

/// The name in logs: as configured, or the text of the issuer without characters that a name has not.
pub(super) fn name(given: Option<String>, issuer: &str, fields: &mut Fields<'_>) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    let Some(name) = given else {
        let replaced = issuer.chars().map(|c| if plain(c) { c } else { '_' });
        return replaced.take(MAX_NAME).collect();
    };
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        fields.fault(
            "name",
            format!("a name has letters, digits, `-`, `_` and `.`, at most {MAX_NAME}"),
        );
    }
    name
}

pub(super) fn algorithms(names: Option<Vec<String>>, fields: &mut Fields<'_>) -> Vec<Algorithm> {
    const CHOICE: &str = "choose from RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA";
    if names.is_none() {
        fields.fault("algorithms", format!("missing; {CHOICE}"));
    }
    let mut algorithms = Vec::new();
    for (index, name) in fields.texts("algorithms", names).iter().enumerate() {
        let shown = shown(name);
        let why = match Algorithm::named(name) {
            Some(algorithm) => {
                if !algorithms.contains(&algorithm) {
                    algorithms.push(algorithm);
                }
                continue;
            }
            None if name.eq_ignore_ascii_case("none") => {
                "`none` means that anybody can write tokens, and is never accepted".to_owned()
            }
            None if name.to_ascii_uppercase().starts_with("HS") => format!(
                "{shown} uses one secret for signing and checking, and is not accepted; let the issuer sign with a private key"
            ),
            None => format!("{shown} is not an algorithm that is known here"),
        };
        fields.fault(&format!("algorithms[{index}]"), format!("{why}; {CHOICE}"));
    }
    algorithms
}

fn audiences_and_clients(
    profile: Profile,
    audiences: Option<Vec<String>>,
    client_ids: Option<Vec<String>>,
    fields: &mut Fields<'_>,
) -> (Vec<String>, Vec<String>) {
    if profile.is_cognito() && client_ids.is_none() {
        fields.fault(
            "client_ids",
            "missing; name the app clients whose tokens are accepted",
        );
    }
    match profile {
        Profile::AccessToken | Profile::Legacy if audiences.is_none() => fields.fault(
            "audiences",
            "missing; name the values of `aud` that stand for this API",
        ),
        Profile::CognitoId if audiences.is_some() => fields.fault(
            "audiences",
            "id tokens of Cognito carry the client as audience; use `client_ids`",
        ),
        _ => {}
    }
    (
        fields.texts("audiences", audiences),
        fields.texts("client_ids", client_ids),
    )
}

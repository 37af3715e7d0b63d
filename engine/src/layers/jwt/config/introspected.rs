//! The checks of what an introspection server says of a token: the same as for the claims of a token of an issuer.

use std::collections::BTreeMap;

use super::{
    IssuerConfig, KeySource, RawClaims, RawFormat, RawPath, RawScalar, ReadFile,
    check::{algorithms, name},
    check_claims::{claims_map, context, required_claims},
    check_keys::{KeysGiven, key_set_limits, keys},
    fields::Fields,
    raw::LEEWAY,
};
use crate::{
    config::Faults,
    layers::jwt::{key_set::KeySet, profile::Profile},
};

/// What is configured of the answers of an introspection server.
#[derive(Default)]
pub(crate) struct RawAnswer {
    pub(crate) name: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) client_ids: Option<Vec<String>>,
    pub(crate) leeway_seconds: Option<i64>,
    pub(crate) required_claims: Option<BTreeMap<String, Vec<RawScalar>>>,
    pub(crate) claims: Option<RawClaims>,
    pub(crate) scope_format: Option<RawFormat>,
    pub(crate) role_format: Option<RawFormat>,
    pub(crate) context: Option<BTreeMap<String, RawPath>>,
    /// Whether answers are signed (RFC 9701).
    pub(crate) signed: bool,
    pub(crate) algorithms: Option<Vec<String>>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) http: bool,
    /// How long an answer without `exp` holds, in seconds.
    pub(crate) without_expiry: i64,
}

impl RawAnswer {
    /// The checked form; `None` with any fault.
    pub(crate) fn check(
        self,
        path: &str,
        read_file: &ReadFile<'_>,
        faults: &mut Faults,
    ) -> Option<IssuerConfig> {
        let mut found = Faults::default();
        let config = {
            let mut fields = Fields {
                path,
                faults: &mut found,
            };
            self.check_fields(&mut fields, read_file)
        };
        let good = found.is_empty();
        faults.join(found);
        good.then_some(config)
    }

    fn check_fields(self, fields: &mut Fields<'_>, read_file: &ReadFile<'_>) -> IssuerConfig {
        let issuer = self.issuer.unwrap_or_default();
        if issuer.is_empty() {
            fields.fault("issuer", "missing; write the exact text of `iss`");
        }
        let name = name(self.name, &issuer, fields);
        if self.audiences.is_none() && self.client_ids.is_none() {
            fields.fault(
                "audiences",
                "missing; name the values of `aud` that stand for this API, or in `client_ids` the clients whose tokens are accepted",
            );
        }
        let key_set = key_set_limits(&super::RawKeySet::default(), fields);
        let (algorithms, keys) = if self.signed {
            let algorithms = algorithms(self.algorithms, fields);
            let given = KeysGiven {
                uri: self.jwks_uri,
                file: None,
                inline: None,
            };
            let keys = keys(
                given,
                &issuer,
                self.http,
                &algorithms,
                &key_set,
                fields,
                read_file,
            );
            (algorithms, keys)
        } else {
            for (field, is_set) in [
                ("algorithms", self.algorithms.is_some()),
                ("jwks_uri", self.jwks_uri.is_some()),
            ] {
                if is_set {
                    fields.fault(field, "has no effect without `signed = true`");
                }
            }
            (vec![], KeySource::Fixed(KeySet::default().into()))
        };
        IssuerConfig {
            leeway: fields.number("leeway_seconds", self.leeway_seconds, LEEWAY),
            required_claims: required_claims(self.required_claims.unwrap_or_default(), fields),
            claims: claims_map(
                Profile::Introspected,
                self.claims.unwrap_or_default(),
                (self.scope_format, self.role_format),
                fields,
            ),
            context: context(self.context.unwrap_or_default(), fields),
            name: name.into(),
            issuer: issuer.into(),
            keys,
            key_set,
            algorithms,
            audiences: fields.texts("audiences", self.audiences),
            client_ids: fields.texts("client_ids", self.client_ids),
            profile: Profile::Introspected,
            max_lifetime: None,
            without_expiry: Some(self.without_expiry),
        }
    }
}

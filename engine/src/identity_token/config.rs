//! The configuration of identity tokens: as written, and checked.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OwnKey, PublicKey};
use crate::config::{
    ConfigEnv, Faults, Problem, RawSecret,
    values::{Limits, shown},
};

/// How identity tokens are minted.
#[derive(Clone, Debug)]
pub struct IdentityTokenConfig {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// The longest life of a token, in seconds.
    pub lifetime_seconds: u32,
    /// What signs.
    pub signer: Signer,
    // INVARIANT: not empty; the first one is that of the signer.
    keys: Vec<PublicKey>,
}

/// What signs.
#[derive(Clone, Debug)]
pub enum Signer {
    /// A key that the process holds.
    Own(Arc<OwnKey>),
    /// A key of AWS KMS, by id, alias or ARN.
    Kms(String),
}

impl IdentityTokenConfig {
    /// The public keys: the one that signs, then those before and after it.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// `kid` of the key that signs.
    pub fn key_id(&self) -> &str {
        self.keys.first().map_or("", PublicKey::id)
    }

    /// `alg` of the key that signs.
    pub fn algorithm(&self) -> &'static str {
        self.keys.first().map_or("", PublicKey::algorithm)
    }

    /// The key set for backends (RFC 7517 section 5). It holds public parts only.
    pub fn key_set(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(PublicKey::jwk).collect();
        json!({"keys": keys})
    }
}

/// A short-lived JWT for the backend, beside the context, so that it can refuse whoever did not come through the gate.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawIdentityToken {
    /// `iss` of the tokens, such as `https://gate.example.com`. Required; must not be the `issuer` of one of the `issuers`.
    issuer: Option<String>,
    /// `aud` of the tokens: the backends, such as `https://backend.example.com`. Required.
    audience: Option<String>,
    /// The private key: `env:NAME`, `ssm:/name` or `secretsmanager:name` of a PKCS #8 PEM with a key on P-256 (ES256) or
    /// Ed25519 (`EdDSA`), or `kms:key-id`, `kms:alias/name` or `kms:arn` of a key on P-256 that KMS signs with. Required.
    signing_key: Option<RawSecret>,
    /// `kid` of the key. Without, its SHA-256 thumbprint (RFC 7638).
    key_id: Option<String>,
    /// Other public keys of the key set, as they stand there: the one before, as long as its tokens live, and the next one,
    /// before it signs.
    other_keys: Option<Vec<RawPublicKey>>,
    /// The longest life of a token, in seconds. It must be at least 10 more than the time to live of the authorizer's answers,
    /// which the gateway keeps together with the token.
    #[cfg_attr(feature = "schema", schemars(range(min = LIFETIME.min, max = LIFETIME.max), extend("default" = LIFETIME.default)))]
    lifetime_seconds: Option<i64>,
}

/// A public key as a key set has it (RFC 7517 section 4).
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RawPublicKey {
    /// `EC` or `OKP`. Required.
    kty: Option<String>,
    /// `P-256` or `Ed25519`. Required.
    crv: Option<String>,
    /// The number, or the first of two, in base64url. Required.
    x: Option<String>,
    /// The second number, for `P-256`, in base64url.
    y: Option<String>,
    /// Its name. Without, its SHA-256 thumbprint.
    kid: Option<String>,
    /// Its algorithm; must fit the curve.
    alg: Option<String>,
    /// `sig`.
    #[serde(rename = "use")]
    intended_use: Option<String>,
}

const LIFETIME: Limits = Limits {
    min: 10,
    max: 3660,
    default: 60,
};

const PATH: &str = "identity_token";

impl RawIdentityToken {
    /// The checked configuration; `None` when a part without a default is missing. `issuers` are those whose tokens are
    /// accepted.
    pub(crate) fn check<'i>(
        self,
        mut issuers: impl Iterator<Item = &'i str>,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<IdentityTokenConfig> {
        let what = "name who mints the tokens, such as `https://gate.example.com`";
        let issuer = word(self.issuer, "issuer", what, faults);
        if let Some(issuer) = &issuer
            && issuers.any(|accepted| accepted == issuer)
        {
            let found = shown(issuer);
            faults.problem(
                "identity_token.issuer",
                Problem::IdentityIssuerTaken { found },
            );
        }
        let what = "name who is to accept the tokens, such as `https://backend.example.com`";
        let audience = word(self.audience, "audience", what, faults);
        let path = "identity_token.lifetime_seconds";
        let lifetime_seconds = LIFETIME.check(self.lifetime_seconds, path, faults);
        let signing = signing_key(self.signing_key.as_ref(), env, faults);
        if let Some(id) = &self.key_id {
            check_word(id, "identity_token.key_id", faults);
        }
        let others = other_keys(self.other_keys, faults);
        let (signer, public) = signing?;
        let public = match self.key_id {
            Some(id) => public.named(id),
            None => public,
        };
        for (index, other) in others.iter().enumerate() {
            let earlier = others.iter().take(index);
            if std::iter::once(&public)
                .chain(earlier)
                .any(|key| key.id() == other.id())
            {
                let value = shown(other.id());
                faults.problem(
                    format!("{PATH}.other_keys[{index}]"),
                    Problem::IdentityKeyRepeated { value },
                );
            }
        }
        Some(IdentityTokenConfig {
            issuer: issuer?,
            audience: audience?,
            lifetime_seconds,
            signer,
            keys: std::iter::once(public).chain(others).collect(),
        })
    }
}

fn word(
    raw: Option<String>,
    setting: &str,
    what: &'static str,
    faults: &mut Faults,
) -> Option<String> {
    let path = format!("{PATH}.{setting}");
    match raw {
        None => {
            if !faults.is_replaced(&path) {
                faults.problem(path, Problem::Missing { what });
            }
            None
        }
        Some(text) => {
            check_word(&text, &path, faults);
            Some(text)
        }
    }
}

fn check_word(text: &str, path: &str, faults: &mut Faults) {
    let fits = (1..=256).contains(&text.len())
        && text.trim() == text
        && !text.chars().any(char::is_control);
    if !fits {
        let found = shown(text);
        faults.problem(path, Problem::WordMalformed { found });
    }
}

fn signing_key(
    raw: Option<&RawSecret>,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Option<(Signer, PublicKey)> {
    let path = "identity_token.signing_key";
    let Some(raw) = raw else {
        if !faults.is_replaced(path) {
            let what = "say where the private key is, such as `secretsmanager:doorward/identity`";
            faults.problem(path, Problem::Missing { what });
        }
        return None;
    };
    if let Some(key) = raw.kms_key() {
        let text = raw.fetch_key(path, env, faults)?;
        let public = PublicKey::parse(text.expose());
        if public.is_none() {
            faults.problem(path, Problem::KmsKey);
        }
        return Some((Signer::Kms(key), public?));
    }
    let text = raw.fetch(path, env, faults)?;
    let Some(key) = OwnKey::parse(text.expose()) else {
        faults.problem(path, Problem::SigningKey);
        return None;
    };
    let public = key.public().clone();
    Some((Signer::Own(Arc::new(key)), public))
}

fn other_keys(raw: Option<Vec<RawPublicKey>>, faults: &mut Faults) -> Vec<PublicKey> {
    let raw = raw.unwrap_or_default().into_iter().enumerate();
    raw.filter_map(|(index, raw)| {
        let path = format!("{PATH}.other_keys[{index}]");
        let key = raw.key();
        if key.is_none() {
            faults.problem(&path, Problem::PublicKey);
        }
        let key = key?;
        match raw.kid {
            None => Some(key),
            Some(id) => {
                check_word(&id, &format!("{path}.kid"), faults);
                Some(key.named(id))
            }
        }
    })
    .collect()
}

impl RawPublicKey {
    fn key(&self) -> Option<PublicKey> {
        let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        let kind = (self.kty.as_deref()?, self.crv.as_deref()?);
        let key = match (kind, &self.y) {
            (("EC", "P-256"), Some(_)) => {
                let point = [vec![4], number(&self.x)?, number(&self.y)?].concat();
                PublicKey::p256(&point)?
            }
            (("OKP", "Ed25519"), None) => PublicKey::ed25519(&number(&self.x)?)?,
            _ => return None,
        };
        let fits = |stated: &Option<String>, known: &str| {
            stated.as_ref().is_none_or(|stated| stated == known)
        };
        let is_stated = fits(&self.alg, key.algorithm()) && fits(&self.intended_use, "sig");
        is_stated.then_some(key)
    }
}

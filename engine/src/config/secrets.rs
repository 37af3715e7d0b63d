//! Secrets as references: the configuration says where a secret is, never what it is.

use doorward_keys::{Pepper, Secret};
use serde::Deserialize;

use super::{ConfigEnv, faults::Faults, problems::Problem, tree, values::one_line};

/// The names of settings that hold a reference to a secret. A test compares them with the schema.
pub const SECRET_SETTINGS: &[&str] = &[
    "pepper",
    "previous_pepper",
    "penalty_key",
    "usage_plan_key",
    "password",
    "nonce_secret",
    "secret",
    "previous_secret",
    "private_key",
    SIGNING_KEY,
];

/// The one setting that may also name a key of KMS.
const SIGNING_KEY: &str = "signing_key";

/// A text that should be a reference to a secret, and may by mistake be the secret itself: it has no `Debug`.
#[derive(Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, extend("format" = "secret-reference")))]
pub(crate) struct RawSecret(String);

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretReference {
    /// An environment variable.
    Env(String),
    /// A parameter of SSM Parameter Store.
    Ssm(String),
    /// A secret of Secrets Manager, by name or ARN.
    SecretsManager(String),
    /// A signing key of KMS, by id, alias or ARN. What is fetched is its public part: the `SubjectPublicKeyInfo` in base64.
    Kms(String),
}

impl SecretReference {
    /// Reads a reference such as `env:PEPPER`, `ssm:/doorward/pepper` or `secretsmanager:doorward/pepper`; `None` for
    /// any other text, which may be a secret and must not be shown.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(':')?;
        match kind {
            "env" if is_variable(name) => Some(Self::Env(name.to_owned())),
            "ssm" if is_parameter(name) => Some(Self::Ssm(name.to_owned())),
            "secretsmanager" if is_secret_name(name) => Some(Self::SecretsManager(name.to_owned())),
            "kms" if is_key_name(name) => Some(Self::Kms(name.to_owned())),
            _ => None,
        }
    }
}

/// The references to secrets in a configuration, in the order of the text, each once. They are fetched before the
/// configuration is read, because reading it does no I/O. A text with faults gives the references that can be found.
pub fn secret_references(text: &str) -> Vec<SecretReference> {
    let mut faults = Faults::default();
    if text.len() > tree::MAX_BYTES {
        return vec![];
    }
    let (tree, _) = tree::read(text, &mut faults);
    let mut found = vec![];
    tree.texts("", &mut |setting, text| {
        if SECRET_SETTINGS.contains(&setting)
            && let Some(reference) = SecretReference::parse(text)
            && (setting == SIGNING_KEY || !matches!(reference, SecretReference::Kms(_)))
            && !found.contains(&reference)
        {
            found.push(reference);
        }
    });
    found
}

impl RawSecret {
    /// The value of a key of a usage plan, fetched through `env`.
    pub(crate) fn fetch_plan_key(
        &self,
        path: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Secret<String>> {
        let key = self.fetch(path, env, faults)?;
        let fits = (20..=128).contains(&key.expose().len())
            && key.expose().bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            faults.problem(path, Problem::PlanKey);
        }
        Some(key)
    }

    /// The secret, fetched through `env`. A key of KMS is none: nobody outside KMS knows it.
    pub(crate) fn fetch(
        &self,
        path: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Secret<String>> {
        if self.kms_key().is_some() {
            faults.problem(path, Problem::SecretLiteral);
            return None;
        }
        self.fetch_key(path, env, faults)
    }

    /// The name of the key where this refers to one of KMS.
    pub(crate) fn kms_key(&self) -> Option<String> {
        match SecretReference::parse(&self.0) {
            Some(SecretReference::Kms(name)) => Some(name),
            _ => None,
        }
    }

    /// The secret, or the public part of a key of KMS, fetched through `env`.
    pub(crate) fn fetch_key(
        &self,
        path: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Secret<String>> {
        let Some(reference) = SecretReference::parse(&self.0) else {
            faults.problem(path, Problem::SecretLiteral);
            return None;
        };
        match (env.secret)(&reference) {
            Ok(secret) => Some(secret),
            Err(reason) => {
                let reason = one_line(&reason);
                faults.problem(path, Problem::SecretUnavailable { reason });
                None
            }
        }
    }

    /// The secret as a pepper, if it is long enough.
    pub(crate) fn pepper(
        &self,
        path: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Pepper> {
        let secret = self.fetch(path, env, faults)?;
        let pepper = Pepper::new(secret.expose().clone().into_bytes());
        if pepper.is_none() {
            let min = Pepper::MIN_BYTES;
            faults.problem(path, Problem::SecretShort { min });
        }
        pepper
    }

    /// Whether both refer to the same place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl std::fmt::Display for SecretReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Ssm(name) => write!(f, "ssm:{name}"),
            Self::SecretsManager(name) => write!(f, "secretsmanager:{name}"),
            Self::Kms(name) => write!(f, "kms:{name}"),
        }
    }
}

/// The names that every shell can set (POSIX.1 section 8.1), and lower case.
fn is_variable(name: &str) -> bool {
    name.len() <= 256
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// AWS: Systems Manager, `PutParameter`, Name.
fn is_parameter(name: &str) -> bool {
    (2..=1011).contains(&name.len())
        && name.starts_with('/')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.'))
}

/// AWS: Secrets Manager, `CreateSecret`, Name; and its ARN.
fn is_secret_name(name: &str) -> bool {
    (1..=2048).contains(&name.len())
        && name.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'/' | b'-' | b'_' | b'.' | b'+' | b'=' | b'@' | b':')
        })
}

/// Ids, `alias/…` and ARNs (AWS: Key Management Service API Reference, `Sign`, `KeyId`).
fn is_key_name(name: &str) -> bool {
    (1..=2048).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references_and_nothing_that_may_be_a_secret() {
        for text in [
            "env:PEPPER",
            "ssm:/doorward/pepper",
            "secretsmanager:doorward/pepper",
            "secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:pepper-a1b2c3",
            "kms:alias/doorward",
            "kms:arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ] {
            assert_eq!(SecretReference::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "hunter2",
            "env:",
            "env:1A",
            "env:A-B",
            "ENV:A",
            "ssm:pepper",
            "ssm:/a b",
            "secretsmanager:",
            "kms:",
            "kms:a b",
            "vault:x",
            "a:b",
        ] {
            assert_eq!(SecretReference::parse(text), None, "{text}");
        }
    }

    #[test]
    fn finds_references_before_the_text_is_checked() {
        let toml =
            "[api_keys]\npepper = \"ssm:/p\"\nprevious_pepper = 'env:OLD'\nprefix = \"env:NO\"\n";
        let json = r#"{"api_keys": {"pepper": "ssm:/p", "previous_pepper": "env:OLD", "x": [}"#;
        let found = |text| {
            let found = secret_references(text);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(toml), ["ssm:/p", "env:OLD"]);
        assert!(found(json).is_empty());
        let kms = "[api_keys]\npepper = \"kms:a\"\n[identity_token]\nsigning_key = \"kms:b\"\n";
        assert_eq!(
            found(kms),
            ["kms:b"],
            "nothing but a signing key is kept in KMS"
        );
    }
}

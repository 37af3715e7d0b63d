//! Reading a configuration: a file of this machine, or where a function has it.

use std::{cell::RefCell, path::PathBuf, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_backends::sources::{AwsAccess, ConfigSource, KmsSigner, Loader, Secrets};
use doorward_engine::{
    config::{Checked, Config, ConfigEnv, ConfigFaults, SecretReference, secret_references},
    identity_token::Signer,
    layers::certificate::CrlSource,
};
use doorward_keys::Secret;

use crate::{clock, exit::Failure};

/// The code of the fault of a secret that cannot be had.
const SECRET_UNAVAILABLE: &str = "secret_unavailable";

/// The text of a configuration, and what else is needed to read it.
#[derive(Debug)]
pub struct Document {
    name: String,
    text: String,
    loader: Loader,
    /// A variable that counts as set.
    given: Option<(&'static str, Secret<String>)>,
}

/// A configuration that was looked at without its secrets.
#[derive(Debug)]
pub struct LookedAt {
    /// The configuration, or every fault.
    pub outcome: Result<Checked, ConfigFaults>,
    /// References to secrets that cannot be had without asking somebody; others stood in for them.
    pub unseen: Vec<String>,
}

/// Reads the value of `--config`.
///
/// # Errors
/// One line that says what would be right.
pub fn parse_source(text: &str) -> Result<ConfigSource, String> {
    match ConfigSource::parse(text) {
        Ok(ConfigSource::Text(_)) => Err("name a file that holds the configuration".to_owned()),
        Ok(source) => Ok(source),
        Err(error) => Err(error.to_string()),
    }
}

impl Document {
    /// A text that needs no fetching, called `name` in messages. Files that it names are looked for in the current folder.
    pub fn given(text: String, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            loader: Loader::new(ConfigSource::Text(text.clone()), here(), None),
            text,
            given: None,
        }
    }

    /// The same where the environment has this variable too.
    #[must_use]
    pub fn with_variable(self, name: &'static str, value: Secret<String>) -> Self {
        Self {
            given: Some((name, value)),
            ..self
        }
    }

    /// The text at `source`. Files that a file names are looked for beside it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn fetch(source: ConfigSource) -> Result<Self, Failure> {
        let is_remote = source.is_remote();
        let name = source.to_string();
        let access = if is_remote { access().await } else { None };
        let loader = Loader::new(source, here(), access);
        let text = loader.load().await.map_err(|error| {
            if is_remote {
                Failure::unavailable(error)
            } else {
                Failure::usage(error)
            }
        })?;
        Ok(Self {
            name,
            text,
            loader,
            given: None,
        })
    }

    /// Reads it with all its secrets. AWS is called only for those that it keeps.
    ///
    /// # Errors
    /// Every fault on a line of its own.
    pub async fn read(&self) -> Result<Checked, Failure> {
        let is_remote = |reference: &SecretReference| !matches!(reference, SecretReference::Env(_));
        let access = if secret_references(&self.text).iter().any(is_remote) {
            access().await
        } else {
            None
        };
        let known = |name: &str| match &self.given {
            Some((given, value)) if *given == name => Some(value.expose().clone()),
            _ => variable(name),
        };
        let secrets = Secrets::fetch(&self.text, &known, access.as_ref()).await;
        self.read_with(&|reference| secrets.secret(reference))
            .map_err(|faults| failure(&self.name, &faults))
    }

    /// What fetches the lists of revoked certificates that `config`, which was read from it, names.
    pub async fn crls(&self, config: &Config) -> Arc<dyn CrlSource> {
        let is_remote = config
            .certificates
            .as_ref()
            .is_some_and(|certificates| certificates.fetches_from_s3());
        let access = if is_remote { access().await } else { None };
        Loader::new(self.loader.source().clone(), here(), access).crls()
    }

    /// Reads it without asking anybody for a secret.
    pub fn look_at(&self) -> LookedAt {
        let unseen = RefCell::new(Vec::new());
        let outcome = self.read_with(&|reference| {
            let known = match reference {
                SecretReference::Env(name) => variable(name).filter(|value| !value.is_empty()),
                SecretReference::Ssm(_)
                | SecretReference::SecretsManager(_)
                | SecretReference::Kms(_) => None,
            };
            if let Some(known) = known {
                return Ok(Secret::new(known));
            }
            unseen.borrow_mut().push(reference.to_string());
            stand_in(reference).ok_or_else(|| "nothing can stand in for it".to_owned())
        });
        LookedAt {
            outcome,
            unseen: unseen.into_inner(),
        }
    }

    /// Reads it for a command that has no use for its secrets. Nobody is asked for one.
    ///
    /// # Errors
    /// Every fault on a line of its own.
    pub fn read_without_secrets(&self) -> Result<Checked, Failure> {
        let looked_at = self.look_at();
        looked_at
            .outcome
            .map_err(|faults| failure(&self.name, &faults))
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn read_with(
        &self,
        secret: &dyn Fn(&SecretReference) -> Result<Secret<String>, String>,
    ) -> Result<Checked, ConfigFaults> {
        let env = ConfigEnv {
            read_file: &|path| self.loader.read_file(path),
            secret,
        };
        Config::read(&self.text, &self.name, &env)
    }
}

/// A secret that fits every use and is used for nothing: a fresh private key in base64, which is long enough for a pepper and
/// short enough for the key of a usage plan. For a key of KMS a fresh public one.
fn stand_in(reference: &SecretReference) -> Option<Secret<String>> {
    let der = if let SecretReference::Kms(_) = reference {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        STANDARD.encode(public.as_ref())
    } else {
        let pair = Ed25519KeyPair::generate().ok()?;
        STANDARD.encode(pair.to_pkcs8v1().ok()?.as_ref())
    };
    Some(Secret::new(der))
}

fn failure(name: &str, faults: &ConfigFaults) -> Failure {
    let codes = || faults.faults.iter().map(|fault| fault.code);
    if codes().all(|code| code == SECRET_UNAVAILABLE) {
        return Failure::unavailable(format!(
            "`{name}` needs secrets that cannot be had here; set the variables, or region and credentials of AWS\n{faults}"
        ));
    }
    let counted = match codes().count() {
        1 => "a fault".to_owned(),
        count => format!("{count} faults"),
    };
    Failure::usage(format!("`{name}` has {counted}\n{faults}"))
}

fn here() -> PathBuf {
    PathBuf::new()
}

async fn access() -> Option<AwsAccess> {
    AwsAccess::from_chain(variable, clock::system).await
}

/// What signs identity tokens where their key is kept by KMS.
///
/// # Errors
/// When AWS cannot be called from here.
pub async fn kms(config: &Config) -> Result<Option<KmsSigner>, Failure> {
    let signer = config.identity_token.as_ref().map(|token| &token.signer);
    let Some(Signer::Kms(_)) = signer else {
        return Ok(None);
    };
    let access = access().await.ok_or_else(|| {
        Failure::unavailable(
            "`identity_token.signing_key` is kept by KMS; set a region and credentials of AWS",
        )
    })?;
    Ok(Some(KmsSigner::new(Arc::new(access))))
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

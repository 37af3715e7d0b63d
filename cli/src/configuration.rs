//! Reading a configuration: a file of this machine, or where a function has it.

use std::{cell::RefCell, path::PathBuf, sync::Arc};

use doorward_backends::sources::{AwsAccess, ConfigSource, Loader, Secrets};
use doorward_engine::{
    config::{Checked, Config, ConfigEnv, ConfigFaults, SecretReference, secret_references},
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
        Ok(Self { name, text, loader })
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
        let secrets = Secrets::fetch(&self.text, &variable, access.as_ref()).await;
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
                SecretReference::Ssm(_) | SecretReference::SecretsManager(_) => None,
            };
            let stand_in = || {
                unseen.borrow_mut().push(reference.to_string());
                // Long enough for every use, and used for nothing.
                format!("{reference}{}", "-".repeat(64))
            };
            Ok(Secret::new(known.unwrap_or_else(stand_in)))
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

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

//! Reading a configuration from a file of this machine.

use std::{cell::RefCell, fs, path::Path};

use doorward_engine::config::{Checked, Config, ConfigEnv, ConfigFaults, SecretReference};
use doorward_keys::Secret;

use crate::exit::Failure;

/// What to do about a secret that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// It is a fault.
    Needed,
    /// Another stands in for it: the configuration is only looked at, not used.
    OnlyChecked,
}

/// A configuration as read, and the secrets that others stood in for.
#[derive(Debug)]
pub struct Read {
    /// The configuration, or every fault.
    pub outcome: Result<Checked, ConfigFaults>,
    /// References to secrets that were not looked at.
    pub unseen: Vec<String>,
}

/// The text of the file at `path`.
///
/// # Errors
/// When it cannot be read.
pub fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))
}

/// Reads `text`, which came from `path`. Files that it names are looked for beside it.
pub fn read(text: &str, path: &Path, secrets: Secrets) -> Read {
    let folder = path.parent().unwrap_or(Path::new("."));
    let unseen = RefCell::new(Vec::new());
    let env = ConfigEnv {
        read_file: &|name| fs::read_to_string(folder.join(name)).map_err(|error| error.to_string()),
        secret: &|reference| match (secret(reference), secrets) {
            (Ok(secret), _) => Ok(secret),
            (Err(why), Secrets::Needed) => Err(why),
            (Err(_), Secrets::OnlyChecked) => {
                unseen.borrow_mut().push(reference.to_string());
                // Long enough for every use, and used for nothing.
                Ok(Secret::new(format!("{reference}{}", "-".repeat(64))))
            }
        },
    };
    let outcome = Config::read(text, &path.display().to_string(), &env);
    Read {
        outcome,
        unseen: unseen.into_inner(),
    }
}

/// A secret of the environment. Remote ones are not fetched: this machine should not hold them.
fn secret(reference: &SecretReference) -> Result<Secret<String>, String> {
    match reference {
        SecretReference::Env(name) => variable(name).ok_or_else(|| format!("the variable `{name}` is not set")),
        SecretReference::Ssm(_) | SecretReference::SecretsManager(_) => {
            Err("it is not fetched on this machine; refer to a variable with `env:` in a configuration for it".to_owned())
        }
    }
}

fn variable(name: &str) -> Option<Secret<String>> {
    std::env::var_os(name)?.into_string().ok().map(Secret::new)
}

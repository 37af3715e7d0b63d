//! Where the configuration and its secrets come from, and the few other services that are called: KMS signs, `EventBridge`
//! takes events, Secrets Manager keeps successors of keys, API Gateway forgets answers.
//!
//! | source | as written | read again |
//! |---|---|---|
//! | a file of the bundle | `doorward.toml` | no |
//! | SSM Parameter Store | `ssm:/doorward/config` | yes |
//! | Secrets Manager | `secretsmanager:doorward/config` | yes |
//! | `AppConfig` | `appconfig:application/environment/profile` | yes |
//! | the text itself | a text with a line break, or one that begins with `{` | no |
//!
//! Remote sources are called directly, signed with Signature Version 4, in place of three more SDK clients in a Lambda
//! that must be small. Time and size are bounded; nothing is retried for ever.

mod access;
mod aws;
mod crls;
mod event_bridge;
mod invoke;
mod kms;
mod loader;
mod reloading;
mod secret_versions;
mod secrets;
mod services;
mod stages;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use aws::{AwsAccess, Endpoints};
pub use event_bridge::EventBridge;
pub use invoke::Invoked;
pub use kms::KmsSigner;
pub use loader::Loader;
pub use reloading::{Reload, Reloading, Schedule, Turn, Version};
pub use secret_versions::SecretVersions;
pub use secrets::Secrets;
pub use stages::{ApiStages, Stage};

/// What is said where a remote source is named and AWS cannot be called.
const NO_ACCESS: &str = "no region and no credentials of AWS are set here";

/// The longest configuration that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Where a configuration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// A file; a relative path begins beside the binary.
    File(PathBuf),
    /// A parameter of SSM Parameter Store, decrypted.
    Ssm(String),
    /// A secret of Secrets Manager, by name or ARN.
    SecretsManager(String),
    /// A configuration profile of `AppConfig`.
    AppConfig(Profile),
    /// The text itself.
    Text(String),
}

/// A configuration profile of `AppConfig`, by names or ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The application.
    pub application: String,
    /// The environment.
    pub environment: String,
    /// The profile.
    pub profile: String,
}

/// Why a configuration or a secret could not be had. No secret is part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The text does not name a source.
    #[error("`{found}` names no source: {expected}")]
    Malformed {
        /// What was found.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The source cannot be reached, or does not answer as it should.
    #[error("`{what}` cannot be read: {why}")]
    Unreadable {
        /// Which source.
        what: String,
        /// Why.
        why: String,
    },
}

impl ConfigSource {
    /// Reads where the configuration is.
    ///
    /// # Errors
    /// For an empty text and for a remote source without a proper name.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.contains('\n') || text.trim_start().starts_with('{') {
            return Ok(Self::Text(text.to_owned()));
        }
        let malformed = |expected| SourceError::Malformed {
            found: text.to_owned(),
            expected,
        };
        let named = |name: &str, expected| match name {
            "" => Err(malformed(expected)),
            name => Ok(name.to_owned()),
        };
        match text.split_once(':') {
            Some(("ssm", name)) if !name.starts_with('/') => {
                Err(malformed("write `ssm:/name`, with the slash"))
            }
            Some(("ssm", name)) => Ok(Self::Ssm(name.to_owned())),
            Some(("secretsmanager", name)) => {
                named(name, "write `secretsmanager:name`").map(Self::SecretsManager)
            }
            Some(("appconfig", name)) => {
                let parts: Vec<&str> = name.split('/').collect();
                match parts.as_slice() {
                    [application, environment, profile] if !parts.contains(&"") => {
                        Ok(Self::AppConfig(Profile {
                            application: (*application).to_owned(),
                            environment: (*environment).to_owned(),
                            profile: (*profile).to_owned(),
                        }))
                    }
                    _ => Err(malformed(
                        "write `appconfig:application/environment/profile`",
                    )),
                }
            }
            _ => named(text, "write a path").map(|path| Self::File(path.into())),
        }
    }

    /// Whether the source is read over the network, and may change while the process lives.
    pub const fn is_remote(&self) -> bool {
        match self {
            Self::Ssm(_) | Self::SecretsManager(_) | Self::AppConfig(_) => true,
            Self::File(_) | Self::Text(_) => false,
        }
    }
}

/// The name of the source for messages. The text itself is not shown.
impl std::fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Ssm(name) => write!(f, "ssm:{name}"),
            Self::SecretsManager(name) => write!(f, "secretsmanager:{name}"),
            Self::AppConfig(Profile {
                application,
                environment,
                profile,
            }) => write!(f, "appconfig:{application}/{environment}/{profile}"),
            Self::Text(_) => f.write_str("DOORWARD_CONFIG"),
        }
    }
}

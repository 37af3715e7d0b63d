//! The secrets that a configuration refers to, fetched before it is read.

use std::collections::BTreeMap;

use doorward_engine::config::{SecretReference, secret_references};
use doorward_keys::Secret;
use futures_util::future::join_all;

use super::{NO_ACCESS, aws::AwsAccess, kms, services};

/// Secrets by reference, or why they could not be had.
#[derive(Debug, Default)]
pub struct Secrets(BTreeMap<SecretReference, Result<Secret<String>, String>>);

impl Secrets {
    /// Fetches every secret that the configuration `text` refers to, all at once.
    pub async fn fetch(
        text: &str,
        variables: &(dyn Fn(&str) -> Option<String> + Sync),
        aws: Option<&AwsAccess>,
    ) -> Self {
        let fetches = secret_references(text).into_iter().map(|reference| async {
            let fetched = match (&reference, aws) {
                (SecretReference::Env(name), _) => variables(name)
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| "the environment variable is not set".to_owned()),
                (SecretReference::Ssm(name), Some(aws)) => services::parameter(aws, name).await,
                (SecretReference::SecretsManager(name), Some(aws)) => {
                    services::secret(aws, name).await
                }
                (SecretReference::Kms(key), Some(aws)) => kms::public_key(aws, key).await,
                (_, None) => Err(NO_ACCESS.to_owned()),
            };
            let fetched = fetched.map_err(|why| format!("`{reference}`: {why}"));
            (reference, fetched.map(Secret::new))
        });
        Self(join_all(fetches).await.into_iter().collect())
    }

    /// One secret, for [`doorward_engine::config::ConfigEnv::secret`].
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn secret(&self, reference: &SecretReference) -> Result<Secret<String>, String> {
        match self.0.get(reference) {
            Some(fetched) => fetched.clone(),
            None => Err("it was not fetched".to_owned()),
        }
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let fetched = self.0.values();
        fetched.filter_map(|fetched| fetched.as_ref().ok().map(|secret| secret.expose().as_str()))
    }
}

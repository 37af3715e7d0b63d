//! Builds the function from its environment: the configuration, the table, key administration on both.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use doorward_backends::dynamodb::{Connection, DynamoKeys, Patience, connect};
use doorward_engine::config::{Config, ConfigEnv, ConfigFaults, SecretReference};
use doorward_keys::Secret;

use crate::{
    admin::KeyAdmin,
    settings::{Settings, SettingsError},
};

/// Why the function cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The environment is not valid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The configuration cannot be read.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, String),
    /// The configuration has faults.
    #[error("{0}")]
    Config(ConfigFaults),
    /// The configuration accepts no API keys, so there are none to administer.
    #[error("the configuration has no `api_keys`; key administration needs them")]
    NoKeys,
}

/// Key administration as `environment` says.
pub async fn key_admin(environment: &BTreeMap<String, String>) -> Result<KeyAdmin, WiringError> {
    let settings = Settings::read(environment)?;
    let config = configuration(&settings, environment)?;
    let keys = config.api_keys.as_ref().ok_or(WiringError::NoKeys)?;
    let variable = |name: &str| environment.get(name).cloned();
    let connection = Connection::from_environment(variable, Patience::ADMIN);
    let ledger = DynamoKeys::new(connect(connection).await, settings.keys_table);
    Ok(
        KeyAdmin::from_config(keys, Arc::new(ledger))
            .with_gateway_ttl(settings.gateway_ttl_seconds),
    )
}

fn configuration(
    settings: &Settings,
    environment: &BTreeMap<String, String>,
) -> Result<Config, WiringError> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let source = &settings.config;
    // A path has one line; a configuration has more, or is JSON.
    let is_text = source.contains('\n') || source.trim_start().starts_with('{');
    let (text, name, folder) = if is_text {
        (source.clone(), "DOORWARD_CONFIG", settings.root.clone())
    } else {
        let path = settings.root.join(source);
        let text = read(&path).map_err(|why| WiringError::Unreadable(source.clone(), why))?;
        let folder = path.parent().map(Path::to_path_buf);
        (text, source.as_str(), folder.unwrap_or_default())
    };
    let env = ConfigEnv {
        read_file: &|name| read(&folder.join(name)),
        secret: &|reference| match reference {
            SecretReference::Env(name) => environment
                .get(name)
                .cloned()
                .map(Secret::new)
                .ok_or_else(|| format!("the variable `{name}` is not set")),
            SecretReference::Ssm(_) | SecretReference::SecretsManager(_) => {
                Err("key administration takes secrets from its environment only".to_owned())
            }
        },
    };
    Config::read(&text, name, &env)
        .map(|checked| checked.config)
        .map_err(WiringError::Config)
}

//! Loads one source.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use doorward_engine::layers::certificate::CrlSource;

use super::{
    ApiStages, AwsAccess, ConfigSource, EventBridge, KmsSigner, MAX_BYTES, NO_ACCESS,
    SecretVersions, Secrets, SourceError,
    crls::Crls,
    services::{self, AppConfigPoll},
};

/// Loads one source, again and again where it is remote.
#[derive(Debug)]
pub struct Loader {
    source: ConfigSource,
    root: PathBuf,
    aws: Option<Arc<AwsAccess>>,
    poll: AppConfigPoll,
}

impl Loader {
    /// A loader for `source`. Relative paths begin at `root`; remote sources need `aws`.
    pub fn new(source: ConfigSource, root: PathBuf, aws: Option<AwsAccess>) -> Self {
        Self {
            source,
            root,
            aws: aws.map(Arc::new),
            poll: AppConfigPoll::default(),
        }
    }

    /// The source.
    pub const fn source(&self) -> &ConfigSource {
        &self.source
    }

    /// The text as it is now.
    ///
    /// # Errors
    /// When it cannot be had within the bounds of time and size.
    pub async fn load(&self) -> Result<String, SourceError> {
        let loaded = match &self.source {
            ConfigSource::File(path) => read_file(&self.root, path),
            ConfigSource::Text(text) => Ok(text.clone()),
            ConfigSource::Ssm(name) => match self.aws() {
                Ok(aws) => services::parameter(aws, name).await,
                Err(why) => Err(why),
            },
            ConfigSource::SecretsManager(name) => match self.aws() {
                Ok(aws) => services::secret(aws, name).await,
                Err(why) => Err(why),
            },
            ConfigSource::AppConfig(profile) => match self.aws() {
                Ok(aws) => self.poll.latest(aws, profile).await,
                Err(why) => Err(why),
            },
        };
        loaded.map_err(|why| SourceError::Unreadable {
            what: self.source.to_string(),
            why,
        })
    }

    /// The secrets that `text` refers to, each fetched or with the reason why not. `variables` is the environment.
    pub async fn secrets(
        &self,
        text: &str,
        variables: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Secrets {
        Secrets::fetch(text, variables, self.aws.as_deref()).await
    }

    /// A file that the configuration names, for [`doorward_engine::config::ConfigEnv::read_file`]. A relative path begins at
    /// the folder of the configuration where that is a file, else at the root.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read_file(&self, path: &str) -> Result<String, String> {
        read_file(&self.folder(), Path::new(path))
    }

    /// Fetches the lists of revoked certificates that the configuration names, files from where [`Loader::read_file`] finds them.
    pub fn crls(&self) -> Arc<dyn CrlSource> {
        Arc::new(Crls {
            folder: self.folder(),
            aws: self.aws.clone(),
        })
    }

    /// Where relative paths in the configuration begin.
    fn folder(&self) -> PathBuf {
        match &self.source {
            ConfigSource::File(config) => {
                let config = self.root.join(config);
                config.parent().unwrap_or(&self.root).to_owned()
            }
            _ => self.root.clone(),
        }
    }

    /// What signs by a key of KMS, over the same access; `None` where AWS cannot be called.
    pub fn signer(&self) -> Option<KmsSigner> {
        self.aws.clone().map(KmsSigner::new)
    }

    /// The event bus `bus`, over the same access; `None` where AWS cannot be called.
    pub fn event_bus(&self, bus: String) -> Option<EventBridge> {
        Some(EventBridge::new(self.aws.clone()?, bus))
    }

    /// The stages of API Gateway, over the same access; `None` where AWS cannot be called.
    pub fn stages(&self) -> Option<ApiStages> {
        self.aws.clone().map(ApiStages::new)
    }

    /// Versions of secrets, over the same access; `None` where AWS cannot be called.
    pub fn secret_versions(&self) -> Option<SecretVersions> {
        self.aws.clone().map(SecretVersions::new)
    }

    fn aws(&self) -> Result<&AwsAccess, String> {
        self.aws.as_deref().ok_or_else(|| NO_ACCESS.to_owned())
    }
}

fn read_file(root: &Path, path: &Path) -> Result<String, String> {
    let bytes = read_bytes(&root.join(path))?;
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}

/// The bytes of a file, within the bound of every source.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is longer than {MAX_BYTES} bytes"));
    }
    Ok(bytes)
}

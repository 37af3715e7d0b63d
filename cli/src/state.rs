//! What `doorward local` leaves in `.doorward/` for the other commands: where it listens, and the demo issuer's keys.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::local::Domain;

/// The folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder(PathBuf);

/// Where a running `doorward local` can be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The process.
    pub process: u32,
    /// The address of the gateway, such as `http://127.0.0.1:8787`.
    pub gateway: String,
    /// The `iss` of the demo issuer.
    pub issuer: String,
    /// The audience that its tokens should name.
    pub audience: String,
    /// The address of the embedded `DynamoDB`.
    pub dynamodb: String,
    /// The name of the table with the keys.
    pub table: String,
    /// The name of the table with the counters.
    pub counters_table: String,
    /// Where the configuration in force is, as `--config` takes it, or `None` for the built-in demonstration.
    pub config: Option<String>,
    /// How long the gateway keeps an answer, in seconds.
    pub ttl_seconds: u64,
    /// The address of the API of key administration, where keys are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
    /// The environment of keys that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The domain with mutual TLS, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls: Option<Domain>,
}

impl StateFolder {
    /// `.doorward` in the current folder, where every command looks.
    pub fn here() -> Self {
        Self(PathBuf::from(".doorward"))
    }

    /// Another folder.
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The file with the demo issuer's keys.
    pub fn issuer_keys(&self) -> PathBuf {
        self.0.join("demo-issuer.json")
    }

    /// The folder with certificates for demonstration.
    pub fn mtls(&self) -> PathBuf {
        self.0.join("mtls")
    }

    /// The file with the key of the demonstration's DPoP client.
    pub fn dpop_key(&self) -> PathBuf {
        self.0.join("demo-dpop.pem")
    }

    /// The file with the credentials of the admin API.
    pub fn admin_credentials(&self) -> PathBuf {
        self.0.join("aws-credentials")
    }

    fn running(&self) -> PathBuf {
        self.0.join("local.json")
    }

    /// Makes the folder, and keeps it out of version control.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let ignore = self.0.join(".gitignore");
        if ignore.exists() {
            Ok(())
        } else {
            fs::write(ignore, "*\n")
        }
    }

    /// Writes where this process can be found.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn announce(&self, running: &Running) -> io::Result<()> {
        let text = serde_json::to_string_pretty(running).map_err(io::Error::other)?;
        write_private(&self.running(), text.as_bytes())
    }

    /// Where the running gateway can be found, if one was started here and its file is still there.
    pub fn find(&self) -> Option<Running> {
        serde_json::from_slice(&fs::read(self.running()).ok()?).ok()
    }

    /// Removes what [`StateFolder::announce`] wrote, if it speaks of `process`.
    pub fn withdraw(&self, process: u32) {
        if self
            .find()
            .is_some_and(|running| running.process == process)
        {
            // Left behind, it would only say where nothing listens any more.
            let _ = fs::remove_file(self.running());
        }
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fresh folder for one test.
    pub(crate) fn temporary(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("doorward-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn only_the_process_that_announced_withdraws() {
        let folder = StateFolder::at(temporary("state").join("inner"));
        folder.create().unwrap();
        let running = Running {
            process: 7,
            gateway: "http://127.0.0.1:8787".to_owned(),
            issuer: "http://127.0.0.1:8788".to_owned(),
            audience: "a".to_owned(),
            dynamodb: "http://127.0.0.1:8789".to_owned(),
            table: "keys".to_owned(),
            counters_table: "counters".to_owned(),
            config: None,
            ttl_seconds: 10,
            admin: None,
            environment: None,
            mtls: None,
        };
        folder.announce(&running).unwrap();
        folder.withdraw(8);
        assert_eq!(folder.find(), Some(running));
        folder.withdraw(7);
        assert_eq!(folder.find(), None);
        assert_eq!(
            fs::read_to_string(folder.0.join(".gitignore")).unwrap(),
            "*\n"
        );
        fs::remove_dir_all(folder.0.parent().unwrap()).unwrap();
    }
}

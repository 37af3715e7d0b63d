//! The one principal of the local admin API, and the file from which clients take its credentials.

use std::{fs, io, path::Path};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_keys::Secret;

use crate::state::write_private;

/// The region in which requests are signed.
pub const REGION: &str = "us-east-1";

/// Long-lived credentials of an IAM user that exists on this machine only.
#[derive(Clone, Debug)]
pub struct AdminCredentials {
    /// The id, which is no secret.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret<String>,
}

impl AdminCredentials {
    /// The credentials in the file `path`, which is made when it is not there: a shared credentials file of AWS
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>), for `AWS_SHARED_CREDENTIALS_FILE`.
    ///
    /// # Errors
    /// Those of the file system and of the generator of random numbers.
    pub(in crate::local) fn load_or_create(path: &Path) -> io::Result<Self> {
        if let Some(found) = Self::load(path) {
            return Ok(found);
        }
        let mut random = [0; 40];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let (id, secret) = random.split_at(10);
        let made = Self {
            access_key_id: format!("DOORWARD{}", word(id)),
            secret_access_key: Secret::new(STANDARD.encode(secret)),
        };
        let text = format!(
            "# Of `doorward local`: lets in to its admin API and nowhere else.\n[default]\nregion = {REGION}\n\
             aws_access_key_id = {}\naws_secret_access_key = {}\n",
            made.access_key_id,
            made.secret_access_key.expose()
        );
        write_private(path, text.as_bytes())?;
        Ok(made)
    }

    /// The credentials in the file `path`, if they are there.
    pub fn load(path: &Path) -> Option<Self> {
        Self::read(&fs::read_to_string(path).ok()?)
    }

    /// The same for signing.
    pub fn provider(&self) -> SharedCredentialsProvider {
        let secret = self.secret_access_key.expose().clone();
        let credentials =
            Credentials::new(&self.access_key_id, secret, None, None, "doorward local");
        SharedCredentialsProvider::new(credentials)
    }

    fn read(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            let mut values = pairs.filter(|(found, _)| found.trim() == name);
            let (_, value) = values.next()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Some(Self {
            access_key_id: value("aws_access_key_id")?,
            secret_access_key: Secret::new(value("aws_secret_access_key")?),
        })
    }
}

/// Capitals and digits, as in ids of AWS.
fn word(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| match byte % 36 {
        digit @ 0..10 => char::from(b'0' + digit),
        letter => char::from(b'A' + letter.saturating_sub(10)),
    });
    digits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::temporary;

    #[test]
    fn credentials_are_made_once() {
        let folder = temporary("credentials");
        let path = folder.join("aws-credentials");
        let made = AdminCredentials::load_or_create(&path).unwrap();
        let read = AdminCredentials::load_or_create(&path).unwrap();
        assert_eq!(made.access_key_id, read.access_key_id);
        assert_eq!(
            made.secret_access_key.expose(),
            read.secret_access_key.expose()
        );
        assert_eq!(
            (
                made.access_key_id.len(),
                made.secret_access_key.expose().len()
            ),
            (18, 40)
        );
        assert!(!format!("{made:?}").contains(made.secret_access_key.expose()));
        fs::remove_dir_all(folder).unwrap();
    }
}

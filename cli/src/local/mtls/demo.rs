//! An authority, a server and a client for demonstration: made once, kept in files that their owner alone may read.
//!
//! They prove nothing about anybody. Whoever can read the files is any client that the authority vouches for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use doorward_keys::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use crate::state::write_private;

/// How long the certificates live, in days.
const LIFETIME_DAYS: i64 = 365;

/// How much of their life must be left when they are used again, in seconds.
const LEFT_SECONDS: i64 = 86_400;

/// The identity of the client (SPIFFE ID, section 2).
const CLIENT: &str = "spiffe://demo.invalid/client";

/// The folder with the files.
pub(super) struct Files(PathBuf);

impl Files {
    /// The files in `folder`, made anew where one is missing or their time is nearly over at `now`.
    pub(super) fn load_or_create(folder: &Path, now: Timestamp) -> Result<Self, String> {
        let files = Self(folder.to_owned());
        if !files.are_good(now) {
            files.create(now).map_err(|error| {
                let folder = folder.display();
                format!("the certificates for demonstration cannot be made in `{folder}`: {error}")
            })?;
        }
        Ok(files)
    }

    pub(super) fn authority(&self) -> PathBuf {
        self.0.join("authority.pem")
    }

    pub(super) fn server(&self) -> PathBuf {
        self.0.join("server.pem")
    }

    pub(super) fn server_key(&self) -> PathBuf {
        self.0.join("server-key.pem")
    }

    pub(super) fn client(&self) -> PathBuf {
        self.0.join("client.pem")
    }

    pub(super) fn client_key(&self) -> PathBuf {
        self.0.join("client-key.pem")
    }

    /// The key of the authority, for whoever wants to make more clients.
    fn authority_key(&self) -> PathBuf {
        self.0.join("authority-key.pem")
    }

    /// When they were made, in seconds since the epoch.
    fn stamp(&self) -> PathBuf {
        self.0.join("made-at")
    }

    fn are_good(&self, now: Timestamp) -> bool {
        let made_at = fs::read_to_string(self.stamp());
        let made_at = made_at.ok().and_then(|text| text.trim().parse().ok());
        let Some(made_at) = made_at.map(Timestamp::from_unix) else {
            return false;
        };
        let left = LIFETIME_DAYS * 86_400 - now.since(made_at);
        let files = [
            self.authority(),
            self.server(),
            self.server_key(),
            self.client(),
            self.client_key(),
        ];
        (LEFT_SECONDS..=LIFETIME_DAYS * 86_400).contains(&left)
            && files.iter().all(|file| file.exists())
    }

    fn create(&self, now: Timestamp) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let made = Made::new(now).map_err(io::Error::other)?;
        for (path, text) in [
            (self.authority(), &made.authority),
            (self.authority_key(), &made.authority_key),
            (self.server(), &made.server),
            (self.server_key(), &made.server_key),
            (self.client(), &made.client),
            (self.client_key(), &made.client_key),
            (self.stamp(), &now.unix().to_string()),
        ] {
            write_private(&path, text.as_bytes())?;
        }
        Ok(())
    }
}

/// The texts of the files, in PEM.
struct Made {
    authority: String,
    authority_key: String,
    server: String,
    server_key: String,
    client: String,
    client_key: String,
}

impl Made {
    fn new(now: Timestamp) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let authority_key = key.serialize_pem();
        let mut params = params("Doorward demo authority", now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, key)?;

        let mut of_server = self::params("Doorward demo server", now)?;
        of_server.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into()?),
            SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
            SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()),
        ];
        of_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let mut of_client = self::params("Doorward demo client", now)?;
        of_client.subject_alt_names = vec![SanType::URI(CLIENT.try_into()?)];
        of_client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let signed = |params: CertificateParams| {
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &authority)?;
            Ok::<_, rcgen::Error>((certificate.pem(), key.serialize_pem()))
        };
        let (server, server_key) = signed(of_server)?;
        let (client, client_key) = signed(of_client)?;
        Ok(Self {
            authority: authority.pem(),
            authority_key,
            server,
            server_key,
            client,
            client_key,
        })
    }
}

fn params(name: &str, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "Doorward");
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    let at = |seconds| OffsetDateTime::from_unix_timestamp(now.plus(seconds).unix());
    // An hour for clocks that go wrong.
    if let (Ok(begin), Ok(end)) = (at(-3600), at(LIFETIME_DAYS * 86_400)) {
        params.not_before = begin;
        params.not_after = end;
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_until_their_time_is_nearly_over() {
        let folder = crate::state::tests::temporary("mtls-demo");
        let now = Timestamp::from_unix(1_800_000_000);
        let client = |now| {
            let files = Files::load_or_create(&folder, now).unwrap();
            fs::read_to_string(files.client()).unwrap()
        };
        let first = client(now);
        assert_eq!(client(now.plus(86_400)), first);
        assert_ne!(client(now.plus(LIFETIME_DAYS * 86_400 - 3600)), first);
        let second = client(now);
        fs::remove_file(folder.join("server.pem")).unwrap();
        assert_ne!(client(now), second);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.join("client-key.pem")).unwrap();
            assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}

//! The root certificates of this machine, read once for all clients. Left to themselves, each would read a bundle and every file
//! of a folder, which is most of a cold start.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    ClientConfig, RootCertStore, crypto::aws_lc_rs::default_provider, pki_types::CertificateDer,
};

/// Where systems keep all of them in one file: Amazon Linux and Fedora, Debian and Alpine, SUSE.
const BUNDLES: [&str; 3] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// Variables by which somebody says that others count (OpenSSL: `X509_get_default_cert_file_env`).
const OTHERS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The certificates that can be read.
pub(crate) struct Roots {
    bundle: PathBuf,
    tls: ClientConfig,
}

/// The roots; `None` where they are kept in no place that is known, or others are meant: then clients find them by themselves.
pub(crate) fn roots() -> Option<&'static Roots> {
    static READ: OnceLock<Option<Roots>> = OnceLock::new();
    READ.get_or_init(|| {
        let are_named = OTHERS.iter().any(|name| std::env::var_os(name).is_some());
        let mut bundles = BUNDLES.iter().filter(|_| !are_named);
        bundles.find_map(|path| Roots::of(Path::new(path)))
    })
    .as_ref()
}

impl Roots {
    /// Those in a file; `None` where it has none. What cannot be read is left out, as systems keep certificates of old.
    fn of(bundle: &Path) -> Option<Self> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates(&fs::read(bundle).ok()?));
        if store.is_empty() {
            return None;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Some(Self {
            bundle: bundle.to_owned(),
            tls,
        })
    }

    /// How a client without a certificate of its own speaks TLS. All share the roots and the sessions.
    pub(crate) fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// The certificates themselves, for a client that has one of its own. They are read again.
    pub(crate) fn certificates(&self) -> Vec<reqwest::Certificate> {
        let mut store = RootCertStore::empty();
        let all = certificates(&fs::read(&self.bundle).unwrap_or_default());
        let known = all.into_iter().filter(|one| store.add(one.clone()).is_ok());
        known
            .filter_map(|one| reqwest::Certificate::from_der(&one).ok())
            .collect()
    }
}

/// The certificates in a bundle (RFC 7468); what is none is left out.
fn certificates(bundle: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut found = Vec::new();
    let mut body: Option<Vec<u8>> = None;
    for line in bundle.split(|byte| *byte == b'\n') {
        match line.trim_ascii() {
            b"-----BEGIN CERTIFICATE-----" => body = Some(Vec::with_capacity(2048)),
            b"-----END CERTIFICATE-----" => {
                let text = body.take().unwrap_or_default();
                found.extend(STANDARD.decode(text).ok().map(CertificateDer::from));
            }
            line => {
                if let Some(body) = &mut body {
                    body.extend_from_slice(line);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn what_is_no_certificate_is_left_out() {
        let folder = std::env::temp_dir().join(format!("doorward-roots-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bundle.pem");
        assert!(Roots::of(&path).is_none());
        let good = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let bad = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        fs::write(&path, bad).unwrap();
        assert!(Roots::of(&path).is_none());
        let text = format!("words\n{bad}{}", good.cert.pem());
        fs::write(&path, &text).unwrap();
        let roots = Roots::of(&path).unwrap();
        assert_eq!(roots.certificates().len(), 1);
        assert!(certificates(text.as_bytes()).contains(good.cert.der()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn reads_what_the_library_reads() {
        let made = || rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let pems: Vec<String> = (0..3).map(|_| made().cert.pem()).collect();
        let unix = pems.concat();
        let end = "-----END CERTIFICATE-----\n";
        for text in [
            unix.clone(),
            unix.replace('\n', "\r\n"),
            format!("# a comment\n{}\nand another\n{}", pems[0], pems[1]),
            format!("{end}{unix}"),
            format!("-----BEGIN CERTIFICATE-----\n!\n{end}{unix}"),
            String::new(),
        ] {
            let library = CertificateDer::pem_slice_iter(text.as_bytes());
            let expected: Vec<_> = library.filter_map(Result::ok).collect();
            let found = certificates(text.as_bytes());
            assert_eq!(
                found.iter().filter(|one| !one.is_empty()).count(),
                expected.len()
            );
            assert!(expected.iter().all(|one| found.contains(one)));
        }
    }
}

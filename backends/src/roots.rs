//! The root certificates of this machine, read once. Left to themselves, the client of DynamoDB and that of HTTP each read a
//! bundle and every file of a folder, which is most of a cold start.

use std::{fs, path::Path, sync::OnceLock};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
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
    certificates: Vec<CertificateDer<'static>>,
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
    fn of(path: &Path) -> Option<Self> {
        let text = fs::read(path).ok()?;
        let mut checked = RootCertStore::empty();
        let found = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok);
        let certificates: Vec<_> = found
            .filter(|certificate| checked.add(certificate.clone()).is_ok())
            .map(CertificateDer::into_owned)
            .collect();
        (!certificates.is_empty()).then_some(Self { certificates })
    }

    /// A client for `DynamoDB`; `None` where the library refuses them, and its own way remains.
    pub(crate) fn client(&self) -> Option<SharedHttpClient> {
        let blocks = self.certificates.iter().map(|one| {
            let body = STANDARD.encode(one);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        });
        let store = TrustStore::empty().with_pem_certificate(blocks.collect::<String>());
        let context = TlsContext::builder().with_trust_store(store).build().ok()?;
        // As the SDK makes its own.
        let client = Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(context.clone())
                .proxy_config(ProxyConfig::from_env());
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.build()
        });
        Some(client)
    }

    /// For the client of HTTP.
    pub(crate) fn for_http(&self) -> Vec<reqwest::Certificate> {
        let all = self.certificates.iter();
        all.filter_map(|one| reqwest::Certificate::from_der(one).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
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
        fs::write(&path, format!("words\n{bad}{}", good.cert.pem())).unwrap();
        let roots = Roots::of(&path).unwrap();
        assert_eq!(roots.certificates, [good.cert.der().clone()]);
        assert_eq!(roots.for_http().len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }
}

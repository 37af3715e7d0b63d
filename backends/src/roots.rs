//! The root certificates of this machine, read once for all clients. Left to themselves, each would read a bundle and every file
//! of a folder, which is most of a cold start.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    iter,
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

/// `builder` for a client without a certificate of its own: it trusts the roots, where they are known.
pub(crate) fn trusting(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    match roots() {
        Some(roots) => builder.tls_backend_preconfigured(roots.tls()),
        None => builder,
    }
}

impl Roots {
    /// Those in a file; `None` where it has none. What cannot be read is left out, as systems keep certificates of old.
    fn of(bundle: &Path) -> Option<Self> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates(opened(bundle)?));
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
    fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    /// The certificates themselves, for a client that has one of its own. They are read again.
    pub(crate) fn certificates(&self) -> Vec<reqwest::Certificate> {
        let mut store = RootCertStore::empty();
        let all = opened(&self.bundle).into_iter().flat_map(certificates);
        let known = all.filter(|one| store.add(one.clone()).is_ok());
        known
            .filter_map(|one| reqwest::Certificate::from_der(&one).ok())
            .collect()
    }
}

/// A bundle, where there is one.
fn opened(bundle: &Path) -> Option<BufReader<File>> {
    File::open(bundle).ok().map(BufReader::new)
}

/// The certificates in a bundle (RFC 7468), one after the other, so that a start touches little memory. What is none is left out, and
/// where the bundle can be read no further, it ends.
fn certificates(mut bundle: impl BufRead) -> impl Iterator<Item = CertificateDer<'static>> {
    let (mut line, mut body, mut is_inside) = (Vec::new(), Vec::new(), false);
    iter::from_fn(move || {
        loop {
            line.clear();
            if bundle.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            match line.trim_ascii() {
                b"-----BEGIN CERTIFICATE-----" => {
                    body.clear();
                    is_inside = true;
                }
                b"-----END CERTIFICATE-----" if is_inside => {
                    is_inside = false;
                    if let Ok(der) = STANDARD.decode(&body) {
                        return Some(CertificateDer::from(der));
                    }
                }
                line if is_inside => body.extend_from_slice(line),
                _ => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, pem::PemObject as _},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::dynamodb::{Connection, Patience, connect};

    /// A server that shows `certificate` and answers every request alike, at the port that is given back.
    async fn server(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> u16 {
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        let acceptor = TlsAcceptor::from(Arc::new(tls.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not trust the certificate hangs up here.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = r#"{"TableNames":[]}"#;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn a_server_is_talked_to_only_where_one_of_the_roots_vouches_for_it() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let port = server(made.cert.der().clone(), key).await;
        let url = format!("https://localhost:{port}");
        let path = std::env::temp_dir().join(format!("doorward-root-{}.pem", std::process::id()));
        fs::write(&path, made.cert.pem()).unwrap();
        let with_root = Roots::of(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let client = |tls| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .build()
        };
        let answer = client(with_root.tls()).unwrap().get(&url).send().await;
        assert_eq!(answer.unwrap().status(), 200);

        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&path, other.cert.pem()).unwrap();
        let with_another = Roots::of(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let refused = client(with_another.tls()).unwrap().get(&url).send().await;
        assert!(refused.unwrap_err().is_connect());

        let mut connection = Connection::from_environment(|_| None, Patience::ADMIN);
        connection.region = Some("us-east-1".to_owned());
        connection.credentials = Some(aws_credential_types::Credentials::new(
            "a", "b", None, None, "test",
        ));
        connection.endpoint_url = Some(url);
        let tables = connect(connection).await.list_tables().send().await;
        let why = format!("{:?}", tables.unwrap_err());
        assert!(why.contains("UnknownIssuer"), "{why}");
    }

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
        let all: Vec<_> = certificates(text.as_bytes()).collect();
        assert!(all.contains(good.cert.der()));
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
            let found: Vec<_> = certificates(text.as_bytes()).collect();
            assert_eq!(
                found.iter().filter(|one| !one.is_empty()).count(),
                expected.len()
            );
            assert!(expected.iter().all(|one| found.contains(one)));
        }
    }
}

//! A domain with mutual TLS in front of the gateway, as API Gateway has it: who presents no certificate that a truststore
//! vouches for gets no connection.
//!
//! What API Gateway checks besides the chain is not all played: it takes chains of four certificates at most, and keys of at
//! least 2048 bits (RSA) or 256 bits (ECDSA). Neither it nor this looks at revocation.

mod demo;
mod listener;

use std::{fs, path::PathBuf, sync::Arc};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use serde::{Deserialize, Serialize};

pub(super) use listener::TlsListener;

use super::gateway::DefaultEndpoint;
use crate::state::StateFolder;

/// What the domain is to be.
#[derive(Clone, Debug)]
pub struct Mtls {
    /// The port; 0 for a free one.
    pub port: u16,
    /// Whose certificates are taken, in PEM. Without, those of an authority for demonstration.
    pub truststore: Option<PathBuf>,
    /// Certificate and key of the server, in PEM. Without, those for demonstration.
    pub server: Option<(PathBuf, PathBuf)>,
    /// Whether the address without TLS stays open.
    pub default_endpoint: DefaultEndpoint,
}

/// Where a running domain is, and what a client needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// The address, such as `https://localhost:8789`.
    pub address: String,
    /// The certificates that vouch for the server, where they are those for demonstration.
    pub authority: Option<PathBuf>,
    /// Certificate and key of a client that is let in, where there are some for demonstration.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// The files of a domain, read.
pub(super) struct Ready {
    pub(super) config: Arc<ServerConfig>,
    pub(super) authority: Option<PathBuf>,
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

impl Mtls {
    /// Reads the files, and makes those for demonstration in `state` where they are needed.
    pub(super) fn ready(&self, state: &StateFolder) -> Result<Ready, String> {
        let demo = if self.truststore.is_none() || self.server.is_none() {
            Some(demo::Files::load_or_create(
                &state.mtls(),
                crate::clock::wall(),
            )?)
        } else {
            None
        };
        let of_demo = |file: fn(&demo::Files) -> PathBuf| demo.as_ref().map(file);
        let truststore = self.truststore.clone();
        let truststore = truststore.or_else(|| of_demo(demo::Files::authority));
        let server = self.server.clone();
        let server =
            server.or_else(|| of_demo(demo::Files::server).zip(of_demo(demo::Files::server_key)));
        let (Some(truststore), Some((certificate, key))) = (truststore, server) else {
            return Err("a truststore, a certificate and a key are needed".to_owned());
        };
        let config = config(&truststore, &certificate, &key)?;
        Ok(Ready {
            config: Arc::new(config),
            authority: of_demo(demo::Files::authority).filter(|_| self.server.is_none()),
            client: of_demo(demo::Files::client)
                .zip(of_demo(demo::Files::client_key))
                .filter(|_| self.truststore.is_none()),
        })
    }
}

fn config(
    truststore: &PathBuf,
    certificate: &PathBuf,
    key: &PathBuf,
) -> Result<ServerConfig, String> {
    let mut roots = RootCertStore::empty();
    for root in certificates(truststore)? {
        let name = truststore.display();
        roots
            .add(root)
            .map_err(|error| format!("`{name}` holds no truststore: {error}"))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| format!("`{}` is no truststore: {error}", truststore.display()))?;
    let text = read(key)?;
    let private = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| format!("`{}` holds no private key in PEM", key.display()))?;
    // API Gateway takes TLS 1.2 and later on such a domain.
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])
        .and_then(|builder| {
            builder
                .with_client_cert_verifier(verifier)
                .with_single_cert(
                    certificates(certificate).map_err(rustls::Error::General)?,
                    private,
                )
        })
        .map_err(|error| format!("`{}` cannot be used: {error}", certificate.display()))
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("`{}` holds no certificate in PEM", path.display())),
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
}

//! Who is at the other end of a connection, and which of the two addresses of the API they called.

use std::{net::SocketAddr, sync::Arc};

use super::client_certificate::ClientCertificate;

/// Whether an API with a domain for mutual TLS can still be called by its default address, which asks for no certificate
/// (`DisableExecuteApiEndpoint`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultEndpoint {
    /// There is no domain; the listener without TLS stands for whatever the API has.
    #[default]
    Alone,
    /// There is a domain, and the listener without TLS stands for the default address.
    Open,
    /// The same, and the default address is shut.
    Shut,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Its certificate, where it came over the domain for mutual TLS.
    pub certificate: Option<Arc<ClientCertificate>>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            certificate: None,
        }
    }
}

//! TLS in front of the gateway.

use std::{future::pending, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ServerConfig, pki_types::CertificateDer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    local::gateway::{ClientCertificate, Peer},
    output,
};

/// The longest time that a handshake takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many connections wait to be served.
const WAITING: usize = 64;

/// Takes connections whose client has presented a certificate that holds. Handshakes are made apart, so that nobody waits for
/// a slow one.
pub(crate) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, Peer)>,
    accepting: AbortHandle,
}

impl TlsListener {
    pub(crate) fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(WAITING);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), sender));
        Ok(Self {
            address,
            ready,
            accepting: accepting.abort_handle(),
        })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address.into())
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        stream.remote_addr().clone()
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, Peer)>,
) {
    // Handshakes end with the listener.
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        let Ok((stream, address)) = listener.accept().await else {
            // Too many open files, most likely: it passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        handshakes.spawn(async move {
            let shaken = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
            let outcome = match shaken {
                Ok(Ok(stream)) => peer(&stream, address).map(|peer| (stream, peer)),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("no handshake in time".to_owned()),
            };
            match outcome {
                Ok(connection) => {
                    // Nobody is served any more then.
                    let _ = ready.send(connection).await;
                }
                // The client sees a broken connection, as with API Gateway; here somebody may want to know why.
                Err(why) => output::say(&format!(
                    "no connection for {address}: {}",
                    output::one_line(&why)
                )),
            }
        });
    }
}

fn peer(stream: &TlsStream<TcpStream>, address: SocketAddr) -> Result<Peer, String> {
    let (_, session) = stream.get_ref();
    let leaf = session.peer_certificates().and_then(<[_]>::first);
    let certificate = leaf.and_then(|leaf| ClientCertificate::parse(leaf, pem(leaf)));
    let certificate = certificate.ok_or("the certificate cannot be told to the authorizer")?;
    Ok(Peer {
        address,
        certificate: Some(Arc::new(certificate)),
    })
}

/// RFC 7468 section 5.
fn pem(der: &CertificateDer<'_>) -> String {
    let body = STANDARD.encode(der);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

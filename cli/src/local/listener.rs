//! HTTP in front of the gateway, with TLS and without.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
};
use tokio::net::TcpListener;

use super::{
    gateway::{Gateway, Peer},
    mtls::TlsListener,
};

/// Serves `gateway` on `listener` until `shutdown`; requests under way are finished.
///
/// # Errors
/// Those of the listener.
pub(super) async fn serve(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router::<SocketAddr>(gateway);
    axum::serve(
        listener,
        service.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(shutdown)
    .await
}

/// The same for clients with a certificate.
///
/// # Errors
/// Those of the listener.
pub(super) async fn serve_tls(
    listener: TlsListener,
    gateway: Arc<Gateway>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router::<Peer>(gateway);
    axum::serve(
        listener,
        service.into_make_service_with_connect_info::<Peer>(),
    )
    .with_graceful_shutdown(shutdown)
    .await
}

fn router<P: Into<Peer> + Clone + Send + Sync + 'static>(gateway: Arc<Gateway>) -> Router {
    let answer = move |ConnectInfo(peer): ConnectInfo<P>, request: Request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok::<_, Infallible>(gateway.answer(request, peer).await) }
    };
    Router::new().fallback(answer)
}

//! Discovery and key set over HTTP (OIDC Discovery 1.0 section 4, RFC 7517 section 5).

use std::future::Future;

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Serves the documents of the issuer at `issuer` until `shutdown`.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    issuer: &str,
    key_set: &Value,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let discovery = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks"),
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    });
    let router = Router::new()
        .route("/.well-known/openid-configuration", document(&discovery))
        .route(
            "/.well-known/oauth-authorization-server",
            document(&discovery),
        )
        .route("/jwks", document(key_set));
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

fn document(value: &Value) -> axum::routing::MethodRouter {
    let text = value.to_string();
    get(move || async move { ([(CONTENT_TYPE, "application/json")], text).into_response() })
}

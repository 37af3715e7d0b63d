//! Discovery and key set over HTTP (OIDC Discovery 1.0 section 4, RFC 7517 section 5).

use std::future::Future;

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Where key administration publishes the key set of identity tokens.
pub const IDENTITY_KEY_SET: &str = "/.well-known/jwks.json";

/// Serves the documents of the issuer at `issuer` until `shutdown`, and the key set of identity tokens as key administration
/// does, where there are any.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: TcpListener,
    issuer: &str,
    key_set: &Value,
    identity_key_set: Option<&Value>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let discovery = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks"),
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    });
    let mut router = Router::new()
        .route("/.well-known/openid-configuration", document(&discovery))
        .route(
            "/.well-known/oauth-authorization-server",
            document(&discovery),
        )
        .route("/jwks", document(key_set));
    if let Some(key_set) = identity_key_set {
        router = router.route(IDENTITY_KEY_SET, document(key_set));
    }
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

fn document(value: &Value) -> axum::routing::MethodRouter {
    let text = value.to_string();
    get(move || async move { ([(CONTENT_TYPE, "application/json")], text).into_response() })
}

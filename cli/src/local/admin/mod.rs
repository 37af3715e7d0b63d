//! Key administration on this machine: its own handler behind a listener that treats requests as a REST API with IAM
//! authorization would. Nobody is let in but the one principal of the demonstration.

mod credentials;
mod event;
mod signature;

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header::CONTENT_TYPE,
        request::Parts,
    },
};
use doorward_key_admin::{
    KeyAdmin, SystemEntropy,
    lambda::{Answer, Event, Function},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub use self::credentials::{AdminCredentials, REGION};
use self::{event::Incoming, signature::Unsigned};
use crate::clock;

/// The longest body of a request (Amazon API Gateway quotas, *Payload size*).
const MAX_BODY: usize = 10 * 1024 * 1024;

/// Key administration behind IAM.
pub(super) struct AdminApi {
    function: Function,
    credentials: AdminCredentials,
}

impl AdminApi {
    pub(super) fn new(admin: KeyAdmin, credentials: AdminCredentials) -> Self {
        Self {
            function: Function::new(admin, Arc::new(SystemEntropy), |_| {}),
            credentials,
        }
    }

    /// Answers one request as the gateway and the function behind it would.
    async fn answer(&self, request: Request, peer: SocketAddr) -> Response<Body> {
        let request_id = event::request_id();
        let mut response = match self.pass(request, peer, &request_id).await {
            Ok(answer) => response(&answer),
            Err(refusal) => refusal.response(),
        };
        let id = HeaderValue::try_from(request_id);
        if let Ok(id) = id {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        response
    }

    async fn pass(
        &self,
        request: Request,
        peer: SocketAddr,
        request_id: &str,
    ) -> Result<Value, Refusal> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return Err(Refusal::TooLong);
        };
        let Some(route) = event::route(parts.method.as_str(), parts.uri.path()) else {
            return Err(Refusal::Unsigned(Unsigned::Missing));
        };
        let principal = if route.is_public {
            None
        } else {
            self.verified(&parts, &body).map_err(Refusal::Unsigned)?;
            Some(&self.credentials)
        };
        let incoming = Incoming {
            parts: &parts,
            body: &body,
            route: &route,
            peer: peer.ip(),
            request_id,
            received_at: clock::wall(),
        };
        let Ok(event) = serde_json::from_value::<Event>(incoming.event(principal)) else {
            return Err(Refusal::Failed);
        };
        match self.function.answer(event, request_id, clock::wall()).await {
            Answer::Body(answer) => Ok(answer),
            Answer::Failure(_) => Err(Refusal::Failed),
        }
    }

    fn verified(&self, parts: &Parts, body: &[u8]) -> Result<(), Unsigned> {
        let Parts {
            method,
            uri,
            headers,
            ..
        } = parts;
        signature::verify(
            &self.credentials,
            method.as_str(),
            uri,
            headers,
            body,
            clock::wall(),
        )
    }
}

/// A refusal of the gateway itself, as AWS words it.
enum Refusal {
    Unsigned(Unsigned),
    TooLong,
    Failed,
}

impl Refusal {
    fn response(&self) -> Response<Body> {
        let (status, message, kind) = match self {
            Self::Unsigned(unsigned) => {
                (StatusCode::FORBIDDEN, unsigned.message(), unsigned.kind())
            }
            Self::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Request Too Long".to_owned(),
                "RequestTooLargeException",
            ),
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                "Internal server error".to_owned(),
                "InternalServerErrorException",
            ),
        };
        let mut response = Response::new(Body::from(json!({"message": message}).to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        response
    }
}

/// The answer of the function as the gateway hands it on; one that it cannot read is 502.
fn response(answer: &Value) -> Response<Body> {
    let status = answer.get("statusCode").and_then(Value::as_u64);
    let status = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    let (Some(status), Some(body)) = (status, answer.get("body").and_then(Value::as_str)) else {
        return Refusal::Failed.response();
    };
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = status;
    let mut headers = HeaderMap::new();
    let told = answer.get("headers").and_then(Value::as_object);
    for (name, value) in told.into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str());
        let value = HeaderValue::try_from(value.as_str().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
    *response.headers_mut() = headers;
    response
}

/// Serves `api` on `listener` until `shutdown`; requests under way are finished.
///
/// # Errors
/// Those of the listener.
pub(super) async fn serve(
    listener: TcpListener,
    api: Arc<AdminApi>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let answer = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| {
        let api = Arc::clone(&api);
        async move { Ok::<_, Infallible>(api.answer(request, peer).await) }
    };
    let service = Router::new().fallback(answer);
    axum::serve(
        listener,
        service.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(shutdown)
    .await
}

/// Path and query as the client wrote them.
fn target(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

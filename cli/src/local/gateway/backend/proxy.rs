//! A server behind the gateway.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Method, Response, StatusCode, header},
};

use super::{
    super::{incoming::Incoming, refusal::Refusal},
    MAX_BODY,
};

/// The time that a REST API waits for an integration (API Gateway Developer Guide, *Quotas for configuring and running a REST
/// API*).
const PATIENCE: Duration = Duration::from_secs(29);

/// Headers that belong to one connection (RFC 9110 section 7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Another server.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: String,
    client: reqwest::Client,
}

/// Why a backend cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Not an address of a server.
    #[error("`{0}` is not the address of a backend; write it as `http://localhost:3000`")]
    Address(String),
    /// No client could be built.
    #[error("no HTTP client for the backend: {0}")]
    Client(reqwest::Error),
}

impl Upstream {
    /// The server at `base`; the path of each request is put after it.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub fn new(base: &str) -> Result<Self, UpstreamError> {
        let url = reqwest::Url::parse(base).map_err(|_| UpstreamError::Address(base.to_owned()))?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
        if !is_plain || !matches!(url.scheme(), "http" | "https") {
            return Err(UpstreamError::Address(base.to_owned()));
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(UpstreamError::Client)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { base, client })
    }

    pub(super) async fn answer(
        &self,
        incoming: &Incoming,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response<Body>, Refusal> {
        without_hop_by_hop(&mut headers);
        // The host is that of the backend, the length that of the body as read.
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        let url = self.target(&incoming.path, &incoming.raw_query)?;
        let method = Method::from_bytes(incoming.method.as_bytes())
            .map_err(|error| Refusal::Backend(error.to_string()))?;
        let request = self.client.request(method, url).headers(headers).body(body);
        let answer = request.send().await.map_err(refusal)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let body = bounded(answer).await?;
        without_hop_by_hop(&mut headers);
        headers.remove(header::CONTENT_LENGTH);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl Upstream {
    /// The address of `path` at the backend. Parsing an address resolves dot segments, so that a path could reach the backend
    /// as another than the one that was authorized; such a path is not sent at all.
    fn target(&self, path: &str, query: &str) -> Result<reqwest::Url, Refusal> {
        let changed =
            || Refusal::Backend("the path would not reach it as it was authorized".to_owned());
        let text = format!("{}{path}", self.base);
        let mut url = reqwest::Url::parse(&text).map_err(|_| changed())?;
        if url.as_str() != text {
            return Err(changed());
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        Ok(url)
    }
}

async fn bounded(mut answer: reqwest::Response) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(refusal)? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(Refusal::Backend(
                "its answer is longer than 10 MB".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(error: reqwest::Error) -> Refusal {
    if error.is_timeout() {
        return Refusal::BackendTimeout;
    }
    // The address may hold a query; the cause is what helps.
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    Refusal::Backend(cause.unwrap_or_else(|| error.to_string()))
}

fn without_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_would_change_on_its_way_is_not_sent() {
        let upstream = Upstream::new("http://localhost:3000/base/").unwrap();
        let target =
            |path: &str, query: &str| upstream.target(path, query).map(|url| url.to_string()).ok();
        assert_eq!(
            target("/a/b%20c", "x=1%2F2&y").as_deref(),
            Some("http://localhost:3000/base/a/b%20c?x=1%2F2&y")
        );
        assert_eq!(
            target("/", "").as_deref(),
            Some("http://localhost:3000/base/")
        );
        for path in ["/a/../b", "/a/./b", "/a/%2e%2e/b", "/a/..", "/a/%2E/b"] {
            assert_eq!(target(path, ""), None, "{path}");
        }
    }

    #[test]
    fn refuses_what_is_no_address_of_a_backend() {
        for base in [
            "",
            "localhost:3000",
            "/path",
            "ftp://localhost",
            "http://localhost/?q=1",
            "http://localhost/#f",
            "file:///etc",
        ] {
            assert!(Upstream::new(base).is_err(), "{base}");
        }
    }
}

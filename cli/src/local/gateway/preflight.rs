//! What a browser asks before it sends a request to another origin (Fetch Standard, *CORS-preflight fetch*), answered by the
//! gateway itself as `template.yaml` sets it up: any origin, the headers `Authorization` and `Content-Type`, ten minutes.
//!
//! - **REST**: AWS SAM gives every path an `OPTIONS` method without authorizer that answers 200, whatever the origin (SAM
//!   specification, property `Cors`). A route of the configuration for `OPTIONS` takes its place.
//! - **HTTP**: the gateway answers 204 to every preflight, `OPTIONS` routes or not, and sets the header of the origin in answers
//!   of the backend, in place of the backend's own (API Gateway Developer Guide, *Configure CORS for HTTP APIs*).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};

use super::{routing::Routes, settings::ApiKind};

const ANY_ORIGIN: HeaderValue = HeaderValue::from_static("*");

/// What pages may read of an answer behind an HTTP API: what a backend says of limits.
pub(super) const OF_LIMITS: HeaderValue = HeaderValue::from_static(
    "retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset,ratelimit,ratelimit-policy",
);

/// The verbs of a path that no route is for: those of the template.
const TEMPLATE: [&str; 2] = ["GET", "POST"];

/// The answer to a preflight request; `None` where the request is no such, or one for a route.
pub(super) fn answer(
    api: ApiKind,
    routes: &Routes,
    method: &str,
    path: &str,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    if method != "OPTIONS" {
        return None;
    }
    let verbs = routes.verbs(api, path);
    let (status, body, verbs) = match api {
        ApiKind::Rest if verbs.is_empty() || verbs.has_own_options => return None,
        ApiKind::Rest => (StatusCode::OK, "{}\n", verbs.names()),
        ApiKind::Http if is_preflight(headers) => {
            let names = verbs.names();
            let names = if names.is_empty() {
                TEMPLATE.to_vec()
            } else {
                names
            };
            (StatusCode::NO_CONTENT, "", names)
        }
        ApiKind::Http => return None,
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, value);
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    set(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization,Content-Type"),
    );
    set(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    // Verbs are words of ours, so they always make a header.
    if let Ok(value) = HeaderValue::from_str(&verbs.join(",")) {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, value);
    }
    if api == ApiKind::Rest {
        let json = HeaderValue::from_static("application/json");
        set(header::CONTENT_TYPE, json);
    }
    Some(response)
}

/// Lets a page read what the backend of an HTTP API answered.
pub(super) fn open(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY_ORIGIN);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, OF_LIMITS);
}

fn is_preflight(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

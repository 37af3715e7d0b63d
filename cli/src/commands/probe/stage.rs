//! The stage as callers see it.

use std::time::Duration;

use reqwest::{
    Client, Method, Url,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, RETRY_AFTER},
    redirect,
};

use crate::exit::Failure;

/// How long one request may take: longer than a cold start, shorter than patience.
const PATIENCE: Duration = Duration::from_secs(15);

/// An origin that nobody has (RFC 2606).
const ORIGIN: &str = "https://probe.invalid";

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) allows_origin: bool,
    pub(super) retry_after: bool,
}

impl Seen {
    /// Whether the request reached a backend that answered it.
    pub(super) const fn is_in(&self) -> bool {
        self.status < 400
    }

    pub(super) const fn is_refused(&self) -> bool {
        self.status >= 400 && self.status < 500
    }
}

/// One stage.
pub(super) struct Stage {
    client: Client,
    base: Url,
}

impl Stage {
    pub(super) fn at(url: &str) -> Result<Self, Failure> {
        let base = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
        let base = base.ok_or_else(|| {
            Failure::usage(format!(
                "`{url}` is no address such as https://api.example.com/v1"
            ))
        })?;
        let is_local = base
            .host_str()
            .is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        if base.scheme() == "http" && !is_local {
            return Err(Failure::usage(
                "the credential would go over the network in the clear; the address must be https",
            ));
        }
        let client = Client::builder()
            .user_agent(concat!("doorward-probe/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .build();
        let client = client.map_err(|error| Failure::unavailable(error.to_string()))?;
        Ok(Self { client, base })
    }

    /// Sends one request, with as many credentials as given.
    pub(super) async fn ask(
        &self,
        (method, path): (&str, &str),
        credentials: &[&str],
    ) -> Result<Seen, Failure> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Failure::usage(format!("`{method}` is no method")))?;
        // Taken as it is: the very spelling is what is tried.
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self
            .client
            .request(method.clone(), url)
            .header("origin", ORIGIN);
        if method == Method::OPTIONS {
            request = request
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization");
        }
        for credential in credentials {
            request = request.header(AUTHORIZATION, *credential);
        }
        let answer = request.send().await.map_err(|error| {
            // The address may be shown; headers never are.
            Failure::unavailable(format!("`{}` does not answer: {error}", self.base))
        })?;
        Ok(Seen {
            status: answer.status().as_u16(),
            allows_origin: answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN),
            retry_after: answer.headers().contains_key(RETRY_AFTER),
        })
    }
}

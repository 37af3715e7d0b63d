//! The stage as callers see it.

use std::time::Duration;

use reqwest::{
    Certificate, Client, Identity, Method, Response, Url, header::AUTHORIZATION, redirect,
};

use super::seen::Seen;
use crate::exit::Failure;

/// How long one request may take: longer than a cold start, shorter than patience.
const PATIENCE: Duration = Duration::from_secs(15);

/// How much of an answer is read, in bytes: more than any that a gateway writes.
const MAX_BODY: usize = 4096;

/// An origin that nobody has (RFC 2606).
const ORIGIN: &str = "https://probe.invalid";

/// What a connection needs beside what every machine has. No `Debug`: it holds a private key.
#[derive(Default)]
pub(super) struct Tls {
    /// Who vouches for the stage.
    pub(super) authority: Option<Vec<Certificate>>,
    /// Who is calling.
    pub(super) client: Option<Identity>,
}

/// One stage.
pub(super) struct Stage {
    client: Client,
    base: Url,
}

impl Stage {
    /// The one at `url`.
    pub(super) fn at(url: &str, tls: Tls) -> Result<Self, Failure> {
        let base = address(url)?;
        let mut client = Client::builder()
            .user_agent(concat!("doorward-probe/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE);
        if let Some(authority) = tls.authority {
            client = client.tls_certs_only(authority);
        }
        if let Some(identity) = tls.client {
            client = client.identity(identity);
        }
        let client = client.build().map_err(Failure::unavailable)?;
        Ok(Self { client, base })
    }

    /// Sends one request, with as many credentials as given.
    pub(super) async fn ask(
        &self,
        route: (&str, &str),
        credentials: &[&str],
    ) -> Result<Seen, Failure> {
        let named = credentials.iter().map(|one| (AUTHORIZATION.as_str(), *one));
        self.ask_with(route, &named.collect::<Vec<_>>()).await
    }

    /// Sends one request with these headers.
    pub(super) async fn ask_with(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
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
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.map_err(|error| self.silent(&error))?;
        seen(answer).await.map_err(|error| self.silent(&error))
    }

    /// Whether whoever calls is on this machine too.
    pub(super) fn is_local(&self) -> bool {
        is_local(&self.base)
    }

    /// The address may be shown; headers never are.
    fn silent(&self, error: &reqwest::Error) -> Failure {
        Failure::unavailable(format!("`{}` does not answer: {error}", self.base))
    }
}

async fn seen(mut answer: Response) -> Result<Seen, reqwest::Error> {
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while status >= 400
        && body.len() < MAX_BODY
        && let Some(chunk) = answer.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(Seen::new(status, answer.headers().clone(), &body))
}

/// Reads an address. One with a password in it is not repeated.
fn address(url: &str) -> Result<Url, Failure> {
    let base = Url::parse(url).ok();
    let has_user = match &base {
        Some(base) => {
            !base.username().is_empty() || base.password().is_some() || base.host().is_none()
        }
        None => true,
    };
    if has_user && url.contains('@') {
        return Err(Failure::usage(
            "the address holds a user name or a password; take it out, and put the credential into a file: --credential",
        ));
    }
    let base = base.filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let base = base.ok_or_else(|| {
        Failure::usage(format!(
            "`{url}` is no address such as https://api.example.com/v1"
        ))
    })?;
    if base.scheme() == "http" && !is_local(&base) {
        return Err(Failure::usage(
            "the credential would go over the network in the clear; the address must be https",
        ));
    }
    Ok(base)
}

fn is_local(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

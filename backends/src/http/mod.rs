//! Key sets and discovery documents over HTTP, and calls to authorization servers ([`HttpEndpoints`]), which share its rules.
//!
//! A key set is as powerful as a signature, and its address may come out of a document, so this client does little:
//!
//! 1. One GET, answered by status 200, without redirects, proxies of the environment, cookies or compression.
//! 2. [`Origin::Public`]: https to a host name only. Every address the name resolves to must be public; one that is
//!    loopback, private, link-local (the metadata service, the Lambda runtime) or reserved refuses the name. Certificates
//!    are always checked.
//! 3. [`Origin::Anywhere`], behind a `danger_` setting: http and any address too. The other rules hold as well.
//! 4. One second to connect, two in all, [`MAX_BODY`] bytes, read piece by piece and given up at the limit.
//! 5. A connection that breaks is tried once more within the same two seconds: one kept open since before a sandbox was
//!    frozen may be dead.

mod address;
mod endpoints;
mod freshness;
mod resolver;
pub(crate) mod sdk;
#[cfg(test)]
mod tests;

use std::{error::Error as _, sync::OnceLock, time::Duration};

use async_trait::async_trait;
use doorward_engine::layers::jwt::{FetchError, Fetched, KeySetSource, Origin};
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode, Url, header, redirect};

pub use endpoints::HttpEndpoints;
use resolver::{PublicOnly, RefusedAddress};

use crate::roots::trusting;

/// The longest body that is read, in bytes.
pub const MAX_BODY: usize = 512 * 1024;

/// The longest time until a connection stands, name lookup and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The longest time a fetch takes, the second try included.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an idle connection is kept: discovery and key set are often fetched one after the other.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches key sets over HTTP. One for the life of the process.
#[derive(Debug, Default)]
pub struct HttpKeySets {
    // Made at the first use: reading the root certificates takes milliseconds, and keys that are part of the
    // configuration need no client.
    public: OnceLock<Result<Client, String>>,
    anywhere: OnceLock<Result<Client, String>>,
}

impl HttpKeySets {
    /// A client that has not connected to anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, origin: Origin) -> Result<&Client, String> {
        let made = match origin {
            Origin::Public => self.public.get_or_init(|| build(origin)),
            Origin::Anywhere => self.anywhere.get_or_init(|| build(origin)),
        };
        made.as_ref().map_err(Clone::clone)
    }
}

fn build(origin: Origin) -> Result<Client, String> {
    builder(origin, None)
        .timeout(TOTAL_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(1)
        .build()
        .map_err(|error| causes(&error))
}

/// What every client has: no redirects, no proxies of the environment, and only the addresses that `origin` allows. Servers show
/// a certificate of one of `trusted`, else of the roots of this machine.
fn builder(origin: Origin, trusted: Option<Vec<Certificate>>) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("doorward/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT);
    let builder = match trusted {
        Some(trusted) => builder.tls_certs_only(trusted),
        None => trusting(builder),
    };
    match origin {
        Origin::Public => builder.https_only(true).dns_resolver(PublicOnly),
        Origin::Anywhere => builder,
    }
}

#[async_trait]
impl KeySetSource for HttpKeySets {
    async fn fetch(&self, url: &str, origin: Origin) -> Result<Fetched, FetchError> {
        let url = address::check(url, origin)?;
        let failed = |why| FetchError::Failed(url.to_string(), why);
        let client = self.client(origin).map_err(failed)?;
        let outcome = tokio::time::timeout(TOTAL_TIMEOUT, async {
            match get(client, &url).await {
                Err(Failure::Broken(_)) => get(client, &url).await,
                outcome => outcome,
            }
        });
        match outcome.await {
            Ok(Ok(fetched)) => Ok(fetched),
            Ok(Err(Failure::Refused(why))) => Err(FetchError::Forbidden(url.to_string(), why)),
            Ok(Err(Failure::Final(why) | Failure::Broken(why))) => Err(failed(why)),
            Ok(Err(Failure::TooLong)) => Err(failed(format!(
                "the answer is longer than {MAX_BODY} bytes"
            ))),
            Ok(Err(Failure::Late)) | Err(_) => Err(failed(timed_out())),
        }
    }
}

/// Why one try came to nothing.
enum Failure {
    /// The connection broke; another may do better.
    Broken(String),
    /// The name resolves to an address that must not be reached.
    Refused(&'static str),
    /// The answer is longer than may be read.
    TooLong,
    /// There is no time left.
    Late,
    /// Another try would end the same way.
    Final(String),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if refused_address(&error) {
            Self::Refused("its name resolves to an address that is not public")
        } else if error.is_timeout() {
            Self::Late
        } else if error.is_connect() && !is_reset(&error) {
            Self::Final(causes(&error))
        } else {
            Self::Broken(causes(&error))
        }
    }
}

async fn get(client: &Client, url: &Url) -> Result<Fetched, Failure> {
    let response = client
        .get(url.clone())
        .header(header::ACCEPT, "application/json, application/jwk-set+json")
        .header(header::ACCEPT_ENCODING, "identity")
        .send()
        .await?;
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        let hint = if response.status().is_redirection() {
            ", and redirects are not followed"
        } else {
            ""
        };
        return Err(Failure::Final(format!("status {status}{hint}")));
    }
    let max_age = freshness::max_age(response.headers());
    let body = read(response, MAX_BODY).await?;
    Ok(Fetched { body, max_age })
}

/// Reads the body piece by piece; what is over the limit is left on the wire.
async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, Failure> {
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Failure::Final(
            "the answer is compressed, which was not asked for".to_owned(),
        ));
    }
    let limit = u64::try_from(max).unwrap_or(u64::MAX);
    if response
        .content_length()
        .is_some_and(|length| length > limit)
    {
        return Err(Failure::TooLong);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len().saturating_add(piece.len()) > max {
            return Err(Failure::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn timed_out() -> String {
    format!("no answer within {} seconds", TOTAL_TIMEOUT.as_secs())
}

/// The error and what caused it, on one line and without the address, which stands before it already.
fn causes(error: &reqwest::Error) -> String {
    let mut text = match error.source() {
        None => error.to_string(),
        Some(_) if error.is_connect() => "cannot connect".to_owned(),
        Some(_) => "the connection failed".to_owned(),
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let message = inner.to_string();
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = inner.source();
    }
    text
}

fn refused_address(error: &reqwest::Error) -> bool {
    chain(error).any(<dyn std::error::Error>::is::<RefusedAddress>)
}

fn is_reset(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind;
    chain(error)
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|io| {
            matches!(
                io.kind(),
                ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
            )
        })
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(
        error.source(),
        |cause: &&(dyn std::error::Error + 'static)| (*cause).source(),
    )
}

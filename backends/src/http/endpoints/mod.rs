//! Forms to authorization servers over HTTPS.
//!
//! The rules of key sets hold here too: https to public names only, unless a `danger_` setting says otherwise; no redirects,
//! no proxies, no compression; certificates are always checked. Beside them:
//!
//! 1. The time of a call, the second try included, and the length of the answer are those of the endpoint.
//! 2. A connection that breaks is tried once more: asking twice about a token changes nothing at the server, and one kept open
//!    since before a sandbox was frozen may be dead. Each try has an assertion of its own, because servers take one once only.
//! 3. Client certificates and trusted authorities belong to a connection, so each pair of them has a client of its own.

mod auth;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{Context, SHA256};
use doorward_engine::{
    authority::{Answered, Call, CallError, ClientAuth, Endpoint, TokenEndpoints},
    layers::jwt::{FetchError, Origin},
};
use reqwest::{Certificate, Client, Identity, Response, Url, header};

use super::{Failure, address, builder, causes, read};
use crate::roots::roots;

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many idle connections are kept for each server.
const IDLE_CONNECTIONS: usize = 4;
/// The most clients that are kept. A configuration needs one for each server at most; the clients of configurations before
/// it are of no use.
const MAX_CLIENTS: usize = 32;

/// Which client a call needs: what may be reached, and the digest of certificates.
type Need = (bool, Vec<u8>);

/// Sends forms to authorization servers. One for the life of the process.
#[derive(Debug, Default)]
pub struct HttpEndpoints {
    // Made at the first use: reading the root certificates takes milliseconds.
    clients: Mutex<HashMap<Need, Client>>,
}

impl HttpEndpoints {
    /// A client that has not connected to anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, endpoint: &Endpoint) -> Result<Client, String> {
        let identity = match &endpoint.client.auth {
            ClientAuth::Certificate(pem) => Some(pem.expose()),
            ClientAuth::Basic(_) | ClientAuth::Post(_) | ClientAuth::PrivateKeyJwt(_) => None,
        };
        let mut context = Context::new(&SHA256);
        for part in [identity, endpoint.authority.as_ref()] {
            let length = part.map_or(u64::MAX, |part| u64::try_from(part.len()).unwrap_or(0));
            context.update(&length.to_be_bytes());
            context.update(part.map_or(&[], |part| part.as_bytes()));
        }
        let need = (
            endpoint.origin == Origin::Anywhere,
            context.finish().as_ref().to_vec(),
        );
        // The lock is held for one map operation, or while a client is made once; it leaves a whole map behind.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&need) {
            return Ok(client.clone());
        }
        let client = build(endpoint, identity)?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(need, client.clone());
        Ok(client)
    }
}

fn build(endpoint: &Endpoint, identity: Option<&String>) -> Result<Client, String> {
    let trusted = endpoint.authority.as_ref().map(|authority| {
        Certificate::from_pem_bundle(authority.as_bytes())
            .map_err(|error| format!("`ca_file`: {}", causes(&error)))
    });
    // Who shows a certificate of their own needs the roots as certificates too.
    let of_machine = || identity.and_then(|_| Some(roots()?.certificates()));
    let trusted = trusted.transpose()?.or_else(of_machine);
    let mut builder = builder(endpoint.origin, trusted)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS);
    if let Some(identity) = identity {
        // What the library says of a bad key could hold parts of it.
        let identity = Identity::from_pem(identity.as_bytes())
            .map_err(|_| "the client certificate or its private key cannot be read".to_owned())?;
        builder = builder.identity(identity);
    }
    builder.build().map_err(|error| causes(&error))
}

#[async_trait]
impl TokenEndpoints for HttpEndpoints {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        let endpoint = call.endpoint;
        let url = address::check(&endpoint.url, endpoint.origin).map_err(|error| match error {
            FetchError::Forbidden(url, why) => CallError::Forbidden(url, why),
            FetchError::Failed(url, why) => CallError::Failed(url, why),
        })?;
        let failed = |why| CallError::Failed(url.to_string(), why);
        let late = || CallError::Late(url.to_string(), call.within.as_millis());
        // What a client costs that is made at the first use counts too.
        let outcome = tokio::time::timeout(call.within, async {
            let client = self.client(endpoint).map_err(Failure::Final)?;
            match send(&client, &url, call).await {
                Err(Failure::Broken(_)) => send(&client, &url, call).await,
                outcome => outcome,
            }
        });
        match outcome.await {
            Ok(Ok(answered)) => Ok(answered),
            Ok(Err(Failure::Refused(why))) => Err(CallError::Forbidden(url.to_string(), why)),
            Ok(Err(Failure::TooLong)) => {
                Err(CallError::TooLong(url.to_string(), endpoint.max_bytes))
            }
            Ok(Err(Failure::Final(why) | Failure::Broken(why))) => Err(failed(why)),
            Ok(Err(Failure::Late)) | Err(_) => Err(late()),
        }
    }
}

async fn send(client: &Client, url: &Url, call: &Call<'_>) -> Result<Answered, Failure> {
    let auth::Proof { fields, header } =
        auth::prove(call, &aws_lc_rs::rand::SystemRandom::new()).map_err(Failure::Final)?;
    let own = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let body = auth::form(call.form.iter().copied().chain(own));
    let mut request = client
        .post(url.clone())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, call.accept)
        .header(header::ACCEPT_ENCODING, "identity")
        .timeout(call.within)
        .body(body);
    if let Some(header) = header {
        request = request.header(header::AUTHORIZATION, header);
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    let media_type = media_type(&response);
    let body = read(response, call.endpoint.max_bytes).await?;
    Ok(Answered {
        status,
        media_type,
        body,
    })
}

/// The media type without its parameters, in lower case.
fn media_type(response: &Response) -> String {
    let stated = response.headers().get(header::CONTENT_TYPE);
    let stated = stated.and_then(|value| value.to_str().ok()).unwrap_or("");
    let plain = stated.split(';').next().unwrap_or_default();
    plain.trim().to_ascii_lowercase()
}

//! HTTP for the SDK of AWS by the client that everything else here uses: one TLS, whose roots are read once.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::config::{
    HttpClient, RuntimeComponents, SharedHttpClient,
    http::{HttpRequest, HttpResponse},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    result::ConnectorError,
};
use reqwest::{Client, redirect};

use crate::roots::trusting;

/// How long a connection may take to stand, and an answer to go on.
type Waits = (Option<Duration>, Option<Duration>);

/// The client of the SDK. Calls with the same times to wait share their connections.
#[derive(Debug, Default)]
struct ByReqwest(Mutex<Vec<(Waits, SharedHttpConnector)>>);

/// A client for the SDK.
pub(crate) fn client() -> SharedHttpClient {
    SharedHttpClient::new(ByReqwest::default())
}

impl HttpClient for ByReqwest {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let waits = (settings.connect_timeout(), settings.read_timeout());
        // The lock is held while a client is made once; it leaves a whole list behind.
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = made.iter().find(|(of, _)| *of == waits) {
            return connector.clone();
        }
        let connector =
            SharedHttpConnector::new(Connector(build(waits).map_err(|e| e.to_string())));
        made.push((waits, connector.clone()));
        connector
    }
}

fn build((connect, read): Waits) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false);
    if let Some(connect) = connect {
        builder = builder.connect_timeout(connect);
    }
    if let Some(read) = read {
        builder = builder.read_timeout(read);
    }
    trusting(builder).build()
}

/// A client, or why there is none.
struct Connector(Result<Client, String>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let client = client.map_err(|why| ConnectorError::user(why.into()))?;
            let request = outgoing(request)?;
            let response = client.execute(request).await.map_err(fault)?;
            let (status, headers) = (response.status(), response.headers().clone());
            // Answers of DynamoDB are at most 16 MB, and read as a whole in any case.
            let body = response.bytes().await.map_err(fault)?;
            let mut incoming = http::Response::new(body.into());
            *incoming.status_mut() = status;
            *incoming.headers_mut() = headers;
            HttpResponse::try_from(incoming)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let Some(body) = body.bytes().map(<[u8]>::to_vec) else {
        return Err(ConnectorError::user("a body that is a stream".into()));
    };
    http::Request::from_parts(parts, body)
        .try_into()
        .map_err(|error: reqwest::Error| ConnectorError::user(error.into()))
}

/// What the SDK is to make of a failure: what may pass is tried again, as far as the patience goes.
fn fault(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

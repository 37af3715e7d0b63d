//! The end of the process, heard in time to write what is only in memory.
//!
//! Lambda tells a function of its end only where an extension is registered, by SIGTERM, and leaves it half a second then
//! (AWS: Lambda execution environment lifecycle, shutdown phase; runtimes get less beside external extensions). So the
//! function registers itself as an extension that asks for no events. An environment that knows no extensions, such as
//! some emulators, sends its signal all the same.

use std::time::Duration;

use lambda_runtime_api_client::{BoxError, PooledClient, body::Body, build_request};

/// Unique among the extensions of a function, as Lambda demands.
const NAME: &str = "doorward-authorizer";
/// The header that tells one extension from another (AWS: Lambda extensions API).
const IDENTIFIER: &str = "lambda-extension-identifier";
/// How long registering may take; it is a call on the same machine.
const PATIENCE: Duration = Duration::from_millis(500);

/// Registers the function as an extension. To be called before the first event is asked for: that ends the time for it.
pub(crate) async fn register() -> Result<(), String> {
    let client = PooledClient::builder().build();
    let registered = tokio::time::timeout(PATIENCE, registered(&client)).await;
    let identifier = registered
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| error.to_string())?;
    // Lambda takes an extension for ready when it asks for its next event; as it asks for none, no answer ever comes.
    let next = build_request()
        .uri("/2020-01-01/extension/event/next")
        .header(IDENTIFIER, identifier)
        .body(Body::empty())
        .map_err(|error| error.to_string())?;
    tokio::spawn(async move { client.call(next).await.is_ok() });
    Ok(())
}

async fn registered(client: &PooledClient) -> Result<String, BoxError> {
    let register = build_request()
        .method("POST")
        .uri("/2020-01-01/extension/register")
        .header("lambda-extension-name", NAME)
        .header("content-type", "application/json")
        .body(Body::from(r#"{"events":[]}"#))?;
    let answer = client.call(register).await?;
    let identifier = answer.headers().get(IDENTIFIER);
    match identifier.map(|value| value.to_str()) {
        Some(Ok(identifier)) if answer.status().is_success() => Ok(identifier.to_owned()),
        _ => Err(format!("the answer was {}", answer.status()).into()),
    }
}

/// What tells the process of its end. It is heard from the moment that this is made.
#[cfg(unix)]
pub(crate) struct Ending {
    terminate: std::io::Result<tokio::signal::unix::Signal>,
    interrupt: std::io::Result<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Ending {
    /// Begins to listen for SIGTERM and for an interrupt.
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        Self {
            terminate: signal(SignalKind::terminate()),
            interrupt: signal(SignalKind::interrupt()),
        }
    }

    /// Waits for either. Where signals cannot be had, for ever.
    pub(crate) async fn told(&mut self) {
        let heard = async |signal: &mut std::io::Result<tokio::signal::unix::Signal>| match signal {
            Ok(signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        };
        tokio::select! {
            () = heard(&mut self.terminate) => {}
            () = heard(&mut self.interrupt) => {}
        }
    }
}

/// What tells the process of its end.
#[cfg(not(unix))]
pub(crate) struct Ending;

#[cfg(not(unix))]
impl Ending {
    /// Begins to listen.
    pub(crate) fn listen() -> Self {
        Self
    }

    /// Waits for an interrupt. Where signals cannot be had, for ever.
    pub(crate) async fn told(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

//! Counterparts of `DynamoDB`: a real one for the suites, and stand-ins that fail on purpose.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::StatusCode};
use doorward_backends::dynamodb::{DynamoKeys, Patience, connect};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
};

/// The variable that names the endpoint of a `DynamoDB` to run the suites against.
pub const ENDPOINT: &str = "DOORWARD_TEST_DYNAMODB_ENDPOINT";
/// The variable that lists what must not be skipped where `CI` is set.
pub const REQUIRE: &str = "DOORWARD_TEST_REQUIRE";

/// The endpoint that the environment names; `None`, with a word on it, where there is none.
///
/// # Panics
///
/// Where `CI` is set and [`REQUIRE`] holds `dynamodb-endpoint`: a gate that must run does not pass by being skipped.
pub fn endpoint_of_environment() -> Option<String> {
    let found = variable(ENDPOINT);
    let required = variable("CI").is_some()
        && variable(REQUIRE).is_some_and(|list| list.contains("dynamodb-endpoint"));
    assert!(
        found.is_some() || !required,
        "{ENDPOINT} is not set, and {REQUIRE} demands it"
    );
    if found.is_none() {
        println!("skipped: {ENDPOINT} is not set");
    }
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "suites are steered by the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The keys in table `table` behind `url`, with the patience of the authorizer.
pub async fn keys_behind(url: &str, table: &str) -> DynamoKeys {
    let mut connection = doorward::dynamodb::connection(url);
    connection.patience = Patience::AUTHORIZER;
    DynamoKeys::new(connect(connection).await, table)
}

/// Accepts connections and never answers.
pub struct Silent {
    /// Where it listens.
    pub url: String,
    task: JoinHandle<()>,
}

impl Silent {
    /// Listens on a free port.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn start() -> std::io::Result<Self> {
        let (listener, address) = listen().await?;
        let task = tokio::spawn(async move {
            let held: Mutex<Vec<TcpStream>> = Mutex::default();
            while let Ok((stream, _)) = listener.accept().await {
                held.lock().await.push(stream);
            }
        });
        Ok(Self {
            url: format!("http://{address}"),
            task,
        })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers every request with one status and body, and counts the requests.
pub struct Parrot {
    /// Where it listens.
    pub url: String,
    heard: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Parrot {
    /// Listens on a free port.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn start(status: StatusCode, body: &'static str) -> std::io::Result<Self> {
        let (listener, address) = listen().await?;
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        let router = Router::new().fallback(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                let kind = [("content-type", "application/x-amz-json-1.0")];
                (status, kind, body)
            }
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url: format!("http://{address}"),
            heard,
            task,
        })
    }

    /// How many requests came.
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

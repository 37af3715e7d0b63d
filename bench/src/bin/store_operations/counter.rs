//! Counts what is asked of a `DynamoDB`: everything goes through here and on to the real one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The longest request that is passed on, in bytes: four times what `DynamoDB` takes.
const MAX_REQUEST: usize = 64 << 20;

/// How often each operation was asked for.
pub(crate) type Operations = BTreeMap<String, u64>;

/// A counter in front of a `DynamoDB`. It stops when dropped.
pub(crate) struct Counter {
    /// Where it listens.
    pub(crate) url: String,
    counted: Arc<Mutex<Operations>>,
    task: JoinHandle<()>,
}

struct Shared {
    target: String,
    client: reqwest::Client,
    counted: Arc<Mutex<Operations>>,
}

impl Counter {
    /// Listens on a free port of the loopback address, in front of `target`.
    pub(crate) async fn before(target: String) -> anyhow::Result<Self> {
        let counted = Arc::new(Mutex::new(Operations::new()));
        let shared = Arc::new(Shared {
            target,
            client: reqwest::Client::builder().no_proxy().build()?,
            counted: Arc::clone(&counted),
        });
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("cannot listen on the loopback address")?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass).with_state(shared);
        let task = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, counted, task })
    }

    /// What was counted since the last time.
    pub(crate) fn take(&self) -> Operations {
        std::mem::take(&mut *lock(&self.counted))
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The operation stands behind the dot of `X-Amz-Target`, such as `DynamoDB_20120810.GetItem`.
async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let operation = parts.headers.get("x-amz-target");
    let operation = operation.and_then(|value| value.to_str().ok()?.split_once('.'));
    let operation = operation.map_or("unknown", |(_, operation)| operation);
    *lock(&shared.counted)
        .entry(operation.to_owned())
        .or_default() += 1;
    match to_bytes(body, MAX_REQUEST).await {
        Ok(body) => answered(&shared, parts.headers, body).await,
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn answered(shared: &Shared, mut headers: HeaderMap, body: Bytes) -> Response {
    headers.remove("host");
    let request = shared.client.post(&shared.target).headers(headers);
    let told = async {
        let answer = request.body(body).send().await?;
        let status = answer.status();
        let kind = answer.headers().get("content-type").cloned();
        Ok::<_, reqwest::Error>((status, kind, answer.bytes().await?))
    };
    match told.await {
        Ok((status, kind, body)) => {
            let mut response = (status, body).into_response();
            if let Some(kind) = kind {
                response.headers_mut().insert("content-type", kind);
            }
            response
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

fn lock(counted: &Mutex<Operations>) -> std::sync::MutexGuard<'_, Operations> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The side of Lambda that a function sees: it hands out events, takes answers and registers extensions
//! (AWS: Lambda runtime API, Lambda extensions API).

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// What a function answered: a value, or an error.
pub type Answered = Result<Value, Value>;

/// Lambda, for one sandbox. It ends when dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<(String, Value)>,
    task: JoinHandle<()>,
}

struct Shared {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, Value)>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Answered>>>,
    /// How often the function asked for an event.
    asked: watch::Sender<u64>,
    registered: Mutex<Vec<(String, String)>>,
    /// How many extensions asked for their first event.
    ready: AtomicU64,
    knows_extensions: bool,
    timeout: Duration,
    number: AtomicU64,
    under_way: AtomicU64,
    most: AtomicU64,
}

impl RuntimeApi {
    /// Listens on a free port, for a function with this timeout.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn start(timeout: Duration, knows_extensions: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            waiting: tokio::sync::Mutex::new(waiting),
            answers: Mutex::default(),
            asked: watch::Sender::new(0),
            registered: Mutex::default(),
            ready: AtomicU64::new(0),
            knows_extensions,
            timeout,
            number: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            most: AtomicU64::new(0),
        });
        let runtime = "/2018-06-01/runtime";
        let router = Router::new()
            .route(&format!("{runtime}/invocation/next"), get(next))
            .route(
                &format!("{runtime}/invocation/{{id}}/response"),
                post(response),
            )
            .route(&format!("{runtime}/invocation/{{id}}/error"), post(error))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(extension_next))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            shared,
            events,
            task,
        })
    }

    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends an event and waits for the answer; `None` when none comes, because the function is gone.
    pub async fn invoke(&self, event: Value) -> Option<Answered> {
        let number = self.shared.number.fetch_add(1, Ordering::SeqCst);
        let id = format!("call-{number}");
        let (answer, answered) = oneshot::channel();
        self.shared.answers().insert(id.clone(), answer);
        self.events.send((id, event)).ok()?;
        let patience = self.shared.timeout.saturating_mul(4);
        tokio::time::timeout(patience, answered).await.ok()?.ok()
    }

    /// Waits until the function has asked for as many events as it was sent and one more: it has done then whatever it does
    /// after an answer. Says whether it came to that.
    pub async fn until_idle(&self) -> bool {
        let sent = self.sent();
        let mut asked = self.shared.asked.subscribe();
        let idle = asked.wait_for(|asked| *asked > sent);
        let waited = tokio::time::timeout(Duration::from_secs(30), idle).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// How many events were sent.
    pub fn sent(&self) -> u64 {
        self.shared.number.load(Ordering::SeqCst)
    }

    /// How many events were under way at once, at most.
    pub fn most_at_once(&self) -> u64 {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// The extensions that registered: name and body.
    pub fn registered(&self) -> Vec<(String, String)> {
        let held = self.shared.registered.lock();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many of them asked for their first event, as they must before the first call.
    pub fn ready(&self) -> u64 {
        self.shared.ready.load(Ordering::SeqCst)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn answers(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Answered>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, id: &str, answered: Answered) -> StatusCode {
        match self.answers().remove(id) {
            None => StatusCode::BAD_REQUEST,
            Some(waiting) => {
                self.under_way.fetch_sub(1, Ordering::SeqCst);
                // Whoever asked may have lost patience.
                let _ = waiting.send(answered);
                StatusCode::ACCEPTED
            }
        }
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.asked.send_modify(|asked| *asked += 1);
    let Some((id, event)) = shared.waiting.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let under_way = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most.fetch_max(under_way, Ordering::SeqCst);
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline(shared.timeout)),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:111122223333:function:authorizer".to_owned(),
        ),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value));
    (axum::response::AppendHeaders(headers), event.to_string()).into_response()
}

#[expect(clippy::disallowed_methods, reason = "Lambda tells the real time")]
fn deadline(timeout: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let end = now.unwrap_or_default().saturating_add(timeout);
    end.as_millis().to_string()
}

fn value(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    shared.answered(&id, Ok(value(&body)))
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    shared.answered(&id, Err(value(&body)))
}

async fn register(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    if !shared.knows_extensions {
        return StatusCode::NOT_FOUND.into_response();
    }
    let name = headers.get("lambda-extension-name");
    let name = name.and_then(|name| name.to_str().ok()).unwrap_or_default();
    let mut registered = shared
        .registered
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    registered.push((name.to_owned(), body));
    let identifier = [(
        HeaderName::from_static("lambda-extension-identifier"),
        "e-1",
    )];
    (identifier, "{}").into_response()
}

async fn extension_next(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> StatusCode {
    let identifier = headers.get("lambda-extension-identifier");
    if identifier.is_none_or(|identifier| identifier != "e-1") {
        return StatusCode::FORBIDDEN;
    }
    shared.ready.fetch_add(1, Ordering::SeqCst);
    // It asked for no events, so none comes.
    std::future::pending().await
}

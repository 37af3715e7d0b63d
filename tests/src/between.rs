//! Stands between a client and a `DynamoDB`, hears every call, and decides what becomes of it.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is asked for, such as `GetItem`.
    pub action: String,
    /// What it says.
    pub body: Value,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is done and answered.
    Passed,
    /// It never arrives.
    Lost,
    /// It is done, and the answer is lost.
    Unanswered,
    /// It is refused as a role without the right would be, for this reason.
    Denied(String),
}

type Judge = dyn Fn(&Call) -> Fate + Send + Sync;

/// The place between. It closes when dropped.
pub struct Between {
    /// Where it listens.
    pub url: String,
    task: JoinHandle<()>,
}

struct Post {
    behind: String,
    judge: Box<Judge>,
    client: reqwest::Client,
}

impl Between {
    /// Stands before the `DynamoDB` at `behind`.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub async fn start(
        behind: &str,
        judge: impl Fn(&Call) -> Fate + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let post = Arc::new(Post {
            behind: behind.to_owned(),
            judge: Box::new(judge),
            client: reqwest::Client::new(),
        });
        let router = Router::new().fallback(heard).with_state(post);
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn heard(State(post): State<Arc<Post>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let action = target.and_then(|target| target.split('.').nth(1));
    let call = Call {
        action: action.unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let lost = || {
        answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "com.amazonaws.dynamodb.v20120810#InternalServerError",
            "lost",
        )
    };
    match (post.judge)(&call) {
        Fate::Passed => pass(&post, &headers, body).await.unwrap_or_else(|_| lost()),
        Fate::Lost => lost(),
        Fate::Unanswered => {
            let _ = pass(&post, &headers, body).await;
            lost()
        }
        Fate::Denied(why) => answer(
            StatusCode::BAD_REQUEST,
            "com.amazon.coral.service#AccessDeniedException",
            &why,
        ),
    }
}

async fn pass(post: &Post, headers: &HeaderMap, body: Bytes) -> reqwest::Result<Response> {
    let mut request = post.client.post(&post.behind).body(body);
    for name in [
        "x-amz-target",
        "content-type",
        "authorization",
        "x-amz-date",
    ] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    Ok((
        status,
        [("content-type", "application/x-amz-json-1.0")],
        body,
    )
        .into_response())
}

fn answer(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({"__type": kind, "message": message}).to_string();
    (
        status,
        [("content-type", "application/x-amz-json-1.0")],
        body,
    )
        .into_response()
}

//! `doorward probe`: against the gateway on this machine, which does as AWS does, and against stages that do not.

mod local;
mod said;
mod stages;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;

use crate::run::{Ended, Folder};

/// A stage that answers as `answer` says, status and whether the two headers are there; it is given the request and how many came
/// before. It is a REST API, and its 403 and 429 are those of a policy.
async fn stage<A>(answer: A) -> String
where
    A: Fn(&Request, usize) -> (u16, bool, bool) + Send + Sync + 'static,
{
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let app = Router::new().fallback(move |request: Request| {
        let (status, allows_origin, retry_after) =
            answer(&request, count.fetch_add(1, Ordering::SeqCst));
        async move {
            let mut headers = HeaderMap::new();
            headers.insert("x-amzn-requestid", "r-1".parse().unwrap());
            if allows_origin {
                headers.insert("access-control-allow-origin", "*".parse().unwrap());
            }
            if matches!(status, 403 | 429) {
                let name = "AccessDeniedException".parse().unwrap();
                headers.insert("x-amzn-errortype", name);
            }
            if retry_after {
                headers.insert("retry-after", "1".parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), headers)
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/v1")
}

const ROUTES: [&str; 4] = ["--allowed", "GET /orders/42", "--refused", "GET /admin"];

async fn probe(url: &str, more: &[&str]) -> (Ended, Value) {
    let folder = Folder::new();
    folder.write("credential.txt", "Bearer a.b.c\n");
    let args = [
        &["probe", url, "--credential", "credential.txt", "--json"],
        &ROUTES[..],
        more,
    ]
    .concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ended = folder.run(&args);
        let answer = serde_json::from_str(&ended.out).unwrap_or_default();
        (ended, answer)
    })
    .await
    .unwrap()
}

/// The ids of the rows with this verdict.
fn with(answer: &Value, verdict: &str) -> Vec<String> {
    let rows = answer["rows"].as_array().unwrap().iter();
    rows.filter(|row| row["verdict"] == verdict)
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

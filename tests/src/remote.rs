//! SSM Parameter Store, Secrets Manager and `AppConfig` Data on this machine: their protocols over values that a test changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// Values by reference, such as `ssm:/doorward/pepper`. What is not there is refused as AWS would.
pub struct Remote {
    /// Where it listens.
    pub url: String,
    held: Held,
    task: JoinHandle<()>,
}

type Held = Arc<Mutex<BTreeMap<String, String>>>;

impl Remote {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let held = Held::default();
        let values = Arc::clone(&held);
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let held = values.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = answer(&held, &uri, &headers, &body);
            async move { answer }
        });
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, held, task })
    }

    /// Puts `value` where `reference` leads.
    pub fn put(&self, reference: &str, value: &str) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(reference.to_owned(), value.to_owned());
    }

    /// The variables that lead a function here.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "for this machine only"),
            ("AWS_ENDPOINT_URL_SSM", &self.url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.url),
            ("AWS_ENDPOINT_URL_APPCONFIGDATA", &self.url),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(
    held: &BTreeMap<String, String>,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    if !header("authorization").starts_with("AWS4-HMAC-SHA256 ") {
        return refused("MissingAuthenticationToken");
    }
    match (header("x-amz-target"), uri.path()) {
        ("AmazonSSM.GetParameter", _) => match held.get(&format!("ssm:{}", text("Name"))) {
            Some(value) => json!({"Parameter": {"Value": value}})
                .to_string()
                .into_response(),
            None => refused("ParameterNotFound"),
        },
        ("secretsmanager.GetSecretValue", _) => {
            match held.get(&format!("secretsmanager:{}", text("SecretId"))) {
                Some(value) => json!({"SecretString": value}).to_string().into_response(),
                None => refused("ResourceNotFoundException"),
            }
        }
        // The token of a session is the profile it is for: every poll answers the whole text.
        ("", "/configurationsessions") => {
            let names = ["Application", "Environment", "ConfigurationProfile"];
            let parts = names.map(|name| text(&format!("{name}Identifier")).to_owned());
            json!({"InitialConfigurationToken": parts.join("_")})
                .to_string()
                .into_response()
        }
        ("", "/configuration") => {
            let query = uri.query().unwrap_or_default();
            let token = query.strip_prefix("configuration_token=");
            let token = token.unwrap_or_default();
            match held.get(&format!("appconfig:{}", token.replace('_', "/"))) {
                Some(value) => {
                    let next = [("next-poll-configuration-token", token.to_owned())];
                    (next, value.clone()).into_response()
                }
                None => refused("ResourceNotFoundException"),
            }
        }
        _ => refused("UnknownOperationException"),
    }
}

fn refused(code: &str) -> Response {
    let body = json!({"__type": code}).to_string();
    (StatusCode::BAD_REQUEST, body).into_response()
}

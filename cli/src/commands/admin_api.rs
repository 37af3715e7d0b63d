//! Key administration over its API.

use std::fmt::Write as _;

use doorward_backends::sources::{AwsAccess, Endpoints};
use doorward_key_admin::{
    Command, Reply,
    rest::{Problem, client},
};

use crate::{
    clock,
    exit::Failure,
    local::admin::{AdminCredentials, REGION},
    state::{Running, StateFolder},
};

/// The longest part of an answer that is shown where it is none of ours, in characters.
const SHOWN: usize = 300;

/// The `doorward local` of this folder, where the API at `address` is its.
fn running(address: &str) -> Option<Running> {
    let running = StateFolder::here().find()?;
    let is_it = running.admin.as_deref() == Some(address.trim_end_matches('/'));
    is_it.then_some(running)
}

/// Whether the API at `address` is that of the `doorward local` of this folder.
pub(super) fn is_running_here(address: &str) -> bool {
    running(address).is_some()
}

/// Refuses a table beside an API: options that stand on two sides of the command are not compared by the reader of the command line.
pub(super) fn alone(table: Option<&str>) -> Result<(), Failure> {
    match table {
        None => Ok(()),
        Some(_) => Err(Failure::usage("name one of --api and --table")),
    }
}

/// The environment of keys that name none, where that is known: over the API of the `doorward local` of this folder.
pub(super) fn environment(address: &str) -> Option<String> {
    running(address)?.environment
}

/// The API at an address, and the credentials for it.
pub(super) struct AdminApi {
    address: String,
    access: AwsAccess,
}

impl AdminApi {
    /// The API at `address`, which ends with its stage.
    pub(super) async fn at(address: &str) -> Result<Self, Failure> {
        let address = address.trim_end_matches('/').to_owned();
        let access = access(&address).await?;
        Ok(Self { address, access })
    }

    /// Asks for `command`.
    pub(super) async fn ask(&self, command: &Command) -> Result<Reply, Failure> {
        let api = &self.address;
        let request = client::request(command).ok_or_else(|| {
            let operation = command.operation();
            Failure::usage(format!(
                "`{operation}` is not part of the API; name a table with --table"
            ))
        })?;
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let mut headers: Vec<_> = headers.collect();
        if !request.body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let url = format!("{api}{}", request.target);
        let answer = self
            .access
            .invoke(request.method, &url, &headers, request.body)
            .await;
        let answer = answer.map_err(|why| {
            Failure::unavailable(format!(
                "{api} gives no answer ({why}); a change may have been made or not: look, or repeat it with the same --idempotency-key"
            ))
        })?;
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|_| {
                Failure::unavailable(format!(
                    "{api} answered something that is no answer of key administration"
                ))
            });
        }
        Err(refused(api, answer.status, &answer.body))
    }
}

/// Credentials: of the local API those that it made, else those of AWS.
async fn access(api: &str) -> Result<AwsAccess, Failure> {
    let state = StateFolder::here();
    if is_running_here(api)
        && let Some(credentials) = AdminCredentials::load(&state.admin_credentials())
    {
        let provider = credentials.provider();
        return Ok(AwsAccess::new(
            provider,
            REGION.to_owned(),
            Endpoints::default(),
            clock::system,
        ));
    }
    let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
    AwsAccess::from_chain(variable, clock::system)
        .await
        .ok_or_else(|| {
            Failure::usage(
                "there is no region of AWS; set AWS_REGION, and credentials or AWS_PROFILE",
            )
        })
}

/// A refusal: of key administration in full, of the gateway with its message.
fn refused(api: &str, status: u16, body: &[u8]) -> Failure {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        let mut message = problem.detail;
        for fault in &problem.faults {
            let field = match fault.field.as_str() {
                "" => "the request",
                field => field,
            };
            // Writing to a text does not fail.
            let _ = write!(message, "\n  {field}: {}", fault.message);
        }
        let _ = write!(
            message,
            "\n  {} ({status}), {}",
            problem.code, problem.instance
        );
        return failure(status, message);
    }
    let gateway: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let told = ["message", "Message"]
        .iter()
        .find_map(|name| gateway.get(name)?.as_str());
    let told = told.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let told: String = told
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    let hint = match status {
        403 => {
            "; check credentials, region and stage, and that this principal has execute-api:Invoke"
        }
        404 => "; check the address, which ends with the stage",
        _ => "",
    };
    failure(status, format!("{api} answered {status}: {told}{hint}"))
}

fn failure(status: u16, message: String) -> Failure {
    match status {
        400 | 405 | 413 => Failure::usage(message),
        401 | 403 | 404 | 409 | 412 => Failure::refused(message),
        _ => Failure::unavailable(message),
    }
}

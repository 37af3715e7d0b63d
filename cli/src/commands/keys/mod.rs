//! `doorward keys`: the commands of key administration, on a table or over the API.

pub mod args;
mod bulk;
mod render;
mod request;
pub mod schedule;
pub mod update;
mod usage;

use std::sync::Arc;

use doorward_backends::dynamodb::{DynamoKeys, DynamoUsage, Patience};
use doorward_engine::layers::api_key::ApiKeysConfig;
use doorward_key_admin::{AdminError, Caller, KeyAdmin, Reply, SystemEntropy};

use self::{
    args::{Action, KeysArgs},
    bulk::Desk,
};
use super::admin_api::{self, AdminApi};
use crate::{
    clock,
    exit::Failure,
    input,
    local::flush_policy,
    output,
    state::StateFolder,
    target::{Secrets, Target},
};

/// The longest time for which API Gateway keeps an answer of an authorizer, in seconds.
pub(super) const LONGEST_TTL: u32 = 3600;

/// Does one command and shows what comes of it.
///
/// # Errors
/// See [`crate::exit`].
pub async fn run(args: KeysArgs) -> Result<(), Failure> {
    let form = form(&args)?;
    if let Action::Delete(delete) = &args.action
        && !delete.yes
    {
        let id = output::one_line(&delete.change.id);
        input::confirmed(&format!("delete {id} for good?"))?;
    }
    if let Some(address) = args.api.clone() {
        admin_api::alone(args.table.as_deref())?;
        return over_api(&address, args, form).await;
    }
    let target = Target {
        table: args.table.as_deref(),
        endpoint: args.endpoint.as_deref(),
        config: args.config.as_ref(),
    };
    // A key must be revocable by whoever reaches the table, and at once: the pepper is for making keys only.
    let secrets = match args.action {
        Action::Create(_) | Action::Rotate(_) | Action::Verify | Action::Import(_) => {
            Secrets::Fetched
        }
        _ => Secrets::StoodInFor,
    };
    let config = target.configuration(secrets).await?.config;
    let api_keys = config.api_keys.ok_or_else(no_keys)?;
    if matches!(args.action, Action::Pattern) {
        return output::answer(&api_keys.format.pattern());
    }
    let tables = target.tables(Patience::ADMIN).await.ok_or_else(|| {
        Failure::usage(
            "no `doorward local` runs in this folder; start it, or name a table with --table",
        )
    })?;
    let keys = DynamoKeys::new(tables.client.clone(), tables.keys);
    let keys = Arc::new(keys);
    let mut admin = KeyAdmin::from_config(&api_keys, Arc::clone(&keys) as _)
        .with_rotations(Arc::clone(&keys) as _)
        .with_routes(config.routes);
    if let Action::Usage(usage) = &args.action {
        let table = usage.counters_table.clone().or(tables.counters);
        let table = table.ok_or_else(|| {
            Failure::usage("counts are in a table of their own; name it with --counters-table")
        })?;
        let counts = DynamoUsage::new(&tables.client, table, Patience::ADMIN);
        admin = admin.with_usage(Arc::new(counts));
    }
    let is_local = args.table.is_none();
    if is_local && let Some(running) = StateFolder::here().find() {
        admin = admin
            .with_gateway_ttl(u32::try_from(running.ttl_seconds).unwrap_or(u32::MAX))
            .with_flush(keys, flush_policy());
    } else {
        // Of a deployed stage nothing is known here, so the longest is promised.
        admin = admin.with_gateway_ttl(args.gateway_ttl.unwrap_or(LONGEST_TTL));
    }
    let caller = Caller::operator(&format!("doorward keys by {}", user()));
    let place = args.table.clone().unwrap_or_default();
    let desk = Desk::Table {
        admin: &admin,
        caller: &caller,
    };
    let action = match args.action {
        Action::Import(import) => {
            return bulk::import(&desk, &api_keys, import, (&place, args.json)).await;
        }
        Action::Export(export) => return bulk::export(&desk, export).await,
        Action::Create(create) if create.many.from.is_some() => {
            return bulk::create(&desk, &api_keys, create).await;
        }
        one => one,
    };
    let environment = api_keys.format.environments.first().map(String::as_str);
    let command = request::command(action, environment, clock::wall())?;
    let reply = admin
        .run(command, &caller, clock::wall(), &SystemEntropy)
        .await
        .map_err(|error| failure(&error, is_local))?;
    show(&reply, form)
}

/// Does one command over the API at `address`.
async fn over_api(address: &str, args: KeysArgs, form: Form) -> Result<(), Failure> {
    // Only the gateway that serves this API lends its configuration.
    let target = Target {
        table: (!admin_api::is_running_here(address)).then_some(address),
        endpoint: None,
        config: args.config.as_ref(),
    };
    match args.action {
        Action::Export(export) => {
            let api = AdminApi::at(address).await?;
            bulk::export(&Desk::Api(&api), export).await
        }
        Action::Import(import) => {
            // Keys are digested here.
            let config = api_keys(target, Secrets::Fetched).await?;
            let how = (address, args.json);
            let api = AdminApi::at(address).await?;
            bulk::import(&Desk::Api(&api), &config, import, how).await
        }
        Action::Create(create) if create.many.from.is_some() => {
            let config = api_keys(target, Secrets::StoodInFor).await?;
            let api = AdminApi::at(address).await?;
            bulk::create(&Desk::Api(&api), &config, create).await
        }
        action => {
            let environment = admin_api::environment(address);
            let command = request::command(action, environment.as_deref(), clock::wall())?;
            let api = AdminApi::at(address).await?;
            show(&api.ask(&command).await?, form)
        }
    }
}

async fn api_keys(target: Target<'_>, secrets: Secrets) -> Result<ApiKeysConfig, Failure> {
    let config = target.configuration(secrets).await?.config;
    config.api_keys.ok_or_else(no_keys)
}

fn no_keys() -> Failure {
    Failure::usage("the configuration has no `api_keys`, so no key would be accepted")
}

/// In which form the answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    People,
    Json,
    Csv,
}

fn form(args: &KeysArgs) -> Result<Form, Failure> {
    let as_csv = matches!(&args.action, Action::Usage(usage) if usage.csv);
    match (args.json, as_csv) {
        (true, true) => Err(Failure::usage("choose one of --json and --csv")),
        (true, false) => Ok(Form::Json),
        (false, true) => Ok(Form::Csv),
        (false, false) => Ok(Form::People),
    }
}

fn show(reply: &Reply, form: Form) -> Result<(), Failure> {
    if let (Form::Csv, Reply::Usage { key, usage }) = (form, reply) {
        return output::exactly(&usage::csv::csv(key, usage));
    }
    if form == Form::Json {
        let text = serde_json::to_string_pretty(reply).map_err(Failure::unavailable)?;
        return output::answer(&text);
    }
    let shown = render::render(reply, clock::wall());
    if !shown.said.is_empty() {
        output::say(&shown.said);
    }
    match shown.answer.as_str() {
        "" => Ok(()),
        answer => output::answer(answer),
    }
}

pub(super) fn failure(error: &AdminError, is_local: bool) -> Failure {
    match error {
        AdminError::Invalid(_) | AdminError::MethodNotAllowed(_) => Failure::usage(error),
        AdminError::Forbidden(_)
        | AdminError::NotFound(_)
        | AdminError::Refused(_)
        | AdminError::Conflict(_)
        | AdminError::PreconditionFailed(_)
        | AdminError::IdempotencyKeyUsed => Failure::refused(error),
        AdminError::Unavailable(_) if is_local => Failure::unavailable(format!(
            "{error}; is `doorward local` still running in this folder?"
        )),
        AdminError::Unavailable(_) | AdminError::Corrupt(_) => Failure::unavailable(error),
    }
}

/// Who is at the keyboard, for the audit; the operating system's word for it.
pub(super) fn user() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(std::env::var_os);
    named
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "somebody".to_owned())
}

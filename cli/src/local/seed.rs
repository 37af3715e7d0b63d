//! A key to try the gateway with.

use std::{collections::BTreeSet, sync::Arc};

use doorward_backends::dynamodb::DynamoKeys;
use doorward_engine::{
    Config,
    routes::{Kind, Route},
};
use doorward_key_admin::{
    Caller, Command, KeyAdmin, Reply, SystemEntropy,
    command::{CreateKey, ListKeys},
};
use doorward_keys::Secret;

use crate::{clock, exit::Failure};

/// The owner of the key.
const TENANT: &str = "demo";

/// A key that was made for this run.
#[derive(Debug)]
pub struct DemoKey {
    /// Public id.
    pub id: String,
    /// Owner.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The whole printed key.
    pub secret: Secret<String>,
}

/// What the key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// What shows most in the demonstration.
    Demonstration,
    /// Every scope that a route demands of a key.
    Everything,
}

/// Makes a key, unless the configuration takes none or there are keys of the demo tenant already, in a file.
pub(super) async fn demo_key(
    config: &Config,
    keys: &Arc<DynamoKeys>,
    rights: Rights,
) -> Result<Option<DemoKey>, Failure> {
    let Some(api_keys) = &config.api_keys else {
        return Ok(None);
    };
    let admin = KeyAdmin::from_config(api_keys, Arc::clone(keys) as _);
    let caller = Caller::operator("doorward local");
    let run = async |command| {
        let reply = admin
            .run(command, &caller, clock::wall(), &SystemEntropy)
            .await;
        reply.map_err(|error| Failure::unavailable(format!("the demo key cannot be made: {error}")))
    };
    let before = run(Command::List(ListKeys {
        tenant: TENANT.to_owned(),
        limit: Some(1),
        cursor: None,
    }))
    .await?;
    if matches!(before, Reply::Keys { keys, .. } if !keys.is_empty()) {
        return Ok(None);
    }
    let created = run(Command::Create(CreateKey {
        tenant: TENANT.to_owned(),
        name: "made by doorward local".to_owned(),
        environment: api_keys
            .format
            .environments
            .first()
            .cloned()
            .unwrap_or_default(),
        scopes: match rights {
            Rights::Demonstration => vec!["orders:read".to_owned()],
            Rights::Everything => scopes(config.routes.routes()),
        },
        routes: None,
        addresses: None,
        expires_in_days: Some(1),
        usage_plan_key: None,
        plan: None,
        decoy: false,
        metadata: std::collections::BTreeMap::new(),
        idempotency_key: None,
    }))
    .await?;
    Ok(match created {
        Reply::Created { key, secret } => Some(DemoKey {
            id: key.id,
            tenant: key.tenant,
            scopes: key.scopes,
            secret: Secret::new(secret.expose().to_owned()),
        }),
        _ => None,
    })
}

fn scopes(routes: &[Route]) -> Vec<String> {
    let takes_keys = |route: &&Route| {
        route
            .credentials
            .iter()
            .flatten()
            .any(|kind| *kind == Kind::ApiKey)
    };
    let demanded = routes
        .iter()
        .filter(takes_keys)
        .flat_map(|route| route.scopes.any.iter().chain(&route.scopes.all));
    demanded
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

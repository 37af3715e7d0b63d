//! Keys in a table.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{anyhow, bail};
use doorward_authorizer::clock;
use doorward_backends::dynamodb::{DynamoKeys, TableNames};
use doorward_key_admin::{
    Caller, Command, KeyAdmin, KeyPolicy, Reply, SystemEntropy, command::CreateKey,
};
use doorward_micro::credentials::format;

/// How they are administered.
pub fn policy() -> KeyPolicy {
    KeyPolicy {
        format: format(),
        default_lifetime_days: 90,
        max_lifetime_days: 365,
        retention_days: 30,
        cache_seconds: 60,
        gateway_ttl_seconds: 0,
    }
}

/// Makes `count` keys with these scopes; the printed ones.
///
/// # Errors
/// When the table does not take one.
pub async fn make(
    client: &aws_sdk_dynamodb::Client,
    tables: &TableNames,
    count: usize,
    scopes: &[&str],
) -> anyhow::Result<Vec<String>> {
    let ledger = DynamoKeys::new(client.clone(), &tables.keys);
    let admin = KeyAdmin::new(policy(), Arc::new(ledger));
    let operator = Caller::operator("bench");
    let mut printed = Vec::new();
    for number in 0..count {
        let command = Command::Create(CreateKey {
            tenant: "acme".to_owned(),
            name: format!("key {number}"),
            environment: "live".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            routes: None,
            addresses: None,
            expires_in_days: None,
            usage_plan_key: None,
            plan: None,
            decoy: false,
            metadata: BTreeMap::new(),
            idempotency_key: None,
        });
        match admin
            .run(command, &operator, clock::wall(), &SystemEntropy)
            .await
        {
            Ok(Reply::Created { secret, .. }) => printed.push(secret.expose().to_owned()),
            Ok(_) => bail!("a key was asked for and something else was made"),
            Err(error) => return Err(anyhow!("no key could be made: {error}")),
        }
    }
    Ok(printed)
}

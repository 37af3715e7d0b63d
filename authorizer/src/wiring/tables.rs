//! What is kept on AWS, and the way there.

use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use doorward_backends::{
    dynamodb::{
        Connection, DynamoBlocks, DynamoBreakers, DynamoKeys, DynamoLimits, DynamoRehashes,
        DynamoReplays, DynamoUsage, Patience, connect,
    },
    sources::{AwsAccess, Endpoints},
};
use doorward_engine::{authority::BreakerStore, layers::proof::ReplayStore, limits::LimitStore};
use doorward_keys::{BlockReader, KeyLookup, RehashSink, UsageSink};

use crate::{
    clock,
    settings::{Environment, Settings},
};

/// What is kept in the tables of keys and of counters; nothing where a table is not named.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) keys: Option<Arc<dyn KeyLookup>>,
    pub(super) blocks: Option<Arc<dyn BlockReader>>,
    pub(super) counters: Option<Arc<dyn LimitStore>>,
    pub(super) replays: Option<Arc<dyn ReplayStore>>,
    pub(super) breakers: Option<Arc<dyn BreakerStore>>,
    pub(super) usage: Option<Arc<dyn UsageSink>>,
    pub(super) rehashes: Option<Arc<dyn RehashSink>>,
}

/// The tables of keys and of counters, over one connection.
pub(super) async fn tables(settings: &Settings, environment: &Environment) -> Tables {
    let (keys, counters) = (&settings.keys_table, &settings.counters_table);
    if keys.is_none() && counters.is_none() {
        return Tables::default();
    }
    let client = connect(connection(environment)).await;
    let limits = |table| Arc::new(DynamoLimits::new(&client, table, Patience::LIMITS)) as _;
    let replays = |table| Arc::new(DynamoReplays::new(&client, table, Patience::REPLAYS)) as _;
    let breakers = |table| Arc::new(DynamoBreakers::new(&client, table, Patience::LIMITS)) as _;
    let usage = |table| Arc::new(DynamoUsage::new(&client, table, Patience::USAGE)) as _;
    let rehashes = |table| Arc::new(DynamoRehashes::new(&client, table, Patience::USAGE)) as _;
    let of_keys = |table| Arc::new(DynamoKeys::new(client.clone(), table)) as _;
    let blocks = |table| Arc::new(DynamoBlocks::new(client.clone(), table)) as _;
    Tables {
        keys: keys.as_ref().map(of_keys),
        blocks: keys.as_ref().map(blocks),
        counters: counters.as_ref().map(limits),
        replays: counters.as_ref().map(replays),
        breakers: counters.as_ref().map(breakers),
        usage: counters.as_ref().map(usage),
        rehashes: counters.as_ref().map(rehashes),
    }
}

pub(super) fn aws_access(environment: &Environment) -> Option<AwsAccess> {
    let Connection {
        region,
        credentials,
        ..
    } = connection(environment);
    let variable = |name: &str| environment.value(name).map(str::to_owned);
    let credentials = SharedCredentialsProvider::new(credentials?);
    Some(AwsAccess::new(
        credentials,
        region?,
        Endpoints::from_variables(variable),
        clock::system,
    ))
}

fn connection(environment: &Environment) -> Connection {
    Connection::from_environment(
        |name| environment.value(name).map(str::to_owned),
        Patience::AUTHORIZER,
    )
}

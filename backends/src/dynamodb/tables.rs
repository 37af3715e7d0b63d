//! The table definitions, for emulators and for tables made by hand. Deployed tables come from the template.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::create_table::{
        CreateTableError, CreateTableInput, builders::CreateTableInputBuilder,
    },
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, TableStatus, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use doorward_keys::StoreError;

use super::{errors::unavailable, schema};

/// How often and how long a new table is waited for.
const POLL: Duration = Duration::from_millis(100);
const POLLS: u32 = 300;

/// The names of the two tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// The keys table.
    pub keys: String,
    /// The counters table.
    pub counters: String,
}

impl Default for TableNames {
    fn default() -> Self {
        Self {
            keys: schema::KEYS_TABLE.to_owned(),
            counters: schema::COUNTERS_TABLE.to_owned(),
        }
    }
}

/// Creates what is missing, switches time to live on and waits until both tables serve. A table that exists is left as
/// it is.
pub async fn create_missing_tables(client: &Client, names: &TableNames) -> Result<(), StoreError> {
    ensure(
        client,
        &names.keys,
        keys_table(&names.keys),
        schema::PURGE_AT,
    )
    .await?;
    let counters = base_table(&names.counters, &[]);
    ensure(client, &names.counters, counters, schema::COUNTERS_TTL).await
}

type Definition = Result<CreateTableInputBuilder, aws_sdk_dynamodb::error::BuildError>;

fn keys_table(name: &str) -> Definition {
    let by_tenant = index(schema::BY_TENANT, schema::TENANT_PK, schema::TENANT_SK)?;
    let by_day = index(schema::BY_DAY, schema::DAY_PK, schema::DAY_SK)?;
    let attributes = [
        schema::TENANT_PK,
        schema::TENANT_SK,
        schema::DAY_PK,
        schema::DAY_SK,
    ];
    Ok(base_table(name, &attributes)?
        .global_secondary_indexes(by_tenant)
        .global_secondary_indexes(by_day))
}

fn index(
    name: &str,
    pk: &str,
    sk: &str,
) -> Result<GlobalSecondaryIndex, aws_sdk_dynamodb::error::BuildError> {
    let projection = Projection::builder()
        .projection_type(ProjectionType::All)
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(pk, KeyType::Hash)?)
        .key_schema(key(sk, KeyType::Range)?)
        .projection(projection)
        .build()
}

fn base_table(name: &str, more_attributes: &[&str]) -> Definition {
    let mut table = CreateTableInput::builder()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key(schema::PK, KeyType::Hash)?)
        .key_schema(key(schema::SK, KeyType::Range)?);
    for attribute in [schema::PK, schema::SK].iter().chain(more_attributes) {
        let definition = AttributeDefinition::builder()
            .attribute_name(*attribute)
            .attribute_type(ScalarAttributeType::S)
            .build()?;
        table = table.attribute_definitions(definition);
    }
    Ok(table)
}

fn key(
    attribute: &str,
    kind: KeyType,
) -> Result<KeySchemaElement, aws_sdk_dynamodb::error::BuildError> {
    KeySchemaElement::builder()
        .attribute_name(attribute)
        .key_type(kind)
        .build()
}

async fn ensure(
    client: &Client,
    name: &str,
    definition: Definition,
    ttl_attribute: &str,
) -> Result<(), StoreError> {
    let definition = definition.map_err(|error| not_built(name, &error))?;
    match definition.send_with(client).await {
        Ok(_) => {}
        Err(SdkError::ServiceError(error)) if is_there(error.err()) => {}
        Err(error) => return Err(unavailable("CreateTable", name, &error)),
    }
    wait_until_active(client, name).await?;
    enable_ttl(client, name, ttl_attribute).await
}

fn is_there(error: &CreateTableError) -> bool {
    error.is_resource_in_use_exception()
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), StoreError> {
    for _ in 0..POLLS {
        let answer = client
            .describe_table()
            .table_name(name)
            .send()
            .await
            .map_err(|error| unavailable("DescribeTable", name, &error))?;
        let status = answer.table.and_then(|table| table.table_status);
        if status == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(StoreError::Unavailable(format!(
        "table `{name}` is not active after {} seconds",
        (POLL * POLLS).as_secs()
    )))
}

async fn enable_ttl(client: &Client, name: &str, attribute: &str) -> Result<(), StoreError> {
    let answer = client
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .map_err(|error| unavailable("DescribeTimeToLive", name, &error))?;
    let status = answer
        .time_to_live_description
        .and_then(|description| description.time_to_live_status);
    if matches!(
        status,
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
    ) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .attribute_name(attribute)
        .enabled(true)
        .build()
        .map_err(|error| not_built(name, &error))?;
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification)
        .send()
        .await
        .map_err(|error| unavailable("UpdateTimeToLive", name, &error))?;
    Ok(())
}

fn not_built(name: &str, error: &aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Unavailable(format!(
        "the request for table `{name}` cannot be built: {error}"
    ))
}

//! The stores under test.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use aws_sdk_dynamodb::Client;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoKeys, TableNames, connect, create_missing_tables},
    memory::MemoryKeys,
};
use doorward_keys::{Calendar, KeyLedger, KeyLookup, KeyStore, Outbox};
use doorward_tests::dynamodb::endpoint_of_environment;

/// One store under test, seen through all its traits.
pub(crate) struct Store {
    pub(crate) lookup: Arc<dyn KeyLookup>,
    pub(crate) ledger: Arc<dyn KeyLedger>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) calendar: Arc<dyn Calendar>,
    pub(crate) keys: Arc<dyn KeyStore>,
    table: Option<Table>,
    _running: Option<EmbeddedDynamo>,
}

/// The table behind a store, to write into it what no code of ours would.
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) names: TableNames,
}

impl Store {
    pub(crate) fn memory() -> Self {
        let keys = Arc::new(MemoryKeys::new());
        Self {
            lookup: keys.clone(),
            ledger: keys.clone(),
            outbox: keys.clone(),
            calendar: keys.clone(),
            keys,
            table: None,
            _running: None,
        }
    }

    pub(crate) async fn embedded() -> Self {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
            .await
            .unwrap();
        Self {
            _running: None,
            ..Self::on(dynamo.client().clone(), names)
        }
        .kept_by(dynamo)
    }

    pub(crate) async fn endpoint() -> Option<Self> {
        let url = endpoint_of_environment()?;
        let client = connect(doorward::dynamodb::connection(&url)).await;
        let names = own_tables();
        create_missing_tables(&client, &names).await.unwrap();
        Some(Self::on(client, names))
    }

    /// The table behind the store.
    pub(crate) fn table(&self) -> &Table {
        self.table.as_ref().unwrap()
    }

    fn on(client: Client, names: TableNames) -> Self {
        let keys = Arc::new(DynamoKeys::new(client.clone(), names.keys.clone()));
        Self {
            lookup: keys.clone(),
            ledger: keys.clone(),
            outbox: keys.clone(),
            calendar: keys.clone(),
            keys,
            table: Some(Table { client, names }),
            _running: None,
        }
    }

    fn kept_by(self, dynamo: EmbeddedDynamo) -> Self {
        Self {
            _running: Some(dynamo),
            ..self
        }
    }
}

/// Tables of their own for every case, as the cases run side by side and again.
pub(crate) fn own_tables() -> TableNames {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let case = NUMBER.fetch_add(1, Ordering::Relaxed);
    let own = format!("doorward-contract-{}-{case}", std::process::id());
    TableNames {
        keys: format!("{own}-keys"),
        counters: format!("{own}-counters"),
    }
}

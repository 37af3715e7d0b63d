//! The stores under test.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use aws_sdk_dynamodb::Client;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoLimits, TableNames, connect, create_missing_tables},
    memory::MemoryLimits,
    redis::RedisLimits,
};
use doorward_engine::limits::LimitStore;
use doorward_tests::{
    dynamodb::endpoint_of_environment,
    limits::CALM,
    servers::{Flavour, RedisServer},
};

/// One store under test, seen by two callers who share nothing else.
pub(super) struct Place {
    pub(super) callers: [Arc<dyn LimitStore>; 2],
    kind: Kind,
}

enum Kind {
    Memory(Arc<MemoryLimits>),
    Dynamo {
        client: Client,
        table: String,
        _running: Option<EmbeddedDynamo>,
    },
    Redis(RedisServer),
}

impl Place {
    pub(super) fn memory() -> Ready<Option<Self>> {
        let limits = Arc::new(MemoryLimits::new());
        ready(Some(Self::of(Kind::Memory(limits))))
    }

    pub(super) async fn embedded() -> Option<Self> {
        let names = TableNames::default();
        let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names)
            .await
            .unwrap();
        Some(Self::of(Kind::Dynamo {
            client: dynamo.client().clone(),
            table: names.counters,
            _running: Some(dynamo),
        }))
    }

    pub(super) async fn endpoint() -> Option<Self> {
        let url = endpoint_of_environment()?;
        let client = connect(doorward::dynamodb::connection(&url)).await;
        let names = crate::stores::own_tables();
        create_missing_tables(&client, &names).await.unwrap();
        Some(Self::of(Kind::Dynamo {
            client,
            table: names.counters,
            _running: None,
        }))
    }

    pub(super) async fn redis_server() -> Option<Self> {
        let server = RedisServer::start(Flavour::Redis, &[]).await?;
        Some(Self::of(Kind::Redis(server)))
    }

    pub(super) async fn valkey_server() -> Option<Self> {
        let server = RedisServer::start(Flavour::Valkey, &[]).await?;
        Some(Self::of(Kind::Redis(server)))
    }

    /// Another caller who has seen nothing yet.
    pub(super) fn newcomer(&self) -> Arc<dyn LimitStore> {
        self.kind.caller()
    }

    fn of(kind: Kind) -> Self {
        Self {
            callers: [kind.caller(), kind.caller()],
            kind,
        }
    }
}

impl Kind {
    fn caller(&self) -> Arc<dyn LimitStore> {
        match self {
            Self::Memory(limits) => Arc::clone(limits) as _,
            Self::Dynamo { client, table, .. } => Arc::new(DynamoLimits::new(client, table, CALM)),
            Self::Redis(server) => Arc::new(RedisLimits::new(&server.connection()).unwrap()),
        }
    }
}

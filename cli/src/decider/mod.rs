//! The authorizer of a configuration, asked for its opinion: nothing is counted, spent or written.

mod no_table;

use std::sync::Arc;

use doorward_authorizer::{Authorizer, Call, Event, Explained};
use doorward_backends::{
    dynamodb::{DynamoBlocks, DynamoKeys, Patience},
    http::{HttpEndpoints, HttpKeySets},
    memory::{MemoryLimits, MemoryReplays},
};
use doorward_engine::{Config, Engine, Sources, authority::Authorities, limits::Moment};
use doorward_keys::{BlockReader, KeyLookup};

use self::no_table::NoTable;
use crate::{
    clock,
    configuration::{self, Document},
    exit::Failure,
    target::{Tables, Target},
};

/// Decides events on this machine.
pub struct Decider(Authorizer);

impl Decider {
    /// One for `config`, which was read from `document`, with the keys of the table that `target` names.
    ///
    /// # Errors
    /// When the configuration signs with a key of KMS, and AWS cannot be called from here.
    pub async fn new(
        document: &Document,
        config: Config,
        target: &Target<'_>,
    ) -> Result<Self, Failure> {
        let (keys, blocks) = stores(target.tables(Patience::ADMIN).await);
        let sources = Sources {
            keys,
            blocks,
            key_sets: Arc::new(HttpKeySets::new()),
            crls: document.crls(&config).await,
            authorities: Authorities {
                endpoints: Arc::new(HttpEndpoints::new()),
                // What other machines saw says nothing of this one.
                breakers: None,
                watch: Arc::new(|_| {}),
            },
            // What is only explained spends nothing of anybody's, and uses no proof up.
            replays: Arc::new(MemoryReplays::new()),
            limits: Arc::new(MemoryLimits::new()),
            pause: clock::pause,
            stopwatch: clock::stopwatch,
        };
        let kms = configuration::kms(&config).await?;
        let mut engine = Engine::new(config, sources);
        if let Some(kms) = kms {
            engine = engine.with_remote_signer(Arc::new(kms));
        }
        Ok(Self(Authorizer::new(
            engine,
            Arc::new(|_| {}),
            clock::stopwatch,
        )))
    }

    /// What the authorizer would say of the event in `text`, were it received at `at`.
    pub async fn explain(&self, text: &[u8], at: Moment) -> Explained {
        let call = Call {
            request_id: "explain".to_owned(),
            trace_id: None,
            received_at: at,
            time_left: None,
        };
        self.0.explain(&Event::parse(text), &call).await
    }
}

/// Keys and blocks of the table, or what says that there is none.
fn stores(tables: Option<Tables>) -> (Arc<dyn KeyLookup>, Arc<dyn BlockReader>) {
    match tables {
        Some(Tables { client, keys, .. }) => (
            Arc::new(DynamoKeys::new(client.clone(), &keys)),
            Arc::new(DynamoBlocks::new(client, keys)),
        ),
        None => (Arc::new(NoTable), Arc::new(NoTable)),
    }
}

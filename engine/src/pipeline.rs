//! **The order** of all layers, in one straight function.

use std::{sync::Arc, time::Duration};

use doorward_keys::KeyLookup;

use crate::{config::Config, layers::jwt::KeySetSource};

/// Everything the engine reaches out to, as traits.
#[derive(Clone)]
pub struct Sources {
    /// API keys.
    pub keys: Arc<dyn KeyLookup>,
    /// Key sets and discovery documents.
    pub key_sets: Arc<dyn KeySetSource>,
    /// A monotonic clock for the trail: time since some fixed moment.
    pub stopwatch: fn() -> Duration,
}

/// Decides. One for the life of the process; shared between concurrent requests.
pub struct Engine {
    config: Arc<Config>,
    sources: Sources,
}

impl Engine {
    /// An engine for `config`.
    pub fn new(config: Config, sources: Sources) -> Self {
        Self {
            config: Arc::new(config),
            sources,
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

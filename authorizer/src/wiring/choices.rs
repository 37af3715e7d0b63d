//! Which store serves what the configuration asks for, or why none can.

use std::sync::Arc;

use doorward_backends::memory::{MemoryBlocks, MemoryReplays};
use doorward_engine::{
    Config, Engine,
    authority::Authorities,
    config::Fault,
    layers::{proof::ReplayStore, rate_limit::LimitsStore},
    limits::LimitStore,
};
use doorward_keys::BlockReader;

use super::{Parts, fault};
use crate::{limits_in_redis, log};

/// The way to the authorization servers of `config`.
pub(super) fn authorities(
    config: &Config,
    parts: &Parts,
    sink: &log::Sink,
) -> Result<Authorities, Fault> {
    if config.needs_breaker_store() && parts.breakers.is_none() {
        return Err(fault(
            "DOORWARD_COUNTERS_TABLE",
            "must name the table of counters, because a breaker of the configuration is `shared`"
                .to_owned(),
        ));
    }
    let sink = Arc::clone(sink);
    Ok(Authorities {
        endpoints: Arc::clone(&parts.endpoints) as _,
        breakers: parts.breakers.clone(),
        watch: Arc::new(move |change| log::breaker_changed(&sink, change)),
    })
}

/// Where blocks of tokens are.
pub(super) fn blocks(config: &Config, parts: &Parts) -> Result<Arc<dyn BlockReader>, Fault> {
    match &parts.blocks {
        Some(blocks) => Ok(Arc::clone(blocks)),
        None if config.block_list.is_some() => Err(fault(
            "DOORWARD_KEYS_TABLE",
            "must name the table of API keys, where blocks of tokens are too, because the configuration has `block_list`"
                .to_owned(),
        )),
        // Without `block_list` no block is ever read.
        None => Ok(Arc::new(MemoryBlocks::new())),
    }
}

/// Where the limits of `config` are counted.
pub(super) fn limits(config: &Config, parts: &Parts) -> Result<Arc<dyn LimitStore>, Fault> {
    // Without limits none is ever counted.
    if !config.needs_limit_store() {
        return Ok(Arc::clone(&parts.memory) as _);
    }
    match &config.limits.store {
        LimitsStore::Memory => Ok(Arc::clone(&parts.memory) as _),
        LimitsStore::Redis(store) => limits_in_redis::open(store),
        LimitsStore::DynamoDb => parts.counters.clone().ok_or_else(|| {
            fault(
                "DOORWARD_COUNTERS_TABLE",
                "must name the table of counters, because the configuration has limits".to_owned(),
            )
        }),
    }
}

/// Where proofs that were seen are remembered.
pub(super) fn replays(config: &Config, parts: &Parts) -> Result<Arc<dyn ReplayStore>, Fault> {
    match &parts.replays {
        Some(replays) => Ok(Arc::clone(replays)),
        None if config.needs_replay_store() => Err(fault(
            "DOORWARD_COUNTERS_TABLE",
            "must name the table of counters, because the configuration accepts proofs (`dpop`)"
                .to_owned(),
        )),
        // Without `dpop` no proof is ever remembered.
        None => Ok(Arc::new(MemoryReplays::new())),
    }
}

/// The engine with what it has beside its sources.
pub(super) fn equipped(engine: Engine, parts: &Parts) -> Engine {
    let engine = match &parts.kms {
        Some(kms) => engine.with_remote_signer(Arc::clone(kms) as _),
        None => engine,
    };
    match &parts.rehashes {
        Some(sink) => engine.with_rehashes(Arc::clone(sink)),
        None => engine,
    }
}

//! Limits in Redis or Valkey, in builds with the feature `redis`.

use std::sync::Arc;

use doorward_engine::{config::Fault, layers::rate_limit::RedisStore, limits::LimitStore};

use crate::wiring::fault;

/// The server that the configuration names. Nothing is sent yet.
#[cfg(feature = "redis")]
pub(crate) fn open(store: &RedisStore) -> Result<Arc<dyn LimitStore>, Fault> {
    use doorward_backends::redis::{
        Authority, Identity, RedisAddress, RedisConnection, RedisLimits,
    };

    let address = RedisAddress::parse(&store.address)
        .map_err(|error| fault("limits_store.address", error.to_string()))?;
    let identity = Identity {
        user: store.user.clone(),
        password: store.password.clone(),
    };
    let authority = store
        .authority
        .clone()
        .map_or(Authority::System, Authority::Pem);
    let connection = RedisConnection {
        address,
        identity,
        authority,
        patience: doorward_backends::dynamodb::Patience::LIMITS,
    };
    let limits = RedisLimits::new(&connection)
        .map_err(|error| fault("limits_store.ca_file", error.to_string()))?;
    Ok(Arc::new(limits))
}

/// This build has no client.
///
/// # Errors
/// Always.
#[cfg(not(feature = "redis"))]
pub(crate) fn open(_: &RedisStore) -> Result<Arc<dyn LimitStore>, Fault> {
    let message = "this build of the function knows no Redis; build it with the feature `redis`";
    Err(fault("limits_store.kind", message.to_owned()))
}

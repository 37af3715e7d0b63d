//! API keys: one read at most, every reason told apart for the log and none for the caller.

mod config;

pub use config::ApiKeysConfig;
pub(crate) use config::RawApiKeys;

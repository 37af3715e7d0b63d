//! The traits' implementations: everything that reaches out.
//!
//! | trait | DynamoDB | Redis, Valkey | HTTP | memory |
//! |---|---|---|---|---|
//! | [`doorward_keys::KeyLookup`] | [`dynamodb::DynamoKeys`] | | | [`memory::MemoryKeys`] |
//! | [`doorward_keys::KeyLedger`] | [`dynamodb::DynamoKeys`] | | | [`memory::MemoryKeys`] |
//! | [`doorward_keys::BlockReader`] | [`dynamodb::DynamoBlocks`] | | | [`memory::MemoryBlocks`] |
//! | [`doorward_keys::BlockLedger`] | [`dynamodb::DynamoBlocks`] | | | [`memory::MemoryBlocks`] |
//! | [`doorward_keys::UsageSink`] | [`dynamodb::DynamoUsage`] | | | [`memory::MemoryUsage`] |
//! | [`doorward_keys::RequestSink`] | [`dynamodb::DynamoUsage`] | | | [`memory::MemoryUsage`] |
//! | [`doorward_keys::UsageReader`] | [`dynamodb::DynamoUsage`] | | | [`memory::MemoryUsage`] |
//! | [`doorward_engine::limits::LimitStore`] | [`dynamodb::DynamoLimits`] | `redis::RedisLimits`, with the feature `redis` | | [`memory::MemoryLimits`] |
//! | [`doorward_engine::authority::TokenEndpoints`] | | | [`http::HttpEndpoints`] | |
//! | [`doorward_engine::authority::BreakerStore`] | [`dynamodb::DynamoBreakers`] | | | [`memory::MemoryBreakers`] |
//! | [`doorward_engine::layers::jwt::KeySetSource`] | | | [`http::HttpKeySets`] | |

pub mod dynamodb;
pub mod http;
pub mod memory;
mod message;
#[cfg(feature = "redis")]
pub mod redis;
mod roots;
pub mod sources;

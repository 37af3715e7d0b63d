//! The traits' implementations: everything that reaches out.
//!
//! | trait | DynamoDB | HTTP | memory |
//! |---|---|---|---|
//! | [`doorward_keys::KeyLookup`] | [`dynamodb::DynamoKeys`] | | [`memory::MemoryKeys`] |
//! | [`doorward_keys::KeyLedger`] | [`dynamodb::DynamoKeys`] | | [`memory::MemoryKeys`] |
//! | [`doorward_engine::layers::jwt::KeySetSource`] | | [`http::HttpKeySets`] | |

pub mod dynamodb;
pub mod http;
pub mod memory;
pub mod sources;

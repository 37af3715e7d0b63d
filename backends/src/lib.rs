//! The traits' implementations: everything that reaches out.
//!
//! | trait | DynamoDB | memory |
//! |---|---|---|
//! | [`doorward_keys::KeyLookup`] | [`dynamodb::DynamoKeys`] | [`memory::MemoryKeys`] |
//! | [`doorward_keys::KeyLedger`] | [`dynamodb::DynamoKeys`] | [`memory::MemoryKeys`] |

pub mod dynamodb;
pub mod memory;
pub mod sources;

//! `DynamoDB`: the two tables, the client, API keys, blocks of tokens, limits and usage on it.
//!
//! [`schema`] lists every table, key and attribute; nothing else names one. [`connect`] builds the client from an
//! environment handed in. [`DynamoKeys`] implements both key traits, [`DynamoUsage`] the three usage traits; which of them a
//! function may use is decided by its role: the authorizer's allows `dynamodb:GetItem` of keys, the reading of blocks and
//! `dynamodb:UpdateItem` of counters only.

mod blocks;
mod breakers;
mod client;
mod errors;
mod item;
mod keys;
mod limits;
mod rehashes;
mod replays;
pub mod schema;
mod tables;
mod usage;

pub use blocks::DynamoBlocks;
pub use breakers::DynamoBreakers;
pub use client::{Connection, Patience, connect};
pub use keys::DynamoKeys;
pub use limits::DynamoLimits;
pub use rehashes::DynamoRehashes;
pub use replays::DynamoReplays;
pub use tables::{TableNames, create_missing_tables};
pub use usage::DynamoUsage;

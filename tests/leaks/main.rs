//! Reports of leaked keys: signed with a key that a server publishes, over an embedded `DynamoDB`.

mod github;
mod house;
mod refusals;
mod reports;

//! Usage in the counters table.
//!
//! An addition is one conditional `UpdateItem`: it adds the counts, and sets the latest use. Its condition is that the item
//! is of ours, that the addition was not made before, and that no later use is known. When it does not hold, the answer
//! brings the item as it is: made before, there is nothing to do; behind a later use, the counts alone are added by a second
//! update. So an addition takes one write, or two where another process was faster with a later use.
//!
//! That an addition is never made twice holds as long as no other process adds to the same hour of the same key between an
//! attempt whose answer was lost and its repetition: the item remembers the name of the last addition only.
//!
//! A piece of the access log is one transaction: it writes the name of the piece, unless that is there, and adds to the
//! requests of each hour. So a piece that comes again is found out exactly, at twice the price of plain writes.

mod add;
mod count;
mod read;

use aws_sdk_dynamodb::Client;

use super::Patience;

/// Usage in a table of `DynamoDB`. Writing needs the right to `dynamodb:UpdateItem`, reading that to `dynamodb:Query`,
/// counting the access log those to `dynamodb:PutItem` and `dynamodb:UpdateItem`.
#[derive(Clone, Debug)]
pub struct DynamoUsage {
    client: Client,
    table: String,
    region: String,
    patience: Patience,
}

impl DynamoUsage {
    /// The usage in `table`, over the connections of `client`, each call with `patience`.
    pub fn new(client: &Client, table: impl Into<String>, patience: Patience) -> Self {
        let region = client.config().region().map(ToString::to_string);
        Self {
            client: client.clone(),
            table: table.into(),
            region: region.unwrap_or_default(),
            patience,
        }
    }
}

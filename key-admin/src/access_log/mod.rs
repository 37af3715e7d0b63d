//! The access log of the APIs: how often a key was used, also where the gateway's cache answered for the authorizer.
//!
//! The gateway writes one line for each request, CloudWatch Logs hands them on in batches
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>), and each request that names a key is
//! counted under the key and the hour. [`Batch::read`] unpacks a batch, [`mod@line`] says what a line looks like, [`Tally`] counts.
//!
//! Rules:
//!
//! 1. A batch that is not of the documented form is refused as a whole. Single lines that are not ours are counted as such
//!    and left out: one bad line never holds up the others.
//! 2. A batch is written in pieces of one transaction each. The name of a piece is a digest of what is counted in it, and is
//!    written with it, so a batch that is delivered again counts nothing twice, however far it came before.
//! 3. All sizes are bounded, also the size of what was compressed.

mod batch;
pub mod line;
mod tally;

pub use batch::{Batch, BatchError, LogEvent};
pub use tally::Tally;

pub(crate) use batch::Delivery;

//! API keys: what a key looks like, how it is stored and how it lives.
//!
//! Reading order: [`secret`] and [`time`] are vocabulary; [`mod@format`] says what a printed key looks like and
//! refuses garbage without I/O, [`foreign`] the same of keys from elsewhere; [`digest`] is what is stored instead of the key; [`record`] is what is known of
//! a key; [`lifecycle`] says which changes there are; [`audit`] and [`idempotency`] are what is written beside a change;
//! [`store`] holds the two narrow traits that back ends implement, one for each deployable; [`event`] is what others are told,
//! with the outbox in which it waits and the calendar of expiries by [`day`]; [`schedule`], [`flush`] and [`places`] are what is
//! remembered for what happens by itself, and [`rehash`] what the authorizer asks for; [`usage`] is what is counted of
//! a key by [`hour`], with its two traits, and [`requests`] what the access log of the gateway adds to that. Beside all that,
//! [`block`] says which tokens must die before their time: what ends them is kept where the keys are.
//!
//! Invariant: nothing here reads a clock, a generator of random numbers, the environment or a socket.

pub mod audit;
mod base62;
pub mod block;
pub mod day;
pub mod digest;
pub mod event;
pub mod flush;
pub mod foreign;
pub mod format;
pub mod hour;
pub mod idempotency;
pub mod lifecycle;
pub mod places;
pub mod record;
pub mod rehash;
pub mod requests;
#[cfg(test)]
mod samples;
pub mod schedule;
pub mod secret;
pub mod store;
pub mod time;
pub mod usage;

pub use audit::{AuditAction, AuditEntry};
pub use block::{Block, BlockAction, BlockChange, BlockId, BlockLedger, BlockReader, Target};
pub use day::Day;
pub use digest::{Digest, Pepper};
pub use event::{
    BlockEventDetail, BusError, Calendar, Event, EventBus, EventDetail, EventKind, KeyEvent, Outbox,
};
pub use flush::{FlushBook, StageCache};
pub use foreign::{ForeignForm, ForeignForms};
pub use hour::{Hour, Hours};
pub use idempotency::Idempotency;
pub use places::JobPlaces;
pub use record::{KeyId, KeyRecord, KeyStatus};
pub use rehash::{Rehash, RehashBook, RehashSink};
pub use requests::{LogPiece, Pieced, RequestCount, RequestSink};
pub use schedule::{RotationBook, RotationState, ScheduledRotation, SuccessorSecrets};
pub use secret::Secret;
pub use store::{
    AuditSpan, Cursor, Earlier, KeyLedger, KeyLookup, KeyStore, Page, StoreError, Trace, Written,
};
pub use time::Timestamp;
pub use usage::{LastUse, Requests, Usage, UsageEntry, UsageHour, UsageReader, UsageSink};

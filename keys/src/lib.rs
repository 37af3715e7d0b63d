//! API keys: what a key looks like, how it is stored and how it lives.
//!
//! Reading order: [`secret`] and [`time`] are vocabulary; [`format`] says what a printed key looks like and
//! refuses garbage without I/O; [`digest`] is what is stored instead of the key; [`record`] is what is known of
//! a key; [`store`] holds the two narrow traits that back ends implement, one for each deployable.
//!
//! Invariant: nothing here reads a clock, a generator of random numbers, the environment or a socket.

pub mod digest;
pub mod format;
pub mod record;
pub mod secret;
pub mod store;
pub mod time;

pub use digest::{Digest, Pepper};
pub use record::{KeyId, KeyRecord, KeyStatus};
pub use secret::Secret;
pub use store::{KeyLookup, StoreError};
pub use time::Timestamp;

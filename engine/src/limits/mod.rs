//! Limits: how much a caller may ask for in a time, in whole numbers, with the time as an argument.
//!
//! 1. [`moment`]: time in microseconds, which rates need and a [`doorward_keys::Timestamp`] does not hold.
//! 2. [`rule`]: the algorithms and their numbers, checked once. What a [`Rule`] cannot hold cannot be enforced.
//! 3. [`state`]: one pure function from the state of a bucket, a cost and a time to what is left. Stores that count in
//!    memory call it; stores that count elsewhere do the same in one atomic operation of theirs and are held to it by test.
//! 4. [`store`]: the narrow trait behind which buckets are kept.
//! 5. [`report`]: what a caller may know of a limit.
//!
//! The bounds, which hold for any number of concurrent callers on one store:
//!
//! | algorithm | never more than |
//! |---|---|
//! | fixed window, calendar | `limit` between two multiples of the window (UTC); twice that across one |
//! | sliding window | `limit` by the blend of this window and the last, which takes the last as evenly spread |
//! | token bucket | `burst` at once, and in a time t no more than `burst` + t × `limit` / `window` |
//! | leaky bucket | one in `window` / `limit`, each at its slot |
//!
//! A clock that goes back never refills: a bucket that has seen a later time goes on from there.

pub mod moment;
pub mod report;
pub mod rule;
pub mod state;
pub mod store;
#[cfg(test)]
mod tests;

pub use moment::{Moment, Span};
pub use report::LimitReport;
pub use rule::{Algorithm, Period, Rule, RuleFault};
pub use state::{Outcome, Spent, State};
pub use store::{Bucket, LimitStore, LimitStoreError};

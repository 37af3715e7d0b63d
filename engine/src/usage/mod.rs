//! Usage of API keys: one count for each decision on a known key, and few writes for many of them.
//!
//! 1. A decision counts where the key was found and its digest is that of the presented one, whatever came of it: a key
//!    that has expired and is still in use is worth knowing. A key that nobody knows, or that could not be looked up, counts
//!    nowhere.
//! 2. In mode `batched` a decision is counted in memory, under one short lock. When so many calls are counted, or the first
//!    of them is so old, all of them are written, after an answer has left and never before: nobody waits for it. What is
//!    counted and not written is lost when the process is killed, and nothing else is.
//! 3. In mode `exact` an allowed call is written before its answer leaves. Refusals are counted in memory as ever: who may
//!    not pass must not cost a write each. When the store does not answer, `on_outage` says whether the call is refused
//!    ([`Reason::UsageStoreUnavailable`](crate::Reason::UsageStoreUnavailable)) or passes and is counted in memory.
//! 4. What could not be written is kept, in bounded space, and written later under the same name, so that the store knows
//!    what it has already. What finds no space is lost, and said.
//! 5. A store that fails is left alone for a second, then for two, four and so on up to a minute.

mod buffer;
mod config;
mod held;
#[cfg(test)]
mod tests;

pub use buffer::{Flushed, Uncounted, UsageBuffer, UsedKey};
pub(crate) use config::RawUsage;
pub use config::{OnUsageOutage, UsageConfig, UsageMode};

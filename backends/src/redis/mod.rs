//! Limits in Redis or Valkey, version 6 or later.
//!
//! # Stored form
//!
//! A bucket is one string under `doorward:rate:` and its name, or `doorward:rate256:` and the SHA-256 of a long name. It
//! holds four whole numbers with a space between: the version of this form, which is 1, and `mark`, `current` and
//! `previous` of [`doorward_engine::limits::State`]. What is anything else is corrupt and refuses the caller. It expires a
//! minute after the bucket is as good as untouched.
//!
//! # Rules
//!
//! 1. Checking and counting is one script, which the server runs as one atomic operation
//!    (<https://redis.io/docs/latest/develop/programmability/eval-intro/>), called by its hash; a server that does not know
//!    it is sent the text. Each script touches one key. A user of the server needs `+evalsha +eval +get +set` on
//!    `~doorward:*`, `+select` where the address names another database than the first, and nothing else.
//! 2. The server must not forget buckets by itself: `maxmemory-policy noeviction`. A replica that takes over may lack the
//!    last writes of its predecessor; so much more may be admitted then.
//! 3. One server, or the primary of replicas behind one name. Nodes of a cluster that answer with another address are
//!    unavailable.
//! 4. A call to spend that gets no answer is repeated over a new connection, as often as the patience says, and may count
//!    twice, which admits nobody. A return is never repeated.

mod address;
mod connection;
mod limits;
mod script;

pub use address::{AddressFault, RedisAddress};
pub use connection::{Authority, Identity, RedisConnection};
pub use limits::RedisLimits;

//! Events as others captured or documented them, each decoded to a written expectation; and what no event may ever do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod captured;
mod documented;
mod hostile;

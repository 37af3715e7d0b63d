//! What sandboxes tell each other of a breaker.

use async_trait::async_trait;

use crate::limits::Moment;

/// Why the state of a breaker could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakerStoreError {
    /// The store did not do what it was asked.
    #[error("the store of breakers did not answer: {0}")]
    Unavailable(String),
    /// The item is not of our form.
    #[error("the store of breakers holds what cannot be read: {0}")]
    Corrupt(String),
}

/// Keeps until when breakers are open, each under a name that says who asks and where. A hint and no more: a store that
/// fails leaves each sandbox with what it has seen itself.
#[async_trait]
pub trait BreakerStore: Send + Sync {
    /// Until when the breaker called `name` is open; `None` where nobody says so.
    async fn open_until(&self, name: &str) -> Result<Option<Moment>, BreakerStoreError>;

    /// Claims the probe that is sent when a breaker has been open for its time, from `now` until `until`. `None` where it is
    /// the caller's to send; otherwise until when it is not: another's claim holds until then, or the breaker is open. A claim
    /// ends when its probe is noted as good or bad, at its own end, and where it lies so far ahead that no clock can have meant
    /// it. Where the breaker is noted as closed nobody has to wait.
    async fn claim(
        &self,
        name: &str,
        now: Moment,
        until: Moment,
    ) -> Result<Option<Moment>, BreakerStoreError>;

    /// Notes that it is open until then. A later time that is noted already stays. What is noted may be forgotten some time
    /// after `until`.
    async fn opened(&self, name: &str, until: Moment) -> Result<(), BreakerStoreError>;

    /// Notes that a probe of `since` or later found the server well. What says that it is open until after that stays.
    async fn closed(&self, name: &str, since: Moment) -> Result<(), BreakerStoreError>;
}

//! Answers that hold for a moment: something decided that the gateway cannot be told to look at again.

use std::time::Duration;

use doorward_keys::Timestamp;

use super::GatewayCache;
use crate::{
    identity::Authenticated,
    layers::proof::{Confirmation, Proven},
    limits::Moment,
};

/// How long the way of an answer to the gateway may take, in seconds. As times in policies are whole seconds, what ends with the
/// moment is allowed for one to two seconds.
const MOMENT: i64 = 1;

/// How long ago the request was received.
#[derive(Clone, Copy)]
pub(crate) struct Elapsed {
    pub(crate) stopwatch: fn() -> Duration,
    pub(crate) started: Duration,
}

impl Elapsed {
    /// When an answer to what was received at `received_at` ends, if it holds for a moment only: the next whole second, and the
    /// way of the answer.
    pub(crate) fn end_of_moment(self, received_at: Moment) -> Timestamp {
        let since = (self.stopwatch)().saturating_sub(self.started);
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let now = received_at.micros().saturating_add(micros);
        let seconds = i64::try_from(now.div_ceil(1_000_000)).unwrap_or(i64::MAX);
        Timestamp::from_unix(seconds).plus(MOMENT)
    }
}

/// A proof is for one request: what it opens, nothing else may be let through by.
pub(super) const fn rests_on_proof(proven: &Proven) -> bool {
    matches!(proven.by, Some(Confirmation::Key(_)))
}

/// Whether something decided that the gateway cannot be told to look at again.
pub(super) fn is_momentary(caller: &Authenticated, proven: &Proven, cache: GatewayCache) -> bool {
    let by_certificate =
        caller.certificate.is_some() || matches!(proven.by, Some(Confirmation::Certificate(_)));
    rests_on_proof(proven) || (by_certificate && cache != GatewayCache::ByCertificate)
}

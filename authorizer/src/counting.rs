//! What of a decision is counted as usage of its key.

use std::time::Duration;

use doorward_engine::{
    Class, Decision, Denial, Reason, Verdict,
    limits::LimitReport,
    usage::{OnUsageOutage, Uncounted, UsageBuffer, UsageConfig, UsedKey},
};

use crate::handler::Call;

/// Why the caller does not get through in the end, whoever says so: an Allow over a limit is refused by the backend or by a
/// usage plan.
pub(crate) fn refusal(verdict: &Verdict) -> Option<Reason> {
    match &verdict.decision {
        Decision::Deny(denial) => Some(denial.reason()),
        Decision::Allow(grant) => {
            let exceeded = grant.limit().is_some_and(LimitReport::is_exceeded);
            exceeded.then_some(Reason::RateLimited)
        }
    }
}

/// Counts the decision, where it is one on a known key. `overruled` says why the answer refuses although the verdict allows.
///
/// # Errors
/// When the store was to count the call at once and did not.
pub(crate) async fn count(
    usage: &UsageBuffer,
    config: &UsageConfig,
    verdict: &Verdict,
    overruled: Option<Reason>,
    call: &Call,
    time_left: Option<Duration>,
) -> Result<(), Uncounted> {
    let Some(key) = &verdict.trail.key_id else {
        return Ok(());
    };
    let used = UsedKey {
        key,
        refused: overruled.or_else(|| refusal(verdict)).map(Reason::class),
        at: call.received_at,
        address: verdict.trail.address,
    };
    let counted = usage.count(config, &used, time_left).await;
    if let Err(Uncounted {
        then: OnUsageOutage::Deny,
        ..
    }) = &counted
    {
        let refused = UsedKey {
            refused: Some(Class::Unavailable),
            ..used
        };
        // A refusal is counted in memory, which does not fail.
        let _ = usage.count(config, &refused, None).await;
    }
    counted
}

/// The verdict on a call that must not pass uncounted; `None` where it passes.
pub(crate) fn instead(verdict: &Verdict, uncounted: &Uncounted) -> Option<Verdict> {
    match uncounted.then {
        OnUsageOutage::Allow => None,
        OnUsageOutage::Deny => {
            let denial = Denial::new(Reason::UsageStoreUnavailable, uncounted.why.clone());
            Some(Verdict {
                decision: Decision::Deny(denial),
                trail: verdict.trail.clone(),
            })
        }
    }
}

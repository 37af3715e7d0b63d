//! What the operator sees: one JSON line for each decision, with its metrics inside (CloudWatch embedded metric format).
//!
//! 1. No credential, query string, cookie or header value ever stands in a line; reason, layer and public ids do.
//! 2. Texts that came from outside are cut and cleaned of control characters.
//! 3. Metrics have the class of the decision as their only dimension: a dimension per key or route is a bill per key or
//!    route.

mod lines;

use std::{io::Write, sync::Arc};

use doorward_engine::{
    Class, Decision, Reason, authority::BreakerChange, config::Fault, usage::Flushed,
};
use doorward_keys::Timestamp;
use serde::Serialize;

use crate::{
    counting::refusal,
    handler::{Call, Explained},
};
use lines::{
    BreakerLine, DecisionLine, FaultLine, FaultsLine, FlushLine, Layer, LifeLine, LimitLine,
    Metrics, OF_CLOSED_BREAKERS, OF_DECISIONS, OF_DECISIONS_WITHOUT_STORE, OF_FLUSHES,
    OF_OPENED_BREAKERS, OF_REFUSED_CONFIGURATIONS, OF_STALE_KEY_SETS, OF_UNCOUNTED, RefusedLine,
    StaleLine, micros,
};

/// Where lines go. Called with one line, without the line break.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Doorward";

/// The names of all metrics, for dashboards and alarms.
pub fn metric_names() -> Vec<&'static str> {
    let all = [
        &OF_DECISIONS_WITHOUT_STORE,
        &OF_UNCOUNTED,
        &OF_OPENED_BREAKERS,
        &OF_CLOSED_BREAKERS,
        &OF_FLUSHES,
        &OF_REFUSED_CONFIGURATIONS,
        &OF_STALE_KEY_SETS,
    ];
    let metrics = all.into_iter().flat_map(|directive| directive.metrics);
    metrics.map(|metric| metric.name).collect()
}

/// Longer texts are cut, in characters.
const MAX_TEXT: usize = 256;

/// Lines to standard output, which Lambda takes to CloudWatch Logs. A line that cannot be written is lost.
pub fn to_stdout() -> Sink {
    Arc::new(|line| {
        let mut line = line.to_owned();
        line.push('\n');
        // One write, so that lines of concurrent requests do not mix.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    })
}

/// Writes the line of one decision.
pub(crate) fn decision(sink: &Sink, explained: &Explained, call: &Call) {
    let Explained {
        kind,
        verdict,
        overruled,
        uncounted,
        took,
        answer: _,
        request: _,
    } = explained;
    let (trail, uncounted) = (&verdict.trail, uncounted.as_ref());
    let (decision, denial, limit) = match &verdict.decision {
        Decision::Allow(grant) => ("allow", None, grant.limit()),
        Decision::Deny(denial) => ("deny", Some(denial), denial.limit()),
    };
    let exceeded = limit.filter(|limit| limit.is_exceeded());
    let reason = refusal(verdict);
    let class = reason.map_or("allowed", |reason| reason.class().as_str());
    let faults = trail.limits.iter().filter(|limit| limit.fault.is_some());
    let limit_store_faults = faults.count();
    let line = DecisionLine {
        level: level(reason),
        event: "decision",
        decision,
        reason: reason.map(Reason::as_str),
        detail: denial
            .map(|denial| clean(denial.detail()))
            .filter(|detail| !detail.is_empty()),
        answer: overruled.map(Reason::as_str),
        limit: exceeded.map(|limit| clean(&limit.name)),
        retry_after: exceeded.and_then(|limit| limit.retry_after),
        limits: trail.limits.iter().map(LimitLine::of).collect(),
        kind: kind.as_str(),
        route: trail.route.as_deref().map(clean),
        key_id: trail.key_id.as_ref().map(ToString::to_string),
        certificate: trail.certificate.as_ref().map(|(name, _)| clean(name)),
        certificate_serial: trail.certificate.as_ref().map(|(_, serial)| clean(serial)),
        issuer: trail.issuer.as_deref().map(clean),
        principal: trail.principal.as_deref().map(clean),
        address: trail.address.map(|address| address.to_string()),
        layers: trail.visits.iter().map(Layer::of).collect(),
        request_id: clean(&call.request_id),
        trace_id: call.trace_id.as_deref().map(clean),
        metrics: Metrics::of(
            call.received_at.timestamp(),
            if limit_store_faults == 0 {
                &OF_DECISIONS
            } else {
                &OF_DECISIONS_WITHOUT_STORE
            },
        )
        .and(uncounted.map(|_| &OF_UNCOUNTED)),
        class,
        decisions: 1,
        latency: micros(*took),
        limit_store_faults,
        usage_store_faults: uncounted.map(|_| 1),
        usage: uncounted.map(|failed| clean(&failed.why)),
    };
    write(sink, &line);
}

/// How loud the line of a decision is: what is broken, and who holds what they should not have.
fn level(refused: Option<Reason>) -> &'static str {
    match refused {
        Some(Reason::DecoyKey) => "WARN",
        Some(reason) if reason.class() == Class::Unavailable => "ERROR",
        _ => "INFO",
    }
}

/// Writes the line that says why the function refuses everything.
pub fn config_invalid(sink: &Sink, faults: &[Fault]) {
    let faults = faults.iter().map(|fault| FaultLine {
        path: clean(&fault.path),
        line: fault.place.map(|(line, _)| line),
        column: fault.place.map(|(_, column)| column),
        message: clean(&fault.message),
    });
    write(
        sink,
        &FaultsLine {
            level: "ERROR",
            event: "config_invalid",
            faults: faults.collect(),
        },
    );
}

/// Sends panics to `sink`, with their place and nothing else: the message of a panic may quote what a caller sent.
pub fn panics_to(sink: &Sink) {
    let sink = Arc::clone(sink);
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        life(&sink, "ERROR", "panic", &place);
    }));
}

/// Writes that a new version of the configuration was refused and the old one stays; a metric says so too.
pub fn config_refused(sink: &Sink, why: &str, now: Timestamp) {
    let line = RefusedLine {
        level: "ERROR",
        event: "config_refused",
        detail: clean(why),
        metrics: Metrics::of(now, &OF_REFUSED_CONFIGURATIONS),
        refused: 1,
    };
    write(sink, &line);
}

/// Writes that tokens of `issuer` are checked with keys that are `age` seconds old, because fresh ones cannot be had.
pub fn key_set_stale(sink: &Sink, issuer: &str, age: u64, now: Timestamp) {
    let line = StaleLine {
        level: "WARN",
        event: "key_set_stale",
        issuer: clean(issuer),
        metrics: Metrics::of(now, &OF_STALE_KEY_SETS),
        age,
    };
    write(sink, &line);
}

/// Writes that the breaker of an authorization server changed. Metrics count how often one opened and how often one closed.
pub fn breaker_changed(sink: &Sink, change: &BreakerChange) {
    let (level, metrics, opened, closed) = match change.to {
        "open" => ("ERROR", Some(&OF_OPENED_BREAKERS), Some(1), None),
        "closed" => ("INFO", Some(&OF_CLOSED_BREAKERS), None, Some(1)),
        _ => ("INFO", None, None, None),
    };
    let line = BreakerLine {
        level,
        event: "breaker",
        server: clean(&change.server),
        from: change.from,
        to: change.to,
        detail: clean(&change.cause),
        metrics: metrics.map(|directive| Metrics::of(change.at, directive)),
        opened,
        closed,
    };
    write(sink, &line);
}

/// Writes what came of writing usage.
pub fn usage_flushed(sink: &Sink, flushed: &Flushed, now: Timestamp) {
    let is_well = flushed.fault.is_none() && flushed.lost == 0;
    let line = FlushLine {
        level: if is_well { "INFO" } else { "ERROR" },
        event: if flushed.fault.is_none() {
            "usage_flushed"
        } else {
            "usage_not_flushed"
        },
        detail: flushed.fault.as_deref().map(clean),
        calls: flushed.calls,
        metrics: Metrics::of(now, &OF_FLUSHES),
        writes: flushed.writes,
        lag: flushed.lag.micros() / 1000,
        faults: flushed.fault.iter().len(),
        waiting: flushed.waiting,
        lost: flushed.lost,
    };
    write(sink, &line);
}

/// Writes a line about the life of the function: `event` is its word, `detail` says more.
pub fn life(sink: &Sink, level: &'static str, event: &'static str, detail: &str) {
    write(
        sink,
        &LifeLine {
            level,
            event,
            detail: clean(detail),
        },
    );
}

fn write(sink: &Sink, line: &impl Serialize) {
    // Plain structs with text keys cannot fail to be written as JSON.
    if let Ok(text) = serde_json::to_string(line) {
        sink(&text);
    }
}

/// `text` on one line, without characters that move a cursor or turn the direction of writing, at most [`MAX_TEXT`] long.
fn clean(text: &str) -> String {
    if text.len() <= MAX_TEXT && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let harmless = |c: char| {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if c.is_control() || hidden {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut cleaned: String = text.chars().take(MAX_TEXT).map(harmless).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        cleaned.push('…');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_controls_and_cuts_long_texts() {
        assert_eq!(
            clean("a\r\n\u{1b}[31m\u{202e}b"),
            "a\u{fffd}\u{fffd}\u{fffd}[31m\u{fffd}b"
        );
        assert_eq!(clean(&"é".repeat(300)).chars().count(), MAX_TEXT + 1);
        assert_eq!(clean(&"é".repeat(MAX_TEXT)).chars().count(), MAX_TEXT);
    }
}

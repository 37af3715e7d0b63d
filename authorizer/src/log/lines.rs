//! The lines as they are written.

use std::time::Duration;

use doorward_engine::{
    decision::{Outcome, Visit},
    layers::rate_limit::{Counted, Visited},
};
use doorward_keys::Timestamp;
use serde::Serialize;

use super::{NAMESPACE, clean};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// Why the answer refuses although the engine allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<&'static str>,
    /// The limit that is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<String>,
    /// When there is room again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u64>,
    /// All limits that were asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) limits: Vec<LimitLine>,
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_id: Option<String>,
    /// The subject of the client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate_serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    pub(super) layers: Vec<Layer>,
    pub(super) request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<String>,
    #[serde(rename = "_aws")]
    pub(super) metrics: Metrics,
    #[serde(rename = "Class")]
    pub(super) class: &'static str,
    #[serde(rename = "Decisions")]
    pub(super) decisions: u8,
    #[serde(rename = "Latency")]
    pub(super) latency: u64,
    /// How many limits the store did not count.
    #[serde(rename = "LimitStoreFaults", skip_serializing_if = "is_nothing")]
    pub(super) limit_store_faults: usize,
    /// Whether the store did not count the call, where it was to before the answer.
    #[serde(rename = "UsageStoreFaults", skip_serializing_if = "Option::is_none")]
    pub(super) usage_store_faults: Option<u8>,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_nothing(count: &usize) -> bool {
    *count == 0
}

#[derive(Serialize)]
pub(super) struct Layer {
    #[serde(rename = "layer")]
    pub(super) name: &'static str,
    pub(super) outcome: &'static str,
    pub(super) us: u64,
}

impl Layer {
    pub(super) fn of(visit: &Visit) -> Self {
        let outcome = match visit.outcome {
            Outcome::Passed => "passed",
            Outcome::Absent => "absent",
            Outcome::Refused(reason) => reason.as_str(),
        };
        Self {
            name: visit.layer,
            outcome,
            us: micros(visit.took),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LimitLine {
    pub(super) name: String,
    pub(super) remaining: u64,
    /// Where it was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) counted: Option<&'static str>,
    /// Why the store did not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
}

impl LimitLine {
    pub(super) fn of(visited: &Visited) -> Self {
        Self {
            name: clean(&visited.name),
            remaining: visited.remaining,
            counted: visited.counted.map(Counted::as_str),
            fault: visited.fault.as_deref().map(clean),
        }
    }
}

/// The directive of the embedded metric format (AWS: CloudWatch embedded metric format specification).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metrics {
    pub(super) timestamp: i64,
    pub(super) cloud_watch_metrics: Vec<&'static Directive>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Directive {
    pub(super) namespace: &'static str,
    pub(super) dimensions: &'static [&'static [&'static str]],
    pub(super) metrics: &'static [Metric],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
}

pub(super) static OF_DECISIONS: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&["Class"]],
    metrics: &[
        Metric {
            name: "Decisions",
            unit: "Count",
        },
        Metric {
            name: "Latency",
            unit: "Microseconds",
        },
    ],
};

/// With the metric that is only there when the store of limits failed, so that it costs nothing while all is well.
pub(super) static OF_DECISIONS_WITHOUT_STORE: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&["Class"]],
    metrics: &[
        Metric {
            name: "Decisions",
            unit: "Count",
        },
        Metric {
            name: "Latency",
            unit: "Microseconds",
        },
        Metric {
            name: "LimitStoreFaults",
            unit: "Count",
        },
    ],
};

pub(super) static OF_OPENED_BREAKERS: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&[]],
    metrics: &[Metric {
        name: "BreakerOpened",
        unit: "Count",
    }],
};

/// Beside those of a decision, when the store of usage failed in mode `exact`.
pub(super) static OF_UNCOUNTED: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&["Class"]],
    metrics: &[Metric {
        name: "UsageStoreFaults",
        unit: "Count",
    }],
};

pub(super) static OF_CLOSED_BREAKERS: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&[]],
    metrics: &[Metric {
        name: "BreakerClosed",
        unit: "Count",
    }],
};

pub(super) static OF_FLUSHES: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&[]],
    metrics: &[
        Metric {
            name: "UsageWrites",
            unit: "Count",
        },
        Metric {
            name: "UsageFlushLag",
            unit: "Milliseconds",
        },
        Metric {
            name: "UsageFlushFaults",
            unit: "Count",
        },
        Metric {
            name: "UsageWaiting",
            unit: "Count",
        },
        Metric {
            name: "UsageLost",
            unit: "Count",
        },
    ],
};

pub(super) static OF_STALE_KEY_SETS: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&[]],
    metrics: &[Metric {
        name: "KeySetAge",
        unit: "Seconds",
    }],
};

pub(super) static OF_REFUSED_CONFIGURATIONS: Directive = Directive {
    namespace: NAMESPACE,
    dimensions: &[&[]],
    metrics: &[Metric {
        name: "ConfigRefused",
        unit: "Count",
    }],
};

impl Metrics {
    pub(super) fn of(now: Timestamp, directive: &'static Directive) -> Self {
        Self {
            timestamp: now.unix().saturating_mul(1000),
            cloud_watch_metrics: vec![directive],
        }
    }

    pub(super) fn and(mut self, directive: Option<&'static Directive>) -> Self {
        self.cloud_watch_metrics.extend(directive);
        self
    }
}

#[derive(Serialize)]
pub(super) struct FaultsLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) faults: Vec<FaultLine>,
}

#[derive(Serialize)]
pub(super) struct FaultLine {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<usize>,
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct RefusedLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) detail: String,
    #[serde(rename = "_aws")]
    pub(super) metrics: Metrics,
    #[serde(rename = "ConfigRefused")]
    pub(super) refused: u8,
}

#[derive(Serialize)]
pub(super) struct StaleLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) issuer: String,
    #[serde(rename = "_aws")]
    pub(super) metrics: Metrics,
    /// How old the key set is, in seconds.
    #[serde(rename = "KeySetAge")]
    pub(super) age: u64,
}

#[derive(Serialize)]
pub(super) struct BreakerLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) server: String,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) detail: String,
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Metrics>,
    #[serde(rename = "BreakerOpened", skip_serializing_if = "Option::is_none")]
    pub(super) opened: Option<u8>,
    #[serde(rename = "BreakerClosed", skip_serializing_if = "Option::is_none")]
    pub(super) closed: Option<u8>,
}

#[derive(Serialize)]
pub(super) struct FlushLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    /// What the store said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// How many calls were written.
    pub(super) calls: u64,
    #[serde(rename = "_aws")]
    pub(super) metrics: Metrics,
    #[serde(rename = "UsageWrites")]
    pub(super) writes: u64,
    /// How long the first of the calls had waited, in milliseconds.
    #[serde(rename = "UsageFlushLag")]
    pub(super) lag: u64,
    #[serde(rename = "UsageFlushFaults")]
    pub(super) faults: usize,
    /// How many calls wait to be written.
    #[serde(rename = "UsageWaiting")]
    pub(super) waiting: u64,
    /// How many calls will never be written.
    #[serde(rename = "UsageLost")]
    pub(super) lost: u64,
}

#[derive(Serialize)]
pub(super) struct LifeLine {
    pub(super) level: &'static str,
    pub(super) event: &'static str,
    pub(super) detail: String,
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

//! The explanation as JSON.

use doorward_authorizer::Explained;
use doorward_engine::decision::Outcome;
use serde_json::{Value, json};

pub(super) fn answer(explained: &Explained) -> Value {
    let trail = &explained.verdict.trail;
    let layers: Vec<Value> = trail
        .visits
        .iter()
        .map(|visit| {
            let (outcome, reason) = match visit.outcome {
                Outcome::Passed => ("passed", None),
                Outcome::Absent => ("absent", None),
                Outcome::Refused(reason) => ("refused", Some(reason.as_str())),
            };
            json!({
                "layer": visit.layer,
                "outcome": outcome,
                "reason": reason,
                "microseconds": u64::try_from(visit.took.as_micros()).unwrap_or(u64::MAX),
            })
        })
        .collect();
    let refusal = super::refusal(explained).map(|(reason, detail)| {
        json!({
            "reason": reason.as_str(),
            "class": reason.class().as_str(),
            "meaning": reason.meaning(),
            "detail": detail,
            "mend": reason.mend(),
        })
    });
    let (answer, error) = match &explained.answer {
        Ok(answer) => (Some(super::shown(answer)), None),
        Err(refusal) => (None, Some(refusal.message())),
    };
    json!({
        "event": explained.kind.as_str(),
        "decision": if refusal.is_none() { "allow" } else { "deny" },
        "refusal": refusal,
        "route": trail.route,
        "principal": trail.principal,
        "keyId": trail.key_id,
        "issuer": trail.issuer,
        "address": trail.address.map(|address| address.to_string()),
        "layers": layers,
        "answer": answer,
        "functionError": error,
    })
}

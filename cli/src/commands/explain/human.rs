//! The explanation for people.

use std::fmt::Write as _;

use doorward_authorizer::Explained;
use doorward_engine::{
    Class,
    decision::{Outcome, Trail, Visit},
};
use doorward_keys::Timestamp;

use crate::{
    clock,
    output::{BAD, BOLD, DIM, GOOD, WARN, one_line, styled},
};

pub(super) fn text(explained: &Explained, at: Timestamp) -> String {
    let mut text = String::new();
    let trail = &explained.verdict.trail;
    // Writing to a text does not fail.
    let _ = writeln!(
        text,
        "{} {}, decided for {}",
        styled(BOLD, "event"),
        explained.kind.as_str(),
        clock::shown(at)
    );
    for (name, value) in facts(trail) {
        let _ = writeln!(text, "  {name:<10} {}", one_line(&value));
    }
    let _ = writeln!(text, "\n{}", styled(BOLD, "layers"));
    if trail.visits.is_empty() {
        let _ = writeln!(text, "  none was reached");
    }
    for visit in &trail.visits {
        let _ = writeln!(text, "  {}", layer(visit));
    }
    let _ = writeln!(text, "\n{}", decision(explained));
    let _ = writeln!(text, "\n{}", styled(BOLD, "what the gateway gets"));
    match &explained.answer {
        Ok(answer) => {
            let _ = write!(text, "{:#}", super::shown(answer));
        }
        Err(refusal) => {
            let _ = write!(
                text,
                "the function error `{}`, which is never cached",
                refusal.message()
            );
        }
    }
    text
}

fn facts(trail: &Trail) -> Vec<(&'static str, String)> {
    let facts = [
        ("address", trail.address.map(|address| address.to_string())),
        ("route", trail.route.clone()),
        ("key", trail.key_id.as_ref().map(ToString::to_string)),
        (
            "cert",
            trail
                .certificate
                .as_ref()
                .map(|(subject, serial)| format!("{subject}, serial {serial}")),
        ),
        ("issuer", trail.issuer.as_deref().map(str::to_owned)),
        ("caller", trail.principal.as_deref().map(str::to_owned)),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn layer(visit: &Visit) -> String {
    let outcome = match visit.outcome {
        Outcome::Passed => styled(GOOD, "passed"),
        Outcome::Absent => styled(DIM, "nothing to look at"),
        Outcome::Refused(reason) => format!("{} {}", styled(BAD, "refused"), reason.as_str()),
    };
    let took = styled(DIM, format!("{} µs", visit.took.as_micros()));
    format!("{:<14} {outcome} {took}", visit.layer)
}

fn decision(explained: &Explained) -> String {
    let Some((reason, detail)) = super::refusal(explained) else {
        return styled(GOOD, "allowed");
    };
    let status = match reason.class() {
        Class::Unauthenticated => "401, not cached",
        Class::Forbidden => "403",
        Class::Throttled => "403, or 429 where the API says so",
        Class::Unavailable => "500, not cached",
    };
    let mut text = format!("{} {} ({status})", styled(BAD, "refused"), reason.as_str());
    let _ = write!(text, "\n  {}", reason.meaning());
    if !detail.is_empty() {
        let _ = write!(text, "\n  here: {}", one_line(detail));
    }
    let _ = write!(text, "\n  {} {}", styled(WARN, "to mend:"), reason.mend());
    text
}

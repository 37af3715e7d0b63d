//! Asks every case of every gateway, and prints what came of it.

use std::sync::{Arc, Mutex};

use doorward::local::iam::{self, Effect, Facts};
use doorward_authorizer::{Answer, Event, Refusal};
use doorward_engine::{Decision, Reason};
use doorward_keys::Timestamp;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{
    cases::{self, Case},
    events::Gateway,
    secrets,
    world::{ADDRESS, NOW, authorizer, call},
};

/// What one gateway gets for one case.
pub(crate) struct Cell {
    credential: String,
    path: String,
    route: &'static str,
    state: &'static str,
    pub(crate) gateway: Gateway,
    verdict: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) answer: &'static str,
}

impl Cell {
    /// Whether what asked is not served at all.
    pub(crate) fn is_of_a_stranger(&self) -> bool {
        Gateway::STRANGERS.contains(&self.gateway)
    }
}

/// All cells, case by case; asked once.
pub(crate) async fn cells() -> &'static [Cell] {
    static CELLS: OnceCell<Vec<Cell>> = OnceCell::const_new();
    CELLS.get_or_init(ask).await
}

async fn ask() -> Vec<Cell> {
    let mut cells = Vec::new();
    for case in cases::all() {
        for &gateway in case.gateways {
            // Without the header that is the token these two ask nobody and answer 401 themselves.
            if !(gateway.wants_token() && gateway.token(&case).is_none()) {
                cells.push(cell(&case, gateway).await);
            }
        }
    }
    cells
}

async fn cell(case: &Case, gateway: Gateway) -> Cell {
    let lines = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = Arc::clone(&lines);
    let sink = Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned()));
    let simple = gateway == Gateway::Http2Simple;
    let authorizer = authorizer(case.route, case.state, simple, sink).await;
    let text = gateway.event(case).to_string();
    let event = Event::parse(text.as_bytes());
    if case.state.is_used_up() {
        // The line of this call belongs to no cell.
        authorizer.explain(&event, &call(case.state)).await;
    }
    let explained = authorizer.decide(&event, &call(case.state)).await;
    let handled = authorizer.handle(&event, &call(case.state)).await;
    assert_eq!(handled, explained.answer, "a second decision differs");
    let mut said = lines.lock().unwrap().clone();
    said.push(format!("{explained:?}"));
    said.extend(handled.iter().map(|answer| answer.to_value().to_string()));
    says_no_secret(case, &said);
    let (verdict, reason) = match &explained.verdict.decision {
        Decision::Allow(_) => ("allow", explained.overruled.map_or("", Reason::as_str)),
        Decision::Deny(denial) => ("deny", denial.reason().as_str()),
    };
    Cell {
        credential: case.credential.clone(),
        path: case.path.clone(),
        route: case.route,
        state: case.state.as_str(),
        gateway,
        verdict,
        reason,
        answer: effect(&explained.answer, &gateway.arn(case)),
    }
}

/// No credential, no part of one that proves something, and no digest stands in an answer or in the log.
fn says_no_secret(case: &Case, said: &[String]) {
    let mut canaries = secrets::canaries();
    let places = [&case.headers, &case.query, &case.cookies];
    for (_, value) in places.into_iter().flatten() {
        // Header and payload of a token are as secret as the signature: claims are personal. A word that stands where a
        // scheme should may be a part of a secret too.
        let parts = value.split([' ', '.']).filter(|part| part.len() > 16);
        canaries.extend(parts.map(str::to_owned));
    }
    for canary in &canaries {
        assert!(!canary.is_empty());
        for line in said {
            assert!(!line.contains(canary), "{}: {line}", case.credential);
        }
    }
}

/// What the caller meets, by an evaluator of policies that knows nothing of how they are written.
fn effect(answer: &Result<Answer, Refusal>, arn: &str) -> &'static str {
    let answer = match answer {
        Err(Refusal::Unauthorized) => return "401 error",
        Err(Refusal::Failed) => return "500 error",
        Ok(answer) => answer.to_value(),
    };
    match answer.get("isAuthorized").and_then(Value::as_bool) {
        Some(true) => return "isAuthorized true",
        Some(false) => return "isAuthorized false",
        None => {}
    }
    let facts = Facts {
        now: Timestamp::from_unix(NOW),
        source_ip: ADDRESS.parse().ok(),
        secure_transport: true,
        user_agent: None,
        referer: None,
    };
    match iam::evaluate(&answer["policyDocument"], "execute-api:Invoke", arn, &facts) {
        Ok(Effect::Allow) => "allow",
        Ok(Effect::ExplicitDeny) => "403 deny",
        Ok(Effect::ImplicitDeny) => "403 by silence",
        Err(_) => "500 malformed",
    }
}

const HEAD: [&str; 7] = [
    "credential",
    "request",
    "state",
    "verdict",
    "reason",
    "answer",
    "gateways",
];

/// The table: gateways that get the same share a line.
pub(crate) fn print(cells: &[Cell]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    let mut case = None;
    let mut first = 1;
    for cell in cells {
        let of = (&cell.credential, &cell.path, cell.route, cell.state);
        if case != Some(of) {
            case = Some(of);
            first = rows.len();
        }
        let row = [
            &cell.credential,
            &format!("GET {}", cell.path),
            cell.state,
            cell.verdict,
            cell.reason,
            cell.answer,
            cell.gateway.as_str(),
        ]
        .map(str::to_owned);
        let same = rows
            .iter_mut()
            .skip(first)
            .find(|held| held[..6] == row[..6]);
        match same {
            Some(held) => held[6] = format!("{} {}", held[6], row[6]),
            None => rows.push(row),
        }
    }
    let widths: Vec<usize> = (0..7)
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text += padded.join("  ").trim_end();
        text.push('\n');
    }
    text
}

//! Usage for people: what is counted in each step, and its course as a line of blocks.

pub(super) mod csv;
mod spark;

use doorward_key_admin::reply::{KeyView, UsageStep, UsageView};
use doorward_keys::Timestamp;

use self::spark::spark;
use super::render::Shown;
use crate::{
    clock,
    output::{BOLD, Characters, one_line, styled},
};

/// What stands where a number is not known.
const UNKNOWN: &str = "?";
const NO_LOG: &str = "requests are not known: no line of the access log was counted in this time, so what the gateway's cache \
                      answered is not known either";

/// The counts of `key`, drawn with `characters`.
pub(super) fn shown(key: &KeyView, usage: &UsageView, characters: Characters) -> Shown {
    let mut lines = vec![
        format!(
            "{} {} of tenant {}",
            styled(BOLD, &key.id),
            one_line(&key.name),
            one_line(&key.tenant)
        ),
        format!(
            "by {} from {} to {}, UTC",
            usage.by,
            time(usage, usage.from),
            time(usage, usage.to)
        ),
        String::new(),
    ];
    let is_logged = usage.total.requests.is_some();
    if is_logged {
        let requests = |step: &UsageStep| step.requests.map_or(0, |requests| requests.total);
        lines.push(course("requests", usage, characters, requests));
    }
    lines.push(course("decisions", usage, characters, |step| {
        step.decisions.total
    }));
    lines.push(String::new());
    lines.extend(table(usage));
    lines.push(String::new());
    lines.push(match (usage.last_used_at, &usage.last_address) {
        (None, _) => "never seen by the authorizer".to_owned(),
        (Some(at), from) => {
            let at = clock::shown(Timestamp::from_unix(at));
            let from = from
                .as_deref()
                .map(|from| format!(" from {}", one_line(from)));
            format!(
                "last seen by the authorizer {at}{}",
                from.unwrap_or_default()
            )
        }
    });
    let is_unknown = !is_logged && usage.total.decisions.total > 0;
    Shown {
        said: if is_unknown {
            NO_LOG.to_owned()
        } else {
            String::new()
        },
        answer: lines.join("\n"),
    }
}

fn course(
    name: &str,
    usage: &UsageView,
    characters: Characters,
    count: impl Fn(&UsageStep) -> u64,
) -> String {
    let counts: Vec<u64> = usage.steps.iter().map(count).collect();
    let most = counts.iter().max().copied().unwrap_or_default();
    format!(
        "{name:<10} {}  at most {most} in one {}",
        spark(&counts, characters),
        usage.by
    )
}

const HEADS: [&str; 7] = [
    "requests",
    "cached",
    "429",
    "5xx",
    "decisions",
    "allowed",
    "denied",
];

/// The steps in which something was counted, and all together.
fn table(usage: &UsageView) -> Vec<String> {
    let is_empty = |step: &UsageStep| {
        step.decisions.total == 0 && step.requests.is_none_or(|requests| requests.total == 0)
    };
    if is_empty(&usage.total) {
        return vec!["nothing was counted in this time".to_owned()];
    }
    let rows = usage.steps.iter().filter(|step| !is_empty(step));
    let mut rows: Vec<(String, [String; 7])> = rows
        .map(|step| (time(usage, step.from), cells(step)))
        .collect();
    rows.push(("total".to_owned(), cells(&usage.total)));
    let names = rows.iter().map(|(name, _)| name.len());
    let first = names.chain([usage.by.len()]).max().unwrap_or_default();
    let mut widths = HEADS.map(str::len);
    for (_, cells) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |name: &str, cells: &[String; 7]| {
        let cells = cells.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("  {cell:>width$}"));
        format!("{name:<first$}{}", cells.collect::<String>())
    };
    let head = line(&usage.by, &HEADS.map(str::to_owned));
    let rows = rows.iter().map(|(name, cells)| line(name, cells));
    std::iter::once(styled(BOLD, head)).chain(rows).collect()
}

fn cells(step: &UsageStep) -> [String; 7] {
    let known = |count: Option<u64>| count.map_or_else(|| UNKNOWN.to_owned(), |c| c.to_string());
    let decisions = step.decisions;
    [
        known(step.requests.map(|requests| requests.total)),
        known(step.cached),
        known(step.requests.map(|requests| requests.throttled)),
        known(step.requests.map(|requests| requests.failed)),
        decisions.total.to_string(),
        decisions.allowed.to_string(),
        decisions
            .total
            .saturating_sub(decisions.allowed)
            .to_string(),
    ]
}

/// A time as exact as the steps are.
fn time(usage: &UsageView, at: i64) -> String {
    let shown = clock::shown(Timestamp::from_unix(at));
    let kept = match usage.by.as_ref() {
        "hour" => "2026-11-27T05:00".len(),
        "day" => "2026-11-27".len(),
        _ => "2026-11".len(),
    };
    shown
        .chars()
        .take(kept)
        .collect::<String>()
        .replace('T', " ")
}

#[cfg(test)]
mod tests;

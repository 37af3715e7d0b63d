//! Replies of key administration for people.

use std::fmt::Write as _;

use doorward_key_admin::{
    Reply,
    reply::{ChangeView, KeyView},
};
use doorward_keys::Timestamp;

use super::usage;
use crate::{
    clock, duration,
    output::{BAD, BOLD, Characters, DIM, GOOD, WARN, one_line, styled},
};

/// What goes where.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// To standard error.
    pub(super) said: String,
    /// To standard output; a secret stands there alone.
    pub(super) answer: String,
}

pub(super) fn render(reply: &Reply, now: Timestamp) -> Shown {
    match reply {
        Reply::Created { key, secret } => Shown {
            said: format!(
                "{} {}\n{}\n{SHOWN_ONCE}",
                styled(GOOD, "created"),
                key.id,
                details(key, now)
            ),
            answer: secret.expose().to_owned(),
        },
        Reply::Rotated {
            key,
            secret,
            replaced,
        } => Shown {
            said: format!(
                "{} {}\n{}\nthe old key {} {}\n{SHOWN_ONCE}",
                styled(GOOD, "created"),
                key.id,
                details(key, now),
                replaced.id,
                ends(replaced, now)
            ),
            answer: secret.expose().to_owned(),
        },
        Reply::Repeated { key, note, .. } => Shown {
            said: format!("{} {note}", styled(WARN, "repeated:")),
            answer: key.id.clone(),
        },
        Reply::Key { key } => Shown {
            answer: format!("{}\n{}", styled(BOLD, &key.id), details(key, now)),
            ..Shown::default()
        },
        Reply::Keys { keys, cursor } => Shown {
            said: more(cursor.as_deref(), keys.len(), "key"),
            answer: table(keys, now),
        },
        Reply::Changed {
            key,
            changed,
            effective_within_seconds,
            effective_by,
            flush: _,
        } => Shown {
            said: change(key, *changed, *effective_within_seconds, *effective_by),
            answer: String::new(),
        },
        Reply::Scheduled { key, .. } => Shown {
            said: scheduled(key),
            answer: String::new(),
        },
        Reply::Deleted { id, .. } => Shown {
            said: format!(
                "{} {id}; its changes can still be shown",
                styled(GOOD, "deleted")
            ),
            answer: String::new(),
        },
        Reply::Verified {
            valid,
            why_not,
            key,
            routes,
        } => verified(
            *valid,
            why_not.as_deref(),
            key.as_deref(),
            routes.as_deref(),
            now,
        ),
        Reply::Changes { changes, cursor } => Shown {
            said: more(cursor.as_deref(), changes.len(), "change"),
            answer: changes
                .iter()
                .map(change_line)
                .collect::<Vec<_>>()
                .join("\n"),
        },
        Reply::Imported { key, imported } => Shown {
            said: if *imported {
                styled(GOOD, "imported")
            } else {
                "was there already; nothing was done".to_owned()
            },
            answer: key.id.clone(),
        },
        Reply::Many { results } => Shown {
            said: more(None, results.len(), "result"),
            answer: String::new(),
        },
        Reply::Exported { exported, cursor } => {
            let views: Vec<KeyView> = exported.iter().map(|each| each.key.clone()).collect();
            Shown {
                said: more(cursor.as_deref(), views.len(), "key"),
                answer: table(&views, now),
            }
        }
        // `doorward block` shows these.
        Reply::OfBlocks(_) => Shown::default(),
        Reply::Usage { key, usage } => usage::shown(key, usage, Characters::of_standard_output()),
    }
}

fn scheduled(key: &KeyView) -> String {
    match key.rotates_at {
        Some(at) => {
            let at = clock::shown(Timestamp::from_unix(at));
            format!("{} is rotated at {at}, version {}", key.id, key.version)
        }
        None => format!("{} is not rotated by itself", key.id),
    }
}

const SHOWN_ONCE: &str = "the secret is shown this once:";

fn change(key: &KeyView, changed: bool, within: u32, by: i64) -> String {
    let status = status(&key.status);
    if changed {
        let within = duration::shown(i64::from(within));
        let by = clock::shown(Timestamp::from_unix(by));
        format!(
            "{} is {status}, version {}; this counts everywhere within {within}, by {by}",
            key.id, key.version
        )
    } else {
        format!("{} was like that already; nothing was done", key.id)
    }
}

fn verified(
    valid: bool,
    why_not: Option<&str>,
    key: Option<&KeyView>,
    routes: Option<&[String]>,
    now: Timestamp,
) -> Shown {
    let verdict = match why_not {
        None if valid => styled(GOOD, "valid"),
        why => format!("{}: {}", styled(BAD, "not valid"), why.unwrap_or("unknown")),
    };
    let mut answer = verdict;
    if let Some(key) = key {
        let _ = write!(answer, "\n{}\n{}", styled(BOLD, &key.id), details(key, now));
    }
    if let Some(routes) = routes {
        let opens = match routes {
            [] => "no route".to_owned(),
            routes => routes.join(", "),
        };
        let _ = write!(answer, "\n  {:<12} {opens}", "opens");
    }
    Shown {
        answer,
        ..Shown::default()
    }
}

fn details(key: &KeyView, now: Timestamp) -> String {
    let list = |values: &Option<Vec<String>>, absent: &str| match values {
        None => absent.to_owned(),
        Some(values) if values.is_empty() => "none".to_owned(),
        Some(values) => values.join(", "),
    };
    let facts = key
        .metadata
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let rows = [
        ("status", Some(status(&key.status))),
        ("tenant", Some(one_line(&key.tenant))),
        ("name", Some(one_line(&key.name))),
        ("environment", Some(one_line(&key.environment))),
        (
            "scopes",
            Some(if key.scopes.is_empty() {
                "none".to_owned()
            } else {
                key.scopes.join(" ")
            }),
        ),
        (
            "routes",
            Some(list(&key.routes, "all that its scopes allow")),
        ),
        ("addresses", Some(list(&key.addresses, "anywhere"))),
        (
            "created",
            Some(clock::shown(Timestamp::from_unix(key.created_at))),
        ),
        ("expires", Some(ends(key, now))),
        (
            "rotates",
            key.rotates_at
                .map(|at| clock::shown(Timestamp::from_unix(at))),
        ),
        ("replaces", key.rotated_from.clone()),
        ("replaced by", key.rotated_to.clone()),
        (
            "usage plan",
            key.has_usage_plan_key
                .then(|| "has a key of one".to_owned()),
        ),
        ("plan", key.plan.as_deref().map(one_line)),
        (
            "decoy",
            key.decoy
                .then(|| "opens nothing; its first use is an alarm".to_owned()),
        ),
        (
            "facts",
            Some(one_line(&facts.collect::<Vec<_>>().join(", "))).filter(|facts| !facts.is_empty()),
        ),
        ("version", Some(key.version.to_string())),
    ];
    let rows = rows
        .into_iter()
        .filter_map(|(name, value)| Some(format!("  {name:<12} {}", value?)));
    rows.collect::<Vec<_>>().join("\n")
}

fn ends(key: &KeyView, now: Timestamp) -> String {
    match key.expires_at.map(Timestamp::from_unix) {
        None => "never".to_owned(),
        Some(end) if end <= now => format!("ended {}", clock::shown(end)),
        Some(end) => format!("ends {} (in {})", clock::shown(end), span(end.since(now))),
    }
}

/// So many seconds as people say it: to the nearest whole, so that a key made for 90 days ends in 90 days, a second later too.
fn span(seconds: i64) -> String {
    let rounded = |unit: i64| seconds.saturating_add(unit / 2) / unit;
    match seconds {
        i64::MIN..120 => format!("{seconds} s"),
        120..7200 => format!("{} minutes", rounded(60)),
        7200..172_800 => format!("{} hours", rounded(3600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

fn status(word: &str) -> String {
    let style = match word {
        "active" => GOOD,
        "disabled" | "expired" => WARN,
        _ => BAD,
    };
    styled(style, word)
}

fn table(keys: &[KeyView], now: Timestamp) -> String {
    let names = ["id", "status", "name", "scopes", "expires"];
    let rows: Vec<[String; 5]> = keys
        .iter()
        .map(|key| {
            [
                key.id.clone(),
                if key.decoy {
                    format!("{} decoy", key.status)
                } else {
                    key.status.to_string()
                },
                one_line(&key.name),
                key.scopes.join(" "),
                ends(key, now),
            ]
        })
        .collect();
    let mut widths = names.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; 5]| {
        let mut line = String::new();
        for (cell, width) in cells.into_iter().zip(widths) {
            // Writing to a text does not fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![styled(BOLD, line(names))];
    lines.extend(
        rows.iter()
            .map(|row| line(row.each_ref().map(String::as_str))),
    );
    lines.join("\n")
}

fn change_line(change: &ChangeView) -> String {
    let time = clock::shown(Timestamp::from_unix(change.at));
    let mut line = format!(
        "{} {:<8} version {} by {}",
        styled(DIM, time),
        change.action,
        change.version,
        one_line(&change.actor)
    );
    if !change.fields.is_empty() {
        let _ = write!(line, ", changed {}", change.fields.join(" "));
    }
    if let Some(related) = &change.related {
        let _ = write!(line, ", with {related}");
    }
    if let Some(reason) = &change.reason {
        let _ = write!(line, ": {}", one_line(reason));
    }
    line
}

fn more(cursor: Option<&str>, shown: usize, what: &str) -> String {
    let plural = if shown == 1 { "" } else { "s" };
    match cursor {
        None => format!("{shown} {what}{plural}"),
        Some(cursor) => format!("{shown} {what}{plural}; go on with --cursor {cursor}"),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_is_told_to_the_nearest_whole() {
        for (seconds, told) in [
            (119, "119 s"),
            (120, "2 minutes"),
            (7199, "120 minutes"),
            (7200, "2 hours"),
            (90 * 86_400, "90 days"),
            (90 * 86_400 - 1, "90 days"),
            (89 * 86_400 + 40_000, "89 days"),
            (i64::MAX, "106751991167300 days"),
        ] {
            assert_eq!(span(seconds), told, "{seconds}");
        }
    }
}

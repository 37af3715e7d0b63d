//! Blocks for people.

use std::fmt::Write as _;

use doorward_key_admin::reply::{BlockChangeView, BlockReply, BlockView, Effect};
use doorward_keys::Timestamp;

use crate::{
    clock, duration,
    output::{BOLD, DIM, GOOD, WARN, one_line, styled},
};

/// What goes where.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// To standard error.
    pub(super) said: String,
    /// To standard output.
    pub(super) answer: String,
}

pub(super) fn render(reply: &BlockReply) -> Shown {
    match reply {
        BlockReply::Blocked {
            block,
            changed,
            effect,
        } => Shown {
            said: blocked(block, *changed, effect),
            answer: block.id.clone(),
        },
        BlockReply::Unblocked {
            block,
            still_blocked_by,
            effect,
        } => Shown {
            said: unblocked(block, still_blocked_by, effect),
            answer: String::new(),
        },
        BlockReply::Blocks { blocks, cursor } => Shown {
            said: more(cursor.as_deref(), blocks.len(), "block"),
            answer: table(blocks),
        },
        BlockReply::Changes {
            block_changes,
            cursor,
        } => Shown {
            said: more(cursor.as_deref(), block_changes.len(), "change"),
            answer: block_changes
                .iter()
                .map(change_line)
                .collect::<Vec<_>>()
                .join("\n"),
        },
    }
}

fn blocked(block: &BlockView, changed: bool, effect: &Effect) -> String {
    let head = if changed {
        styled(GOOD, "blocked:")
    } else {
        styled(WARN, "blocked already:")
    };
    let mut said = format!(
        "{head} {}, until {}\nrefused everywhere within {}, by {}",
        tokens(block),
        time(block.expires_at),
        duration::shown(i64::from(effect.effective_within_seconds)),
        time(effect.effective_by),
    );
    let _ = match effect.in_outage_within_seconds {
        Some(seconds) => write!(
            said,
            "; where the authorizer cannot read the list, every token is refused within {}",
            duration::shown(i64::from(seconds))
        ),
        None => write!(
            said,
            "; where the authorizer cannot read the list, only once it can"
        ),
    };
    said
}

fn unblocked(block: &BlockView, others: &[String], effect: &Effect) -> String {
    let mut said = format!(
        "{} {}; this counts everywhere within {}",
        styled(GOOD, "taken back:"),
        tokens(block),
        duration::shown(i64::from(effect.effective_within_seconds)),
    );
    if !others.is_empty() {
        let _ = write!(
            said,
            "\n{} other blocks end tokens of the same name: {}",
            styled(WARN, "still blocked:"),
            others.join(", ")
        );
    }
    said
}

/// Which tokens, in words.
fn tokens(block: &BlockView) -> String {
    let issuer = one_line(&block.issuer);
    let mut text = match &block.value {
        None => format!("all tokens of {issuer}"),
        Some(value) => {
            let kind = block.by.replace("origin_jti", "login");
            format!("tokens of {issuer} by {kind} `{}`", one_line(value))
        }
    };
    if let Some(bound) = block.issued_before {
        let _ = write!(text, ", issued before {}", time(bound));
    }
    text
}

fn time(seconds: i64) -> String {
    clock::shown(Timestamp::from_unix(seconds))
}

fn table(blocks: &[BlockView]) -> String {
    let names = ["id", "status", "tokens", "ends", "by whom", "why"].map(str::to_owned);
    let rows = blocks.iter().map(|block| {
        [
            block.id.clone(),
            block.status.to_string(),
            tokens(block),
            time(block.expires_at),
            one_line(&block.actor),
            one_line(block.reason.as_deref().unwrap_or_default()),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(names).chain(rows).collect();
    let mut widths = [0_usize; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 6]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a text does not fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    let mut lines = rows.iter().map(line);
    let head = lines.next().map(|head| styled(BOLD, head));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn change_line(change: &BlockChangeView) -> String {
    let mut line = format!(
        "{} {:<6} {} by {}: {}",
        styled(DIM, time(change.at)),
        change.action,
        change.block.id,
        one_line(&change.actor),
        tokens(&change.block),
    );
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

//! The counts in the file, and what is different.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Hundredths by which a count may be off.
const SLACK: u64 = 5;

/// Instructions by scene.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Counts {
    /// The compiler that made what was counted.
    rustc: String,
    /// Why the counts changed the last time.
    pub(crate) reason: String,
    /// Of one call, without the bare check of a signature.
    pub(crate) per_call: BTreeMap<String, u64>,
    /// Of one bare check of a signature on the processor of the last update. Nothing is held against them.
    pub(crate) signatures: BTreeMap<String, u64>,
}

impl Counts {
    /// No counts yet.
    pub(crate) fn of_this_compiler() -> anyhow::Result<Self> {
        let output = Command::new("rustc").arg("--version").output();
        let output = output.context("rustc cannot be started")?;
        Ok(Self {
            rustc: String::from_utf8(output.stdout)?.trim().to_owned(),
            ..Self::default()
        })
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).context("there are no committed counts")?;
        serde_json::from_str(&text).context("the committed counts cannot be read")
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, format!("{text}\n")).context("the counts cannot be written")
    }

    /// In words, what is not as `committed`; nothing when all is.
    pub(crate) fn differences(&self, committed: &Self) -> Vec<String> {
        if self.rustc != committed.rustc {
            return vec![format!(
                "counted with `{}`, and the committed counts are of `{}`: they cannot be compared and need an update",
                self.rustc, committed.rustc
            )];
        }
        let names = self.per_call.keys().chain(committed.per_call.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        names
            .into_iter()
            .filter_map(
                |name| match (self.per_call.get(name), committed.per_call.get(name)) {
                    (Some(now), Some(before)) => difference(name, *now, *before),
                    (Some(_), None) => Some(format!("`{name}` is not in the committed counts")),
                    (None, _) => Some(format!("`{name}` is committed and no longer counted")),
                },
            )
            .collect()
    }
}

fn difference(name: &str, now: u64, before: u64) -> Option<String> {
    let slack = before.saturating_mul(SLACK).div_euclid(100);
    let word = if now > before.saturating_add(slack) {
        "more than"
    } else if now < before.saturating_sub(slack) {
        "which is better, and to be kept: less than"
    } else {
        return None;
    };
    Some(format!(
        "`{name}` takes {now} instructions, {word} the {before} committed by over {SLACK} in 100"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rustc: &str, rows: &[(&str, u64)]) -> Counts {
        Counts {
            rustc: rustc.to_owned(),
            per_call: rows
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            ..Counts::default()
        }
    }

    #[test]
    fn says_what_is_off_by_more_than_the_slack_and_what_is_on_one_side_only() {
        let committed = counts("1", &[("a", 1000), ("b", 1000), ("c", 1000)]);
        let same = counts("1", &[("a", 1050), ("b", 950), ("c", 1000)]);
        assert!(same.differences(&committed).is_empty());
        let other = counts("1", &[("a", 1051), ("b", 949), ("d", 1)]);
        let found = other.differences(&committed);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("`a` takes 1051 instructions, more than the 1000"));
        assert!(found[1].contains("less than the 1000"));
        assert!(found[2].contains("no longer counted"));
        assert!(found[3].contains("`d` is not in"));
    }

    #[test]
    fn counts_of_another_compiler_are_not_compared() {
        let found = counts("2", &[("a", 1)]).differences(&counts("1", &[("a", 1)]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("`2`") && found[0].contains("`1`"),
            "{found:?}"
        );
    }
}

//! Addresses, ranges and named lists of them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::Deserialize;

use super::{
    ConfigEnv,
    faults::Faults,
    problems::Problem,
    ranges::{is_anywhere, range},
    tree::join,
    values::{hint, one_line, shown},
};
use crate::layers::ip_allow::AddressSet;

/// A named list: ranges, or the file that holds them.
#[derive(Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawList {
    /// Addresses and ranges.
    Here(Vec<String>),
    /// A file with one address or range on each line; `#` begins a comment.
    File(RawListFile),
}

/// A list in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawListFile {
    /// The path of the file, beside the configuration.
    #[serde(default)]
    file: Option<String>,
}

/// Addresses, ranges and names of lists.
pub(crate) type RawRanges = Vec<String>;

/// The most faulty lines of a list file that are told one by one.
const MAX_FAULTY_LINES: usize = 10;

/// The named lists, checked.
pub(crate) struct AddressLists {
    lists: BTreeMap<String, List>,
    used: BTreeSet<String>,
    danger_anywhere: bool,
}

/// A named list, which all who name it share.
struct List {
    set: AddressSet,
    /// A range that holds every address, if there is one.
    anywhere: Option<IpNet>,
}

impl List {
    fn of(ranges: &[IpNet]) -> Self {
        Self {
            set: ranges.iter().copied().collect(),
            anywhere: ranges.iter().copied().find(is_anywhere),
        }
    }
}

impl AddressLists {
    pub(super) fn read(
        raw: Option<BTreeMap<String, RawList>>,
        danger_anywhere: bool,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Self {
        let lists = raw.into_iter().flatten().map(|(name, list)| {
            let path = join("address_lists", &name);
            if !is_list_name(&name) {
                let found = shown(&name);
                faults.problem(&path, Problem::ListName { found });
            }
            let ranges = match list {
                RawList::Here(texts) => inline(&texts, &path, faults),
                RawList::File(file) => from_file(file, &path, env, faults),
            };
            (name, List::of(&ranges))
        });
        Self {
            lists: lists.collect(),
            used: BTreeSet::new(),
            danger_anywhere,
        }
    }

    /// The ranges of a list that lets callers in or trusts proxies.
    pub(crate) fn allow(&mut self, raw: &RawRanges, path: &str, faults: &mut Faults) -> AddressSet {
        self.ranges(raw, path, !self.danger_anywhere, faults)
    }

    /// The ranges of a list that keeps callers out, which may be anywhere.
    pub(crate) fn deny(&mut self, raw: &RawRanges, path: &str, faults: &mut Faults) -> AddressSet {
        self.ranges(raw, path, false, faults)
    }

    /// Warns of lists that nothing names.
    pub(super) fn warn_unused(&self, faults: &mut Faults) {
        for name in self.lists.keys().filter(|name| !self.used.contains(*name)) {
            faults.warning(join("address_lists", name), Problem::ListUnused);
        }
    }

    fn ranges(
        &mut self,
        raw: &RawRanges,
        path: &str,
        refuses_anywhere: bool,
        faults: &mut Faults,
    ) -> AddressSet {
        let mut sets = vec![];
        let mut ranges = vec![];
        for (index, text) in raw.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let anywhere = if is_list_name(text) {
                let Some(list) = self.named(text, &path, faults) else {
                    continue;
                };
                sets.push(list.set.clone());
                list.anywhere
            } else {
                match range(text) {
                    Ok(range) => {
                        ranges.push(range);
                        Some(range).filter(is_anywhere)
                    }
                    Err(problem) => {
                        faults.problem(&path, problem);
                        continue;
                    }
                }
            };
            if refuses_anywhere && let Some(range) = anywhere {
                let found = range.to_string();
                faults.problem(&path, Problem::RangeAnywhere { found });
            }
        }
        sets.push(ranges.into_iter().collect());
        let set = AddressSet::of_all(sets);
        // Where one range is anywhere by itself, that was said at its place.
        if refuses_anywhere && !set.ranges().any(|range| is_anywhere(&range)) {
            let all: Vec<IpNet> = set.ranges().collect();
            if let Some(range) = IpNet::aggregate(&all)
                .iter()
                .find(|range| is_anywhere(range))
            {
                let found = range.to_string();
                faults.problem(path, Problem::RangesAnywhere { found });
            }
        }
        set
    }

    fn named(&mut self, name: &str, path: &str, faults: &mut Faults) -> Option<&List> {
        if let Some(list) = self.lists.get(name) {
            self.used.insert(name.to_owned());
            return Some(list);
        }
        if !faults.is_replaced("address_lists") && !faults.is_replaced(&join("address_lists", name))
        {
            let hint = hint(name, self.lists.keys().map(String::as_str));
            let found = shown(name);
            faults.problem(path, Problem::ListUnknown { found, hint });
        }
        None
    }
}

fn inline(texts: &[String], path: &str, faults: &mut Faults) -> Vec<IpNet> {
    let mut ranges = vec![];
    for (index, text) in texts.iter().enumerate() {
        match range(text) {
            Ok(range) => ranges.push(range),
            Err(problem) => faults.problem(format!("{path}[{index}]"), problem),
        }
    }
    ranges
}

fn from_file(raw: RawListFile, path: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Vec<IpNet> {
    let path = format!("{path}.file");
    let Some(file) = raw.file else {
        let what = "the path of a file with one range on each line";
        faults.problem(path, Problem::Missing { what });
        return vec![];
    };
    let text = match (env.read_file)(&file) {
        Ok(text) => text,
        Err(reason) => {
            let reason = format!("`{}`: {}", shown(&file), one_line(&reason));
            faults.problem(path, Problem::ListFile { reason });
            return vec![];
        }
    };
    let mut ranges = vec![];
    let mut bad_lines = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or("").trim();
        if content.is_empty() {
            continue;
        }
        match range(content) {
            Ok(range) => ranges.push(range),
            Err(problem) => {
                bad_lines = bad_lines.saturating_add(1);
                if bad_lines <= MAX_FAULTY_LINES {
                    let file = shown(&file);
                    let line = index.saturating_add(1);
                    let problem = problem.to_string();
                    faults.problem(
                        &path,
                        Problem::ListLine {
                            file,
                            line,
                            problem,
                        },
                    );
                }
            }
        }
    }
    if let Some(more @ 1..) = bad_lines.checked_sub(MAX_FAULTY_LINES) {
        let file = shown(&file);
        faults.problem(path, Problem::ListMore { file, more });
    }
    ranges
}

fn is_list_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_names_a_list_shares_it() {
        let mut faults = Faults::default();
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|_| Err("there are no secrets".to_owned()),
        };
        let named = |name: &str, texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            (name.to_owned(), RawList::Here(texts))
        };
        let raw = BTreeMap::from([
            named("office", &["10.0.0.0/8", "2001:db8::/32"]),
            named("empty", &[]),
        ]);
        let mut lists = AddressLists::read(Some(raw), false, &env, &mut faults);
        let mut set = |texts: &[&str]| {
            let raw: RawRanges = texts.iter().map(|text| (*text).to_owned()).collect();
            lists.allow(&raw, "addresses.allow", &mut faults)
        };
        let (one, other) = (set(&["office"]), set(&["office", "office", "empty"]));
        assert!(one.shares(&other));
        let more = set(&["office", "192.0.2.1", "10.0.0.0/8"]);
        for (set, inside) in [(&one, false), (&more, true)] {
            assert_eq!(set.contains("192.0.2.1".parse().unwrap()), inside);
            assert!(set.contains("10.1.1.1".parse().unwrap()));
            assert!(!set.contains("192.0.2.2".parse().unwrap()));
        }
        let ranges: Vec<String> = more.ranges().map(|range| range.to_string()).collect();
        assert_eq!(ranges, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
        assert!(set(&["empty"]).is_empty());
        assert!(faults.is_empty());
    }
}

//! Addresses, ranges and named lists of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;
use serde::Deserialize;

use super::{
    ConfigEnv,
    faults::Faults,
    problems::Problem,
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
    lists: BTreeMap<String, Vec<IpNet>>,
    used: BTreeSet<String>,
    danger_anywhere: bool,
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
            (name, ranges)
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
        let mut ranges = vec![];
        for (index, text) in raw.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let found: Vec<IpNet> = if is_list_name(text) {
                self.named(text, &path, faults)
            } else {
                match range(text) {
                    Ok(range) => vec![range],
                    Err(problem) => {
                        faults.problem(&path, problem);
                        continue;
                    }
                }
            };
            if refuses_anywhere && let Some(range) = found.iter().find(|range| is_anywhere(range)) {
                let found = range.to_string();
                faults.problem(&path, Problem::RangeAnywhere { found });
            }
            ranges.extend(found);
        }
        ranges.into_iter().collect()
    }

    fn named(&mut self, name: &str, path: &str, faults: &mut Faults) -> Vec<IpNet> {
        if let Some(ranges) = self.lists.get(name) {
            self.used.insert(name.to_owned());
            return ranges.clone();
        }
        if !faults.is_replaced("address_lists") && !faults.is_replaced(&join("address_lists", name))
        {
            let hint = hint(name, self.lists.keys().map(String::as_str));
            let found = shown(name);
            faults.problem(path, Problem::ListUnknown { found, hint });
        }
        vec![]
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

/// Whether the range holds every address of its family; `::ffff:0:0/96` is all of IPv4 (RFC 4291 section 2.5.5.2).
fn is_anywhere(range: &IpNet) -> bool {
    range.prefix_len() == 0
        || matches!(range, IpNet::V6(v6) if v6.prefix_len() <= 96 && v6.addr().to_ipv4_mapped().is_some())
}

fn is_list_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Reads one address or range, strictly: no zones, no bits behind the prefix, no leading zeros (RFC 6943 section 3.1.1).
fn range(text: &str) -> Result<IpNet, Problem> {
    let found = || shown(text);
    if text.contains('%') {
        return Err(Problem::RangeZone { found: found() });
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(Problem::RangeMalformed { found: found() });
    };
    let Some(prefix) = prefix else {
        return Ok(IpNet::from(address));
    };
    let max = IpNet::from(address).max_prefix_len();
    let is_number =
        prefix == "0" || (!prefix.starts_with('0') && prefix.bytes().all(|b| b.is_ascii_digit()));
    let range = prefix
        .parse()
        .ok()
        .filter(|_| is_number)
        .and_then(|len| IpNet::new(address, len).ok());
    let Some(range) = range else {
        let found = shown(prefix);
        return Err(Problem::RangePrefix { found, max });
    };
    if range.trunc() != range {
        return Err(Problem::RangeHostBits {
            found: found(),
            network: range.trunc().to_string(),
            address: address.to_string(),
        });
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_ranges() {
        for (text, reads) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(range(text).unwrap().to_string(), reads);
        }
    }

    #[test]
    fn refuses_ranges_that_could_be_read_in_two_ways() {
        for (text, code) in [
            ("10.0.0.1/8", "range_host_bits"),
            ("2001:db8::1/64", "range_host_bits"),
            ("10.0.0.0/33", "range_prefix"),
            ("10.0.0.0/08", "range_prefix"),
            ("10.0.0.0/+8", "range_prefix"),
            ("10.0.0.0/", "range_prefix"),
            ("10.0.0.0/8/8", "range_prefix"),
            ("::/129", "range_prefix"),
            ("fe80::1%eth0", "range_zone"),
            ("fe80::%eth0/64", "range_zone"),
            ("010.0.0.1", "range_malformed"),
            ("10.1", "range_malformed"),
            ("0x7f.0.0.1", "range_malformed"),
            ("2130706433", "range_malformed"),
            ("[::1]", "range_malformed"),
            ("10.0.0.1:80", "range_malformed"),
            (" 10.0.0.1", "range_malformed"),
            ("", "range_malformed"),
        ] {
            assert_eq!(range(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn anywhere_has_three_spellings() {
        for text in ["0.0.0.0/0", "::/0", "::ffff:0:0/96"] {
            assert!(is_anywhere(&range(text).unwrap()), "{text}");
        }
        assert!(!is_anywhere(&range("::ffff:10.0.0.0/104").unwrap()));
    }
}

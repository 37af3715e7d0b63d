//! Single fields of commands.

use std::collections::{BTreeMap, BTreeSet};

use doorward_engine::{config::GATEWAY_CONTEXT_NAMES, context};
use ipnet::IpNet;

use crate::error::Fault;

pub(super) const MAX_SCOPES: usize = 100;
pub(super) const MAX_ADDRESSES: usize = 100;
pub(super) const MAX_METADATA: usize = 20;
const MAX_VALUE: usize = 256;

/// The longest name that reaches headers or stored items, in bytes.
pub(super) const MAX_WORD: usize = 128;

/// Collects the faults of one command.
#[derive(Default)]
pub(crate) struct Check {
    pub(super) faults: Vec<Fault>,
}

impl Check {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault {
            field: field.into(),
            message: message.into(),
        });
    }

    /// Printable ASCII, because it reaches headers and names of stored items; no space at the ends, because nobody sees it.
    pub(crate) fn plain(&mut self, field: &str, text: &str, max: usize) {
        let fits = (1..=max).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && text.trim() == text;
        if !fits {
            let message =
                format!("must be 1 to {max} printable ASCII characters without spaces at the ends");
            self.add(field, message);
        }
    }

    pub(super) fn people(&mut self, field: &str, text: &str, max: usize) {
        let fits = (1..=max).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        if !fits {
            let message = format!(
                "must be 1 to {max} characters without control characters and without spaces at the ends"
            );
            self.add(field, message);
        }
    }

    pub(super) fn scopes(&mut self, scopes: &[String]) {
        self.words("scopes", scopes, MAX_SCOPES);
        for (index, scope) in scopes.iter().enumerate() {
            // RFC 6749 section 3.3.
            let fits = scope
                .bytes()
                .all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'));
            let field = format!("scopes[{index}]");
            if !fits {
                let found = shown(scope);
                let message = format!("is `{found}`; a scope has no spaces, quotes or backslashes");
                self.add(field, message);
            } else if scope.contains('*') {
                self.add(
                    field,
                    "holds `*`; scopes are compared whole, name each of them",
                );
            }
        }
    }

    /// A list of distinct texts.
    pub(super) fn words(&mut self, field: &str, words: &[String], max: usize) {
        if words.len() > max {
            let count = words.len();
            self.add(field, format!("has {count} values, expected at most {max}"));
        }
        let mut seen = BTreeSet::new();
        for (index, word) in words.iter().enumerate() {
            let field = format!("{field}[{index}]");
            if !seen.insert(word) {
                self.add(field, format!("repeats `{}`", shown(word)));
            } else if !(1..=MAX_WORD).contains(&word.chars().count())
                || word.chars().any(char::is_control)
            {
                let message =
                    format!("must be 1 to {MAX_WORD} characters without control characters");
                self.add(field, message);
            }
        }
    }

    pub(super) fn addresses(&mut self, ranges: &[String]) -> Vec<IpNet> {
        let max = MAX_ADDRESSES;
        if ranges.len() > max {
            let count = ranges.len();
            self.add(
                "addresses",
                format!("has {count} values, expected at most {max}"),
            );
        }
        let mut nets = Vec::new();
        for (index, text) in ranges.iter().enumerate() {
            match range(text) {
                Ok(net) => nets.push(net),
                Err(message) => {
                    let found = shown(text);
                    self.add(
                        format!("addresses[{index}]"),
                        format!("is `{found}`; {message}"),
                    );
                }
            }
        }
        nets
    }

    pub(super) fn metadata(&mut self, metadata: &BTreeMap<String, String>) {
        if metadata.len() > MAX_METADATA {
            let count = metadata.len();
            let message = format!("has {count} members, expected at most {MAX_METADATA}");
            self.add("metadata", message);
        }
        for (name, value) in metadata {
            let found = shown(name);
            let field = format!("metadata.{found}");
            let fits = name.len() <= 40
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let taken = GATEWAY_CONTEXT_NAMES
                .iter()
                .chain(&context::NAMES)
                .any(|taken| taken.eq_ignore_ascii_case(name));
            if !fits {
                let message = "is no name for the context; use up to 40 letters, digits and `_`, a letter first";
                self.add(field.clone(), message);
            } else if taken {
                self.add(
                    field.clone(),
                    "has a meaning of its own in the context; choose another name",
                );
            }
            if value.len() > MAX_VALUE || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                let message = format!("must be at most {MAX_VALUE} printable ASCII characters");
                self.add(field, message);
            }
        }
    }
}

/// An address or a range, as written strictly.
fn range(text: &str) -> Result<IpNet, &'static str> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => {
                return Err(
                    "expected an address or a range such as `192.0.2.0/24` or `2001:db8::/32`",
                );
            }
        },
    };
    if net.trunc() != net {
        return Err(
            "its address has bits set behind the prefix; set them to zero, or give the address alone",
        );
    }
    if net.prefix_len() == 0 {
        return Err("it holds every address; leave `addresses` out to allow any");
    }
    match net {
        // The same address has one spelling (RFC 4291 section 2.5.5.2).
        IpNet::V6(net) if net.addr().to_ipv4_mapped().is_some() => {
            Err("it is an IPv4 address in IPv6 clothes; write it as IPv4")
        }
        _ => Ok(net),
    }
}

/// A text of the caller as a message may show it: one bounded line.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .take(60)
        .map(|character| {
            if character.is_control() || character == '`' {
                '?'
            } else {
                character
            }
        })
        .collect()
}

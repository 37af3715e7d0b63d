//! What is wrong with a configuration, all at once.

use std::{
    collections::HashSet,
    fmt::{self, Write as _},
};

use super::{problems::Problem, tree::Places, values::shown};

/// One fault: where, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of the value, such as `issuers[0].audiences`; empty for the text as a whole.
    pub path: String,
    /// Line and column in the text, both from 1, where known.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what would be right: lower case, one line, no period.
    pub message: String,
    /// The kind of the fault, for machines: a word of [`super::FAULT_CODES`], or `other`.
    pub code: &'static str,
}

/// Collects faults, and warnings for settings that work but should be known of.
#[derive(Debug, Default)]
pub struct Faults {
    found: Vec<Found>,
    warnings: Vec<Found>,
    /// Paths where a fault was found and what stands there was replaced: what else is found there follows from it.
    replaced: HashSet<String>,
}

#[derive(Debug)]
struct Found {
    fault: Fault,
    byte: Option<usize>,
}

/// The code of faults that have none of their own.
const OTHER: &str = "other";

impl Faults {
    /// Adds a fault at `path`.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.push(path.into(), message.into(), OTHER, None);
    }

    /// Adds a warning at `path`: the configuration works, but somebody should know.
    pub fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let fault = Fault {
            path: path.into(),
            place: None,
            message: message.into(),
            code: OTHER,
        };
        self.warnings.push(Found { fault, byte: None });
    }

    /// The faults and the warnings, without their places.
    pub fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        let faults = |found: Vec<Found>| found.into_iter().map(|found| found.fault).collect();
        (faults(self.found), faults(self.warnings))
    }

    /// Adds a fault of a known kind at `path`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a problem is made where it is told"
    )]
    pub(crate) fn problem(&mut self, path: impl Into<String>, problem: Problem) {
        self.push(path.into(), problem.to_string(), problem.code(), None);
    }

    /// Adds a fault of a known kind that stands at `byte` of the text.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a problem is made where it is told"
    )]
    pub(super) fn problem_at(&mut self, byte: usize, path: impl Into<String>, problem: Problem) {
        self.push(path.into(), problem.to_string(), problem.code(), Some(byte));
    }

    /// Adds a warning of a known kind at `path`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a problem is made where it is told"
    )]
    pub(crate) fn warning(&mut self, path: impl Into<String>, problem: Problem) {
        let fault = Fault {
            path: path.into(),
            place: None,
            message: problem.to_string(),
            code: problem.code(),
        };
        self.warnings.push(Found { fault, byte: None });
    }

    /// Adds what was found apart.
    pub(crate) fn join(&mut self, part: Self) {
        for Found { fault, byte } in part.found {
            self.push(fault.path, fault.message, fault.code, byte);
        }
        self.warnings.extend(part.warnings);
        self.replaced.extend(part.replaced);
    }

    /// Whether what stands at `path`, or around it, was found faulty and replaced, so that nothing follows from it.
    pub(crate) fn is_replaced(&self, path: &str) -> bool {
        let around = path.match_indices(['.', '[']).map(|(at, _)| path.get(..at));
        let mut around = around.flatten().chain([path]);
        around.any(|path| self.replaced.contains(path))
    }

    pub(super) fn replace(&mut self, path: String) {
        self.replaced.insert(path);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) const fn has_warnings(&self) -> bool {
        !self.warnings.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.found.len()
    }

    /// Faults and warnings with their places, in the order of the text.
    pub(super) fn placed(self, places: &Places<'_>) -> (Vec<Fault>, Vec<Fault>) {
        let place = |found: Vec<Found>| {
            let mut faults: Vec<Fault> = found
                .into_iter()
                .map(|Found { mut fault, byte }| {
                    fault.place = byte
                        .map(|byte| places.at(byte))
                        .or_else(|| places.of_path(&fault.path));
                    fault
                })
                .collect();
            faults.sort_by(|a, b| (a.place, &a.path).cmp(&(b.place, &b.path)));
            faults
        };
        (place(self.found), place(self.warnings))
    }

    fn push(&mut self, path: String, message: String, code: &'static str, byte: Option<usize>) {
        if self.is_replaced(&path) {
            return;
        }
        let fault = Fault {
            path,
            place: None,
            message,
            code,
        };
        self.found.push(Found { fault, byte });
    }
}

impl Fault {
    /// One line for people: `doorward.toml:12:5: issuers[0].audiences: must name at least one audience`.
    pub fn line(&self, name: &str) -> String {
        let mut line = shown(name);
        if let Some((row, column)) = self.place {
            let _ = write!(line, ":{row}:{column}");
        }
        if !self.path.is_empty() {
            line.push_str(": ");
            line.push_str(&self.path);
        }
        line.push_str(": ");
        line.push_str(&self.message);
        line
    }
}

/// Every fault of one configuration, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults {
    /// The name of the text, such as the path of the file.
    pub name: String,
    /// The faults; at least one.
    pub faults: Vec<Fault>,
    /// The warnings that were found on the way.
    pub warnings: Vec<Fault>,
}

impl fmt::Display for ConfigFaults {
    /// One line for each fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self
            .faults
            .iter()
            .map(|fault| fault.line(&self.name))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigFaults {}

//! What is wrong with a configuration, all at once.

/// One fault: where, what was found, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of the value, such as `issuers[0].audiences`.
    pub path: String,
    /// Line and column in the text, both from 1, where known.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what would be right: lower case, one line, no period.
    pub message: String,
}

/// Collects faults, and warnings for settings whose names begin with `danger_`.
#[derive(Debug, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Faults {
    /// Adds a fault at `path`.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault {
            path: path.into(),
            place: None,
            message: message.into(),
        });
    }

    /// Adds a warning at `path`: the configuration works, but somebody should know.
    pub fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Fault {
            path: path.into(),
            place: None,
            message: message.into(),
        });
    }

    /// The faults and the warnings.
    pub fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        (self.faults, self.warnings)
    }
}

//! How far a command is: a file that grows by a line now and then, and is removed at the end.
//!
//! The first line says what the command is about; a journal of something else is refused. Each line behind it says how many
//! rows are done, from the first on without a gap, and what came of them. A line that was cut off by a kill counts as not
//! written: the rows that it stood for are done again, which changes nothing.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::exit::Failure;

/// What came of the rows so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// How many rows were looked at.
    pub(super) rows: u64,
    /// How many were done.
    pub(super) done: u64,
    /// For how many there was nothing to do.
    pub(super) known: u64,
    /// How many cannot be done.
    pub(super) faults: u64,
}

impl Counts {
    fn line(self) -> String {
        format!(
            "{} {} {} {}\n",
            self.rows, self.done, self.known, self.faults
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split(' ').map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        let (rows, done, known, faults) = (next()?, next()?, next()?, next()?);
        Some(Self {
            rows,
            done,
            known,
            faults,
        })
    }
}

/// A journal that is open.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal at `path`, or begins one; `about` names what is done. Says what was done before.
    pub(super) fn open(path: &Path, about: &str) -> Result<(Self, Counts), Failure> {
        let head = format!("doorward-journal 1 {about}\n");
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(path, &error)),
        };
        let whole = text.rfind('\n').and_then(|end| text.get(..=end));
        let whole = whole.unwrap_or_default();
        if !whole.is_empty() && !whole.starts_with(&head) {
            return Err(Failure::usage(format!(
                "`{}` belongs to another file or to other options; give the same command as before, or remove it to begin anew",
                path.display()
            )));
        }
        let counts = whole.lines().skip(1).filter_map(Counts::parse).last();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| unusable(path, &error))?;
        file.set_len(whole.len() as u64)
            .map_err(|error| unusable(path, &error))?;
        if whole.is_empty() {
            file.write_all(head.as_bytes())
                .map_err(|error| unusable(path, &error))?;
        }
        let path = path.to_owned();
        Ok((Self { path, file }, counts.unwrap_or_default()))
    }

    /// Writes how far the command is.
    pub(super) fn note(&mut self, counts: Counts) -> Result<(), Failure> {
        self.file
            .write_all(counts.line().as_bytes())
            .map_err(|error| unusable(&self.path, &error))
    }

    /// Removes the journal: all is done.
    pub(super) fn end(self) -> Result<(), Failure> {
        std::fs::remove_file(&self.path).map_err(|error| unusable(&self.path, &error))
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!(
        "the journal `{}` cannot be used: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("doorward-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    const HALF: Counts = Counts {
        rows: 50,
        done: 40,
        known: 7,
        faults: 3,
    };

    #[test]
    fn goes_on_behind_the_last_whole_line() {
        let path = place("journal");
        let (mut journal, counts) = Journal::open(&path, "this").unwrap();
        assert_eq!(counts, Counts::default());
        journal.note(HALF).unwrap();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"100 90 7").unwrap();
        let (mut journal, counts) = Journal::open(&path, "this").unwrap();
        assert_eq!(counts, HALF);
        let more = Counts { rows: 60, ..HALF };
        journal.note(more).unwrap();
        let (journal, counts) = Journal::open(&path, "this").unwrap();
        assert_eq!(counts, more);
        journal.end().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_journal_of_something_else_is_refused() {
        let path = place("journal-of-else");
        drop(Journal::open(&path, "this").unwrap());
        let error = Journal::open(&path, "that").err().unwrap();
        assert!(error.message.contains("remove it to begin anew"), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}

//! Many keys at once: from files, and to files.
//!
//! A file is read row by row in a thread of its own, so that its size does not matter. What is done is written to a journal
//! beside it: a command that was interrupted goes on where it was when it is given again. All of it can be repeated: what
//! is there already stays as it is.

pub(super) mod args;
mod create;
mod desk;
mod export;
mod import;
mod journal;
mod mapping;
mod progress;
mod read;
mod row;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use doorward_key_admin::AdminError;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

pub(super) use self::{create::create, desk::Desk, export::export, import::import};
use self::{
    journal::Counts,
    read::{Cells, Format, Row},
};
use crate::{exit::Failure, output};

/// How many faulty rows are named; the others are counted.
const MAX_SHOWN: u64 = 100;
/// How many rows wait at most to be worked on.
const WAITING: usize = 256;

/// What came of a row.
enum Outcome {
    /// It was done.
    Done,
    /// There was nothing to do.
    Known,
    /// It cannot be done.
    Fault(String),
    /// Nothing can be done at the moment.
    Stop(Failure),
}

impl From<AdminError> for Outcome {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Unavailable(_) | AdminError::Corrupt(_) => {
                Self::Stop(Failure::unavailable(error))
            }
            other => Self::Fault(other.to_string()),
        }
    }
}

/// The line of a row, how far the file is read with it, and what came of it; nothing of a row that an earlier command did.
type Told = (u64, u64, Option<Outcome>);

/// What came of `rows`: those behind the first `skip` of the file are made into what is asked, and that is done together.
async fn done<A>(
    rows: Vec<(usize, Row)>,
    skip: usize,
    make: impl Fn(u64, &Cells) -> Result<A, String>,
    do_all: impl AsyncFnOnce(Vec<A>) -> Vec<Outcome>,
) -> Vec<Told> {
    let (mut told, mut places, mut asked) = (vec![], vec![], vec![]);
    for (at, row) in rows {
        let outcome = if at < skip {
            None
        } else {
            match row.cells.and_then(|cells| make(row.line, &cells)) {
                Err(fault) => Some(Outcome::Fault(fault)),
                Ok(one) => {
                    places.push(told.len());
                    asked.push(one);
                    None
                }
            }
        };
        told.push((row.line, row.offset, outcome));
    }
    if asked.is_empty() {
        return told;
    }
    for (place, outcome) in places.into_iter().zip(do_all(asked).await) {
        if let Some((.., told)) = told.get_mut(place) {
            *told = Some(outcome);
        }
    }
    told
}

/// The rows of a file, and the thread that reads them.
struct Rows {
    rows: mpsc::Receiver<Row>,
    reader: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Rows {
    fn of(format: Format, path: &Path) -> Self {
        let (sender, rows) = mpsc::channel(WAITING);
        let path = path.to_owned();
        let reader = tokio::task::spawn_blocking(move || {
            read::rows(format, &path, &mut |row| sender.blocking_send(row).is_ok())
        });
        Self { rows, reader }
    }
}

/// Says what is wrong with a row; never what its key is.
fn say_fault(path: &Path, line: u64, fault: &str, counts: &Counts) {
    if counts.faults <= MAX_SHOWN {
        let path = path.display();
        output::say(&output::one_line(&format!("{path}:{line}: {fault}")));
    } else if counts.faults == MAX_SHOWN + 1 {
        output::say("there are more faulty rows; they are counted and not named");
    }
}

/// The SHA-256 of a file, in hexadecimal.
fn fingerprint(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("`{}` cannot be read: {error}", path.display()))
    };
    let mut file = BufReader::new(std::fs::File::open(path).map_err(unreadable)?);
    let mut hash = Sha256::new();
    loop {
        let bytes = file.fill_buf().map_err(unreadable)?;
        if bytes.is_empty() {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(bytes);
        let count = bytes.len();
        file.consume(count);
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `path` with `ending` behind it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

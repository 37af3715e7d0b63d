//! Files with keys, row by row, in constant memory.

mod aws;
mod json;
mod kong;
mod sheet;
mod tyk;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use clap::ValueEnum;

use crate::exit::Failure;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One key a line.
    Plain,
    /// Comma-separated values with the names of the columns in the first line.
    Csv,
    /// The API key file of API Gateway, or the JSON of `aws apigateway get-api-keys --include-values`.
    Aws,
    /// JSON of Kong: declarative configuration, or what its Admin API says of key-auth credentials.
    Kong,
    /// JSON of Tyk: key sessions, by key or in a list.
    Tyk,
    /// What `doorward keys export --with-digests` wrote.
    Doorward,
}

/// The cells of a row by the names of their columns, in lower case.
pub(super) type Cells = BTreeMap<String, String>;

/// One row. No `Debug`: it may hold a key.
pub(super) struct Row {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// How many bytes of the file were read with it.
    pub(super) offset: u64,
    /// What it says, or why that cannot be told.
    pub(super) cells: Result<Cells, String>,
}

/// Takes a row; false when no more are wanted.
pub(super) type Take<'t> = &'t mut dyn FnMut(Row) -> bool;

/// The longest line of a file of lines, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// Hands each row of the file at `path` to `take`.
pub(super) fn rows(format: Format, path: &Path, take: Take<'_>) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let read = match format {
        Format::Plain => lines(BufReader::new(file), &plain, take),
        Format::Doorward => lines(BufReader::new(file), &json::exported, take),
        Format::Csv => sheet::rows(file, take),
        Format::Aws => aws::rows(file, take),
        Format::Kong => kong::rows(BufReader::new(file), take),
        Format::Tyk => tyk::rows(BufReader::new(file), take),
    };
    read.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("`{}` cannot be read: {error}", path.display()))
}

/// Rows that are lines; empty ones are passed over.
fn lines(
    mut file: BufReader<File>,
    cells: &dyn Fn(&str) -> Result<Cells, String>,
    take: Take<'_>,
) -> Result<(), String> {
    let (mut line, mut offset) = (0, 0);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes);
        let read = read.map_err(|error| error.to_string())? as u64;
        if read == 0 {
            return Ok(());
        }
        line += 1;
        offset += read;
        if read == MAX_LINE && bytes.last() != Some(&b'\n') {
            return Err(format!("line {line} is longer than {MAX_LINE} bytes"));
        }
        let cells = match std::str::from_utf8(&bytes) {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => cells(text.trim()),
            Err(_) => Err("is not UTF-8".to_owned()),
        };
        let row = Row {
            line,
            offset,
            cells,
        };
        if !take(row) {
            return Ok(());
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other lines can be faulty")]
fn plain(line: &str) -> Result<Cells, String> {
    Ok(Cells::from([("key".to_owned(), line.to_owned())]))
}

/// The name of a column as it is looked for: in lower case, but for the names of metadata.
fn column(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').trim();
    match name.split_once('.') {
        Some((first, rest)) if first.eq_ignore_ascii_case("metadata") => format!("metadata.{rest}"),
        _ => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests;

//! Files that the command line names; `-` is standard input.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _},
    path::Path,
};

use crate::exit::Failure;

/// The bytes of the file at `path`, or of standard input.
///
/// # Errors
/// When they cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    if path != Path::new("-") {
        return std::fs::read(path).map_err(|error| {
            Failure::usage(format!("`{}` cannot be read: {error}", path.display()))
        });
    }
    let mut text = Vec::new();
    std::io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    Ok(text)
}

/// The first line of standard input without its end. `what` names it in errors, which never show it.
///
/// # Errors
/// When it cannot be read, is not text or is empty.
pub fn line(what: &str) -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .map_err(|error| Failure::usage(format!("{what} cannot be read: {error}")))?;
    let line = text.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(Failure::usage(format!(
            "{what} is expected on standard input"
        )));
    }
    Ok(line.to_owned())
}

/// Asks whoever is at the terminal; `question` ends in a question mark.
///
/// # Errors
/// When the answer is not `yes`, or nobody is there to be asked.
pub fn confirmed(question: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{question} nobody is here to be asked; say it with --yes"
        )));
    }
    crate::output::say(&format!("{question} Type `yes` to go on."));
    if line("the answer")? == "yes" {
        Ok(())
    } else {
        Err(Failure::refused("nothing was done"))
    }
}

//! Standard output and standard error. Answers go to the one, everything else to the other; colour only to a terminal, and
//! never where `NO_COLOR` is set.

use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};

use crate::exit::Failure;

/// Something good.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something bad.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Something to look at.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Something that is not important.
pub const DIM: Style = Style::new().dimmed();
/// A heading.
pub const BOLD: Style = Style::new().bold();

/// Writes `text` and a line break to standard output.
///
/// # Errors
/// When it cannot be written. A reader that has seen enough and went away is no error.
pub fn answer(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::unavailable(
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// How this program was called, so that the lines work without installing it.
pub fn program() -> String {
    std::env::args()
        .next()
        .filter(|name| !name.contains(' '))
        .unwrap_or_else(|| "doorward".to_owned())
}

/// Writes `text` and a line break to standard error. What cannot be written is lost.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// `text` in `style`.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// `text` on one line and without characters that could move the cursor, for values that came from outside.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

//! Standard output and standard error. Answers go to the one, everything else to the other; colour only to a terminal, and
//! never where `NO_COLOR` is set.

use std::io::{self, IsTerminal as _, Write as _};

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

/// Writes `text` to standard output as it is, for files whose form says how lines end.
///
/// # Errors
/// As [`answer`].
pub fn exactly(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::unavailable(
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// With which characters something is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Characters {
    /// Any.
    Unicode,
    /// Those of ASCII.
    Ascii,
}

impl Characters {
    /// What standard output can show: blocks only on a terminal that is not `dumb` and in a locale of UTF-8 (POSIX.1-2024, XBD
    /// section 8.2: `LC_ALL` goes before `LC_CTYPE`, and that before `LANG`).
    pub fn of_standard_output() -> Self {
        let variable = |name: &str| std::env::var_os(name)?.into_string().ok();
        Self::of(io::stdout().is_terminal(), variable)
    }

    fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()));
        let is_utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let is_dumb = variable("TERM").is_none_or(|term| term == "dumb");
        if is_terminal && is_utf8 && !is_dumb {
            Self::Unicode
        } else {
            Self::Ascii
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_for_terminals_that_show_them() {
        let of = |is_terminal, variables: &[(&str, &str)]| {
            Characters::of(is_terminal, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let term = ("TERM", "xterm-256color");
        let utf8 = ("LANG", "en_GB.UTF-8");
        assert_eq!(of(true, &[term, utf8]), Characters::Unicode);
        assert_eq!(
            of(true, &[term, ("LC_ALL", "C.utf8"), ("LANG", "C")]),
            Characters::Unicode
        );
        assert_eq!(of(true, &[term, ("LC_ALL", ""), utf8]), Characters::Unicode);
        assert_eq!(of(false, &[term, utf8]), Characters::Ascii);
        assert_eq!(of(true, &[term]), Characters::Ascii);
        assert_eq!(of(true, &[term, ("LC_ALL", "C"), utf8]), Characters::Ascii);
        assert_eq!(
            of(true, &[term, ("LC_CTYPE", "en_GB.ISO-8859-1"), utf8]),
            Characters::Ascii
        );
        assert_eq!(of(true, &[("TERM", "dumb"), utf8]), Characters::Ascii);
        assert_eq!(of(true, &[utf8]), Characters::Ascii);
    }
}

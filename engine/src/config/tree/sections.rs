//! One fault of syntax for each section of a TOML text, and the rest of the text as if the section were empty.
//!
//! A parser that goes on after a fault tells what follows from it. A section, from one header line to the next, stands
//! for itself: read alone, its first fault is a real one, and the sections beside it can still be checked.

use std::ops::Range;

use toml::de::{DeTable, Error};

/// A text without its faulty sections.
pub(super) struct Mended {
    /// The text with faulty sections blanked, every byte in its old place.
    pub(super) text: String,
    /// The first fault of each faulty section and its byte.
    pub(super) faults: Vec<(usize, String)>,
    /// Where the headers begin whose sections were blanked.
    pub(super) emptied: Vec<usize>,
    /// Whether every faulty section has a header that could be read, so that it is known what is not.
    pub(super) is_whole: bool,
}

/// Blanks the sections of `text` that are not TOML.
pub(super) fn mend(text: &str) -> Mended {
    let mut mended = Mended {
        text: String::with_capacity(text.len()),
        faults: vec![],
        emptied: vec![],
        is_whole: true,
    };
    for range in sections(text) {
        let section = text.get(range.clone()).unwrap_or("");
        let Some((at, message)) = first_fault(section) else {
            mended.text.push_str(section);
            continue;
        };
        mended
            .faults
            .push((range.start.saturating_add(at), message));
        let header = section.split_inclusive('\n').next().unwrap_or("");
        let body = section.get(header.len()..).unwrap_or("");
        if is_header(header) && first_fault(header).is_none() {
            let indent = header.len().saturating_sub(header.trim_start().len());
            mended.emptied.push(range.start.saturating_add(indent));
            mended.text.push_str(header);
            blank(body, &mut mended.text);
        } else {
            mended.is_whole = false;
            blank(section, &mut mended.text);
        }
    }
    mended
}

/// Whether the parser says that a setting stands there twice, which is no fault of syntax.
pub(super) fn is_duplicate(error: &Error) -> bool {
    error.message() == "duplicate key"
}

fn first_fault(section: &str) -> Option<(usize, String)> {
    let (_, errors) = DeTable::parse_recoverable(section);
    let error = errors.into_iter().find(|error| !is_duplicate(error))?;
    let at = error.span().map_or(0, |span| span.start);
    Some((at, error.message().to_owned()))
}

fn sections(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        if at > 0 && is_header(line) {
            starts.push(at);
        }
        at = at.saturating_add(line.len());
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| start..end)
        .collect()
}

/// Whether a line looks like a header, whole or broken, and not like a line of a list.
fn is_header(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix('[') else {
        return false;
    };
    let rest = rest.strip_prefix('[').unwrap_or(rest).trim_start();
    let name = rest.split([']', '#', '\n']).next().unwrap_or("");
    rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.contains(['=', ','])
}

fn blank(text: &str, into: &mut String) {
    into.extend(text.bytes().map(|byte| match byte {
        b'\n' => '\n',
        _ => ' ',
    }));
}

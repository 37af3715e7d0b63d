//! How far a command is, for whoever watches: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use super::journal::Counts;
use crate::{clock, output};

const WIDTH: u64 = 30;
const OF_BAR: Duration = Duration::from_millis(100);
const OF_LINES: Duration = Duration::from_secs(10);

/// Shows progress on standard error.
pub(super) struct Progress {
    bytes: u64,
    is_terminal: bool,
    began: Duration,
    shown: Duration,
    /// Rows that were done by an earlier command.
    before: u64,
}

impl Progress {
    /// Of a file of so many bytes, of which `before` rows are done.
    pub(super) fn of(bytes: u64, before: u64) -> Self {
        let began = clock::stopwatch();
        Self {
            bytes,
            is_terminal: std::io::stderr().is_terminal(),
            began,
            shown: began,
            before,
        }
    }

    /// Shows that the file is read up to `offset`, if it is time for that.
    pub(super) fn show(&mut self, offset: u64, counts: &Counts) {
        let now = clock::stopwatch();
        let pause = if self.is_terminal { OF_BAR } else { OF_LINES };
        if now.saturating_sub(self.shown) < pause {
            return;
        }
        self.shown = now;
        let seconds = now.saturating_sub(self.began).as_secs().max(1);
        let text = line(
            offset,
            self.bytes,
            counts,
            (counts.rows - self.before.min(counts.rows)) / seconds,
        );
        if self.is_terminal {
            // What cannot be shown is lost.
            let _ = write!(anstream::stderr().lock(), "\r\u{1b}[2K{text}");
        } else {
            output::say(&text);
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if self.is_terminal {
            let _ = write!(anstream::stderr().lock(), "\r\u{1b}[2K");
        }
    }
}

fn line(offset: u64, bytes: u64, counts: &Counts, rate: u64) -> String {
    let offset = offset.min(bytes);
    let share = |of: u64| offset.saturating_mul(of).checked_div(bytes).unwrap_or(of);
    let full = share(WIDTH);
    let bar: String = (0..WIDTH)
        .map(|at| if at < full { '#' } else { '-' })
        .collect();
    let faults = match counts.faults {
        0 => String::new(),
        faults => format!(", {faults} faulty"),
    };
    format!(
        "[{bar}] {:>3} %  {} rows{faults}, {rate} a second",
        share(100),
        counts.rows
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_file_is_read() {
        let counts = Counts {
            rows: 12,
            faults: 1,
            ..Counts::default()
        };
        assert_eq!(
            line(50, 100, &counts, 3),
            "[###############---------------]  50 %  12 rows, 1 faulty, 3 a second"
        );
        assert!(line(7, 0, &counts, 0).contains("100 %"));
    }
}

//! The course of a count as one line: a character for each step, the higher the more.

use crate::output::Characters;

/// The most characters of a line; more steps share one.
const MAX_WIDTH: usize = 72;

/// Nothing, and seven heights.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// `counts` in order. The lowest character is nothing at all; whatever is counted stands above it.
pub(super) fn spark(counts: &[u64], characters: Characters) -> String {
    let together = counts.len().div_ceil(MAX_WIDTH).max(1);
    let sums: Vec<u64> = counts
        .chunks(together)
        .map(|part| {
            part.iter()
                .fold(0, |sum: u64, count| sum.saturating_add(*count))
        })
        .collect();
    let most = sums.iter().max().copied().unwrap_or_default();
    let heights = match characters {
        Characters::Unicode => BLOCKS,
        Characters::Ascii => ASCII,
    };
    let highest = heights.len() as u64 - 1;
    sums.iter()
        .filter_map(|sum| {
            // Rounded up, so that a little is seen beside much.
            let height = u128::from(*sum)
                .saturating_mul(u128::from(highest))
                .div_ceil(u128::from(most.max(1)));
            heights.get(usize::try_from(height).ok()?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_the_higher_and_nothing_is_lowest() {
        let counts = [0, 1, 10, 20, 30, 40, 50, 60, 70];
        assert_eq!(spark(&counts, Characters::Unicode), "▁▂▂▃▄▅▆▇█");
        assert_eq!(spark(&counts, Characters::Ascii), "_..:-=+*#");
        assert_eq!(spark(&[0, 0], Characters::Ascii), "__");
        assert_eq!(spark(&[], Characters::Ascii), "");
        let most = [u64::MAX, 1, u64::MAX];
        assert_eq!(spark(&most, Characters::Ascii), "#.#");
    }

    #[test]
    fn many_steps_share_characters() {
        let month = vec![1; 31 * 24];
        let line = spark(&month, Characters::Ascii);
        assert_eq!(line.len(), 68);
        assert!(line.starts_with('#'));
    }
}

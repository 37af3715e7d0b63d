//! What others say, fit for a log line of ours.

/// The longest message that is passed on, in characters.
const MAX_MESSAGE: usize = 300;

/// One bounded line, whatever was answered.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(MAX_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_answers_cannot_break_the_log_line() {
        let hostile = format!("a\nb\u{1b}[31m\0{}", "x".repeat(1000));
        let line = one_line(&hostile);
        assert_eq!(line.chars().count(), MAX_MESSAGE);
        assert!(!line.chars().any(char::is_control));
    }
}

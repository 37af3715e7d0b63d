//! What the SDK reports, told as one of the three kinds of store errors.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use doorward_keys::StoreError;

/// The longest message of the service that is passed on, in characters.
const MAX_MESSAGE: usize = 300;

/// A failed call. Whatever the service answered, the store did not do what it was asked; conditions that did not hold are
/// told apart by the callers before they come here.
pub(super) fn unavailable<E, R>(operation: &str, table: &str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let cause = match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::ServiceError(service) => {
            let known = service.err();
            format!(
                "{}: {}",
                known.code().unwrap_or("unknown error"),
                known.message().unwrap_or("no message")
            )
        }
        other => causes(other),
    };
    StoreError::Unavailable(format!("{operation} on table `{table}`: {}", plain(&cause)))
}

/// The error and its sources, outermost first.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// One bounded line, whatever was answered.
fn plain(text: &str) -> String {
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
        let plain = plain(&hostile);
        assert_eq!(plain.chars().count(), MAX_MESSAGE);
        assert!(!plain.chars().any(char::is_control));
    }
}

//! What the SDK reports, told as one of the three kinds of store errors.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use doorward_keys::StoreError;

use crate::message::one_line;

/// A failed call. Whatever the service answered, the store did not do what it was asked; conditions that did not hold are
/// told apart by the callers before they come here.
pub(super) fn unavailable<E, R>(operation: &str, table: &str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    StoreError::Unavailable(failure(operation, table, error))
}

/// What failed, in one line.
pub(super) fn failure<E, R>(operation: &str, table: &str, error: &SdkError<E, R>) -> String
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
    format!("{operation} on table `{table}`: {}", one_line(&cause))
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

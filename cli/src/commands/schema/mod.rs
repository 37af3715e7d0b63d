//! `doorward schema`.

use crate::{exit::Failure, output, reference};

/// Prints the JSON Schema of the configuration.
///
/// # Errors
/// When standard output cannot be written.
pub fn run() -> Result<(), Failure> {
    output::answer(reference::schema_text().trim_end())
}

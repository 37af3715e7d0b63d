//! Files that the command line names; `-` is standard input.

use std::{io::Read as _, path::Path};

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

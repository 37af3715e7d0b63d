//! `doorward routes`.

pub mod args;

use self::args::{Action, Import, RoutesArgs};
use crate::{
    exit::Failure,
    input, openapi,
    output::{self, WARN, styled},
};

/// Does what is asked.
///
/// # Errors
/// When the document cannot be imported at all.
pub fn run(args: &RoutesArgs) -> Result<(), Failure> {
    match &args.action {
        Action::Import(import) => run_import(import),
    }
}

fn run_import(args: &Import) -> Result<(), Failure> {
    let text = String::from_utf8(input::read(&args.document)?)
        .map_err(|_| Failure::usage(format!("`{}` is not UTF-8", args.document.display())))?;
    let imported = openapi::import(&text)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", args.document.display())))?;
    for note in &imported.notes {
        output::say(&format!(
            "{} {}",
            styled(WARN, "note"),
            output::one_line(note)
        ));
    }
    output::answer(imported.toml.trim_end())
}

//! `doorward check`.

pub mod args;

use doorward_engine::config::Fault;
use serde_json::{Value, json};

use self::args::CheckArgs;
use crate::{
    caching,
    configuration::Document,
    exit::Failure,
    output::{self, BAD, GOOD, WARN, styled},
};

/// Prints every fault and every warning.
///
/// # Errors
/// [`Failure::no`] when there are faults.
pub async fn run(args: &CheckArgs) -> Result<(), Failure> {
    let source = args.config.as_ref().unwrap_or(&args.file);
    let document = Document::fetch(source.clone()).await?;
    let read = document.look_at();
    let (faults, warnings, routes) = match read.outcome {
        Ok(checked) => {
            let mut warnings = checked.warnings;
            warnings.extend(caching::warnings(&checked.config));
            (vec![], warnings, checked.config.routes.routes().len())
        }
        Err(found) => (found.faults, found.warnings, 0),
    };
    let name = document.name();
    if args.json {
        let answer = json!({
            "file": name,
            "faults": faults.iter().map(as_json).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(as_json).collect::<Vec<_>>(),
            "secretsNotSeen": read.unseen,
        });
        output::answer(&format!("{answer:#}"))?;
    } else {
        for fault in &faults {
            output::answer(&format!("{} {}", styled(BAD, "fault"), fault.line(name)))?;
        }
        for warning in &warnings {
            output::answer(&format!(
                "{} {}",
                styled(WARN, "warning"),
                warning.line(name)
            ))?;
        }
        for reference in &read.unseen {
            output::say(&format!(
                "note: the secret `{reference}` cannot be had here and was not looked at"
            ));
        }
        output::say(&summary(faults.len(), warnings.len(), routes));
    }
    let bad = !faults.is_empty() || (args.strict && !warnings.is_empty());
    if bad { Err(Failure::no()) } else { Ok(()) }
}

fn summary(faults: usize, warnings: usize, routes: usize) -> String {
    let counted = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    };
    let warnings = counted(warnings, "warning");
    if faults == 0 {
        format!(
            "{}: {}, {warnings}",
            styled(GOOD, "no fault"),
            counted(routes, "route")
        )
    } else {
        format!("{}, {warnings}", styled(BAD, counted(faults, "fault")))
    }
}

fn as_json(fault: &Fault) -> Value {
    json!({
        "path": fault.path,
        "line": fault.place.map(|(line, _)| line),
        "column": fault.place.map(|(_, column)| column),
        "code": fault.code,
        "message": fault.message,
    })
}

//! The findings for people.

use super::Checked;
use crate::{
    exit::Failure,
    output::{self, BAD, GOOD, WARN, styled},
    wiring::{Severity, report},
};

pub(super) fn print(checked: &Checked, has_template: bool) -> Result<(), Failure> {
    for fault in &checked.faults {
        let line = fault.line(&checked.name);
        output::answer(&format!("{} {line}", styled(BAD, "fault")))?;
    }
    for warning in &checked.warnings {
        let line = warning.line(&checked.name);
        output::answer(&format!("{} {line}", styled(WARN, "warning")))?;
    }
    if let Some((file, found)) = &checked.wired {
        for finding in found {
            output::answer(&report::line(finding, file))?;
        }
    }
    for reference in &checked.unseen {
        output::say(&format!(
            "note: the secret `{reference}` cannot be had here and was not looked at"
        ));
    }
    output::say(&summary(checked));
    if has_template && checked.wired.is_none() {
        output::say("the template was not looked at: the configuration has faults");
    }
    Ok(())
}

fn summary(checked: &Checked) -> String {
    let counted = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {what}{plural}")
    };
    let warnings = counted(checked.warnings.len(), "warning");
    let faults = checked.faults.len();
    let of_config = if faults == 0 {
        let routes = counted(checked.routes, "route");
        format!("{}: {routes}, {warnings}", styled(GOOD, "no fault"))
    } else {
        let faults = counted(faults, "fault");
        format!("{}, {warnings}", styled(BAD, faults))
    };
    let Some((file, _)) = &checked.wired else {
        return of_config;
    };
    let [errors, warnings, notes] =
        [Severity::Error, Severity::Warning, Severity::Note].map(|one| checked.findings(one));
    let style = if errors == 0 { GOOD } else { BAD };
    let errors = styled(style, counted(errors, "error"));
    let (warnings, notes) = (counted(warnings, "warning"), counted(notes, "note"));
    format!("{of_config}\n{file}: {errors}, {warnings}, {notes}")
}

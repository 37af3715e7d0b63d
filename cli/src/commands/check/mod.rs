//! `doorward check`.

pub mod args;
mod text;

use std::collections::BTreeMap;

use doorward_engine::{Config, config::Fault};
use serde_json::{Value, json};

use self::args::{CheckArgs, Format};
use crate::{
    caching,
    configuration::Document,
    exit::Failure,
    input, output,
    template::Template,
    wiring::{self, Finding, Severity, report},
};

/// What was found.
struct Checked {
    /// The name of the configuration.
    name: String,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    /// Secrets that were not looked at.
    unseen: Vec<String>,
    routes: usize,
    /// The template, and what is wrong between it and the configuration.
    wired: Option<(String, Vec<Finding>)>,
}

/// Prints every fault and every warning.
///
/// # Errors
/// [`Failure::no`] when there are faults.
pub async fn run(args: &CheckArgs) -> Result<(), Failure> {
    let source = args.config.as_ref().unwrap_or(&args.file);
    let document = Document::fetch(source.clone()).await?;
    let read = document.look_at();
    let mut checked = Checked {
        name: document.name().to_owned(),
        faults: vec![],
        warnings: vec![],
        unseen: read.unseen,
        routes: 0,
        wired: None,
    };
    match read.outcome {
        Ok(found) => {
            checked.warnings = found.warnings;
            checked.warnings.extend(caching::warnings(&found.config));
            checked.routes = found.config.routes.routes().len();
            checked.wired = wired(args, &found.config)?;
        }
        Err(found) => (checked.faults, checked.warnings) = (found.faults, found.warnings),
    }
    if checked.wired.is_some() {
        // Whether the route is among the identity sources is known here, and said of the template.
        checked
            .warnings
            .retain(|warning| warning.code != "cached_context");
    }
    match args.form() {
        Format::Human => text::print(&checked, args.template.is_some())?,
        Format::Json => output::answer(&format!("{:#}", as_json(&checked)))?,
        Format::Sarif => output::answer(&format!("{:#}", sarif(&checked)))?,
    }
    if checked.is_bad(args.strict) {
        Err(Failure::no())
    } else {
        Ok(())
    }
}

impl Checked {
    fn findings(&self, severity: Severity) -> usize {
        let all = self.wired.iter().flat_map(|(_, found)| found);
        all.filter(|one| one.rule.severity() == severity).count()
    }

    fn is_bad(&self, strict: bool) -> bool {
        let warnings = self.warnings.len() + self.findings(Severity::Warning);
        !self.faults.is_empty() || self.findings(Severity::Error) > 0 || (strict && warnings > 0)
    }
}

/// What is wrong between the template that is named and `config`.
fn wired(args: &CheckArgs, config: &Config) -> Result<Option<(String, Vec<Finding>)>, Failure> {
    let Some(path) = &args.template else {
        return Ok(None);
    };
    let text = input::read(path)?;
    let name = path.display().to_string();
    let text = std::str::from_utf8(&text)
        .map_err(|_| Failure::usage(format!("`{name}` is not text in UTF-8")))?;
    let given: BTreeMap<String, String> = args.parameters.iter().cloned().collect();
    let template = Template::read(text, &given)
        .map_err(|error| Failure::usage(format!("`{name}` is no template: {error}")))?;
    let declared = template.root().get("Parameters");
    for parameter in given.keys() {
        if declared.is_none_or(|declared| declared.get(parameter).is_none()) {
            return Err(Failure::usage(format!(
                "`{name}` has no parameter `{parameter}`"
            )));
        }
    }
    if template.root().get("Resources").is_none() {
        return Err(Failure::usage(format!("`{name}` has no `Resources`")));
    }
    Ok(Some((name, wiring::findings(&template, config))))
}

fn as_json(checked: &Checked) -> Value {
    let mut answer = json!({
        "file": checked.name,
        "faults": checked.faults.iter().map(fault).collect::<Vec<_>>(),
        "warnings": checked.warnings.iter().map(fault).collect::<Vec<_>>(),
        "secretsNotSeen": checked.unseen,
    });
    if let (Some((file, found)), Value::Object(members)) = (&checked.wired, &mut answer) {
        let found = found.iter().map(|one| report::as_json(one, file)).collect();
        members.insert("template".to_owned(), json!(file));
        members.insert("findings".to_owned(), found);
    }
    answer
}

/// The findings of the template; faults of the configuration beside them, under one rule of their own.
fn sarif(checked: &Checked) -> Value {
    let (file, found) = match &checked.wired {
        Some((file, found)) => (file.as_str(), found.as_slice()),
        None => (checked.name.as_str(), &[][..]),
    };
    let mut log = report::sarif(found, file);
    let level = |fault: &Fault, level: &str| {
        json!({
            "ruleId": fault.code,
            "level": level,
            "message": {"text": format!("{}: {}", fault.path, fault.message)},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": checked.name},
                "region": {"startLine": fault.place.map_or(1, |(line, _)| line)},
            }}],
        })
    };
    let faults = checked.faults.iter().map(|one| level(one, "error"));
    let warnings = checked.warnings.iter().map(|one| level(one, "warning"));
    if let Some(Value::Array(results)) = log.pointer_mut("/runs/0/results") {
        results.extend(faults.chain(warnings));
    }
    log
}

fn fault(fault: &Fault) -> Value {
    json!({
        "path": fault.path,
        "line": fault.place.map(|(line, _)| line),
        "column": fault.place.map(|(_, column)| column),
        "code": fault.code,
        "message": fault.message,
    })
}

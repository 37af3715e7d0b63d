//! The environment of the function: the only place of this deployable that reads it.
//!
//! Every variable stands in [`VARIABLES`], from which the reference is printed. A `DOORWARD_` name that is not there is a
//! fault, because a misspelt name would silently leave its default in force. Names that begin with `DOORWARD_SECRET_` are
//! free: they are for secrets that the configuration refers to as `env:DOORWARD_SECRET_…`.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

use doorward_engine::config::Fault;

/// One variable of the environment.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means, with unit and range.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

const CONFIG: Variable = Variable {
    name: "DOORWARD_CONFIG",
    meaning: "Where the configuration is: a path (relative ones begin at the folder of the function's code), `ssm:/parameter`, \
        `secretsmanager:name`, `appconfig:application/environment/profile`, or the text itself.",
    default: "doorward.toml",
};
const KEYS_TABLE: Variable = Variable {
    name: "DOORWARD_KEYS_TABLE",
    meaning: "The name of the DynamoDB table of API keys. Needed where the configuration has `api_keys`.",
    default: "",
};
const COUNTERS_TABLE: Variable = Variable {
    name: "DOORWARD_COUNTERS_TABLE",
    meaning: "The name of the DynamoDB table of usage counters and limits. Needed where routes have limits that are counted in DynamoDB, with `dpop` and `usage`, and where a breaker is `shared`; without it the use of keys is not counted.",
    default: "",
};
const REFRESH: Variable = Variable {
    name: "DOORWARD_CONFIG_REFRESH_SECONDS",
    meaning: "How often a remote configuration is read again, in seconds, 0 to 86400; 0 means never.",
    default: "60",
};
const INIT_BUDGET: Variable = Variable {
    name: "DOORWARD_INIT_BUDGET_MS",
    meaning: "How long the start may take before the function serves without waiting for key sets, in milliseconds, 100 to 9000.",
    default: "3000",
};

const GATEWAY_TTL: Variable = Variable {
    name: "DOORWARD_GATEWAY_TTL_SECONDS",
    meaning: "How long the gateway keeps an answer, in seconds, 0 to 3600. With it the function warns of identity tokens that would expire before.",
    default: "",
};

/// Every variable there is.
pub const VARIABLES: [Variable; 6] = [
    CONFIG,
    KEYS_TABLE,
    COUNTERS_TABLE,
    REFRESH,
    INIT_BUDGET,
    GATEWAY_TTL,
];

const PREFIX: &str = "DOORWARD_";
const SECRET_PREFIX: &str = "DOORWARD_SECRET_";

/// Names and values as a process gets them. No `Debug`: some values are secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process. Values that are not UTF-8 are not ours.
    pub fn of_this_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// The value of `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// The environment, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the configuration is, as written.
    pub config: String,
    /// The folder at which relative paths begin: that of the function's code, or the working folder outside Lambda.
    pub root: PathBuf,
    /// The table of API keys.
    pub keys_table: Option<String>,
    /// The table of usage counters.
    pub counters_table: Option<String>,
    /// How often a remote configuration is read again; `None` means never.
    pub refresh: Option<Duration>,
    /// How long the start may take.
    pub init_budget: Duration,
    /// How long the gateway keeps an answer, where that is said.
    pub gateway_ttl: Option<Duration>,
}

impl Settings {
    /// Reads `environment`; every fault at once.
    pub fn read(environment: &Environment) -> Result<Self, Vec<Fault>> {
        let mut faults: Vec<Fault> = environment
            .0
            .keys()
            .filter_map(|name| unknown(name))
            .collect();
        let text = |variable: Variable| {
            let set = environment
                .value(variable.name)
                .filter(|value| !value.is_empty());
            set.unwrap_or(variable.default).to_owned()
        };
        let refresh = number(REFRESH, &text(REFRESH), 0..=86_400, &mut faults);
        let init_budget = number(INIT_BUDGET, &text(INIT_BUDGET), 100..=9000, &mut faults);
        let gateway_ttl = Some(text(GATEWAY_TTL)).filter(|ttl| !ttl.is_empty());
        let gateway_ttl = gateway_ttl.map(|ttl| number(GATEWAY_TTL, &ttl, 0..=3600, &mut faults));
        let settings = Self {
            config: text(CONFIG),
            root: environment
                .value("LAMBDA_TASK_ROOT")
                .map_or_else(|| PathBuf::from("."), PathBuf::from),
            keys_table: Some(text(KEYS_TABLE)).filter(|name| !name.is_empty()),
            counters_table: Some(text(COUNTERS_TABLE)).filter(|name| !name.is_empty()),
            refresh: Some(Duration::from_secs(refresh)).filter(|every| !every.is_zero()),
            init_budget: Duration::from_millis(init_budget),
            gateway_ttl: gateway_ttl.map(Duration::from_secs),
        };
        if faults.is_empty() {
            Ok(settings)
        } else {
            Err(faults)
        }
    }
}

/// The reference of all variables as a Markdown table.
pub fn reference() -> String {
    let rows = VARIABLES.iter().map(
        |Variable {
             name,
             meaning,
             default,
         }| {
            let default = if default.is_empty() {
                "none".to_owned()
            } else {
                format!("`{default}`")
            };
            format!("| `{name}` | {meaning} | {default} |\n")
        },
    );
    let head = "| variable | meaning | default |\n|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

fn unknown(name: &str) -> Option<Fault> {
    let ours =
        VARIABLES.iter().any(|variable| variable.name == name) || name.starts_with(SECRET_PREFIX);
    if ours || !name.starts_with(PREFIX) {
        return None;
    }
    let near = VARIABLES
        .iter()
        .map(|variable| (distance(name, variable.name), variable.name))
        .min()
        .filter(|(distance, _)| *distance <= name.len() / 3);
    let hint = near.map_or_else(
        || format!("only names that begin with `{SECRET_PREFIX}` are free"),
        |(_, near)| format!("did you mean `{near}`?"),
    );
    Some(fault(name, format!("is no variable of doorward; {hint}")))
}

fn number(
    variable: Variable,
    text: &str,
    range: std::ops::RangeInclusive<u64>,
    faults: &mut Vec<Fault>,
) -> u64 {
    match text.parse() {
        Ok(value) if range.contains(&value) => value,
        _ => {
            let message = format!(
                "must be a whole number from {} to {}, found `{text}`",
                range.start(),
                range.end()
            );
            faults.push(fault(variable.name, message));
            *range.start()
        }
    }
}

fn fault(name: &str, message: String) -> Fault {
    Fault {
        path: name.to_owned(),
        place: None,
        message,
        code: "environment",
    }
}

/// How many letters must be added, left out or changed to make one name of the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, l) in left.bytes().enumerate() {
        let mut diagonal = above;
        let mut before = above.saturating_add(1);
        for (cell, r) in row.iter_mut().skip(1).zip(right.bytes()) {
            let changed = diagonal.saturating_add(usize::from(l != r));
            diagonal = *cell;
            before = changed
                .min(cell.saturating_add(1))
                .min(before.saturating_add(1));
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = above.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&owned.collect()).map_err(|faults| {
            let lines = faults
                .iter()
                .map(|fault| format!("{} {}", fault.path, fault.message));
            lines.collect::<Vec<_>>().join("\n")
        })
    }

    #[test]
    fn holds_the_defaults_of_the_table() {
        let settings = read(&[("PATH", "/bin"), ("DOORWARD_KEYS_TABLE", "")]).unwrap();
        assert_eq!(settings.config, "doorward.toml");
        assert_eq!((settings.keys_table, settings.counters_table), (None, None));
        assert_eq!(settings.refresh, Some(Duration::from_mins(1)));
        assert_eq!(settings.init_budget, Duration::from_secs(3));
    }

    #[test]
    fn reads_every_variable_of_the_table() {
        let settings = read(&[
            ("DOORWARD_CONFIG", "ssm:/doorward"),
            ("DOORWARD_KEYS_TABLE", "keys"),
            ("DOORWARD_COUNTERS_TABLE", "counters"),
            ("DOORWARD_CONFIG_REFRESH_SECONDS", "0"),
            ("DOORWARD_INIT_BUDGET_MS", "250"),
            ("DOORWARD_SECRET_PEPPER", "x"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("DOORWARD_GATEWAY_TTL_SECONDS", "90"),
        ]);
        let expected = Settings {
            config: "ssm:/doorward".to_owned(),
            root: PathBuf::from("/var/task"),
            keys_table: Some("keys".to_owned()),
            counters_table: Some("counters".to_owned()),
            refresh: None,
            init_budget: Duration::from_millis(250),
            gateway_ttl: Some(Duration::from_secs(90)),
        };
        assert_eq!(settings, Ok(expected));
    }

    #[test]
    fn refuses_misspelt_names_and_says_what_was_meant() {
        assert_eq!(
            read(&[("DOORWARD_KEY_TABLE", "keys"), ("DOORWARD_ZZZZZZZZZZ", "1")]),
            Err("DOORWARD_KEY_TABLE is no variable of doorward; did you mean `DOORWARD_KEYS_TABLE`?\n\
                 DOORWARD_ZZZZZZZZZZ is no variable of doorward; only names that begin with `DOORWARD_SECRET_` are free"
                .to_owned())
        );
    }

    #[test]
    fn refuses_numbers_out_of_range_all_at_once() {
        assert_eq!(
            read(&[("DOORWARD_CONFIG_REFRESH_SECONDS", "soon"), ("DOORWARD_INIT_BUDGET_MS", "99")]),
            Err("DOORWARD_CONFIG_REFRESH_SECONDS must be a whole number from 0 to 86400, found `soon`\n\
                 DOORWARD_INIT_BUDGET_MS must be a whole number from 100 to 9000, found `99`"
                .to_owned())
        );
    }

    #[test]
    fn prints_every_variable_in_the_reference() {
        let reference = reference();
        assert!(
            VARIABLES
                .iter()
                .all(|variable| reference.contains(variable.name))
        );
    }
}

//! The environment of the function: the only place of this deployable that reads it.
//!
//! A `DOORWARD_` name that is not in [`VARIABLES`] is a fault, because a misspelt name would silently leave its default in
//! force. Names that begin with `DOORWARD_SECRET_` are free: they are for secrets that the configuration refers to.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use doorward_backends::sources::Stage;

/// One variable of the environment.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it means, with unit and range.
    pub meaning: &'static str,
    /// What holds without it; empty when it must be set.
    pub default: &'static str,
}

const CONFIG: Variable = Variable {
    name: "DOORWARD_CONFIG",
    meaning: "Where the configuration of the authorizer is: a path (relative ones begin at the folder of the function's code), `ssm:/parameter`, \
        `secretsmanager:name`, `appconfig:application/environment/profile`, or the text itself.",
    default: "doorward.toml",
};
const KEYS_TABLE: Variable = Variable {
    name: "DOORWARD_KEYS_TABLE",
    meaning: "The name of the DynamoDB table of API keys.",
    default: "",
};
const GATEWAY_TTL: Variable = Variable {
    name: "DOORWARD_GATEWAY_TTL_SECONDS",
    meaning: "How long the gateway remembers an answer of the authorizer, in seconds, 0 to 3600: part of the delay that changes state.",
    default: "300",
};

const REFRESH: Variable = Variable {
    name: "DOORWARD_CONFIG_REFRESH_SECONDS",
    meaning: "How old a remote configuration may be before a command reads it again, in seconds, 0 to 86400; 0 means that it is read once.",
    default: "60",
};

const COUNTERS_TABLE: Variable = Variable {
    name: "DOORWARD_COUNTERS_TABLE",
    meaning: "The name of the DynamoDB table of usage counters. Needed for showing usage and for counting the access log.",
    default: "",
};

const EVENT_BUS: Variable = Variable {
    name: "DOORWARD_EVENT_BUS",
    meaning: "The event bus of EventBridge that is told of everything that happens to keys and to blocks of tokens, by name or ARN. Without \
        one, each event is a line of the log, `\"event\": \"key_event\"` or `\"block_event\"`.",
    default: "",
};

const FLUSH_STAGES: Variable = Variable {
    name: "DOORWARD_FLUSH_STAGES",
    meaning: "The stages of API Gateway whose kept answers are thrown away after a key was narrowed, such as \
        `rest:a1b2c3d4e5/v1,http:f6g7h8i9j0/$default`. Needs the right to do it, and the minute's job.",
    default: "",
};

const ADMIN_API: Variable = Variable {
    name: "DOORWARD_ADMIN_API",
    meaning: "The APIs whose events are answered: ids, each alone or with a stage as in `a1b2c3d4e5/v1`, with commas between them. Without, \
        those of any.",
    default: "",
};

/// Every variable there is.
pub const VARIABLES: [Variable; 8] = [
    CONFIG,
    KEYS_TABLE,
    COUNTERS_TABLE,
    REFRESH,
    GATEWAY_TTL,
    EVENT_BUS,
    FLUSH_STAGES,
    ADMIN_API,
];

const PREFIX: &str = "DOORWARD_";
const SECRET_PREFIX: &str = "DOORWARD_SECRET_";

/// The environment, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the configuration is, as written.
    pub config: String,
    /// The folder at which relative paths begin.
    pub root: PathBuf,
    /// The table of API keys.
    pub keys_table: String,
    /// The table of usage counters; `None` means that usage is neither shown nor counted.
    pub counters_table: Option<String>,
    /// How old a remote configuration may be; `None` means that it is read once.
    pub refresh: Option<Duration>,
    /// How long the gateway remembers an answer of the authorizer.
    pub gateway_ttl_seconds: u32,
    /// The event bus; `None` means that events are lines of the log.
    pub event_bus: Option<String>,
    /// The stages that are flushed, as written and checked.
    pub flush_stages: Vec<String>,
    /// The APIs whose events are answered, as written; empty means any.
    pub admin_apis: Vec<String>,
}

/// All that is wrong with the environment, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment is not valid: {}", .0.join("; "))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// Reads the environment given as names and values; every fault at once.
    pub fn read(variables: &BTreeMap<String, String>) -> Result<Self, SettingsError> {
        let mut faults: Vec<String> = variables
            .keys()
            .filter(|name| name.starts_with(PREFIX) && !name.starts_with(SECRET_PREFIX))
            .filter(|name| VARIABLES.iter().all(|known| known.name != name.as_str()))
            .map(|name| {
                let known = VARIABLES.map(|known| known.name).join("`, `");
                format!("`{name}` is no variable of doorward; there are `{known}`, and names that begin with `{SECRET_PREFIX}`")
            })
            .collect();
        let text = |variable: Variable| {
            let set = variables.get(variable.name).map(String::as_str);
            let set = set.filter(|value| !value.is_empty());
            set.unwrap_or(variable.default).to_owned()
        };
        let keys_table = text(KEYS_TABLE);
        if keys_table.is_empty() {
            faults.push(format!(
                "`{}` is not set; name the table of API keys",
                KEYS_TABLE.name
            ));
        }
        let gateway_ttl_seconds = number(GATEWAY_TTL, &text(GATEWAY_TTL), 3600, &mut faults);
        let refresh = number(REFRESH, &text(REFRESH), 86_400, &mut faults);
        let root = variables.get("LAMBDA_TASK_ROOT");
        let settings = Self {
            config: text(CONFIG),
            root: root.map_or_else(|| PathBuf::from("."), PathBuf::from),
            keys_table,
            counters_table: Some(text(COUNTERS_TABLE)).filter(|name| !name.is_empty()),
            refresh: Some(Duration::from_secs(refresh.into())).filter(|every| !every.is_zero()),
            gateway_ttl_seconds,
            event_bus: event_bus(text(EVENT_BUS), &mut faults),
            flush_stages: flush_stages(&text(FLUSH_STAGES), &mut faults),
            admin_apis: apis(&text(ADMIN_API), &mut faults),
        };
        if faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError(faults))
        }
    }
}

/// The reference of all variables as a Markdown table.
pub fn reference() -> String {
    let rows = VARIABLES.iter().map(|variable| {
        let default = match variable.default {
            "" => "none, must be set".to_owned(),
            default => format!("`{default}`"),
        };
        format!(
            "| `{}` | {} | {default} |\n",
            variable.name, variable.meaning
        )
    });
    let head = "| variable | meaning | default |\n|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

fn number(variable: Variable, text: &str, max: u32, faults: &mut Vec<String>) -> u32 {
    let value = text.parse().ok().filter(|value| *value <= max);
    if value.is_none() {
        let name = variable.name;
        faults.push(format!(
            "`{name}` must be a whole number from 0 to {max}, found `{text}`"
        ));
    }
    value.unwrap_or_default()
}

/// AWS: `EventBridge` API Reference, `PutEventsRequestEntry`, `EventBusName`.
fn event_bus(text: String, faults: &mut Vec<String>) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-:".contains(c);
    if text.len() > 1600 || !text.chars().all(fits) {
        let name = EVENT_BUS.name;
        faults.push(format!(
            "`{name}` must be the name or the ARN of an event bus, found `{text}`"
        ));
    }
    Some(text).filter(|text| !text.is_empty())
}

fn flush_stages(text: &str, faults: &mut Vec<String>) -> Vec<String> {
    let mut stages: Vec<String> = vec![];
    for stage in text
        .split(',')
        .map(str::trim)
        .filter(|stage| !stage.is_empty())
    {
        let name = FLUSH_STAGES.name;
        if Stage::parse(stage).is_none() {
            let expected = Stage::FORM;
            faults.push(format!("`{name}` holds `{stage}`, expected {expected}"));
        } else if stages.iter().any(|known| known == stage) {
            faults.push(format!("`{name}` repeats `{stage}`"));
        }
        stages.push(stage.to_owned());
    }
    stages
}

/// Ids of APIs, each with a stage or without.
fn apis(text: &str, faults: &mut Vec<String>) -> Vec<String> {
    let apis = text.split(',').map(str::trim).filter(|api| !api.is_empty());
    let apis: Vec<String> = apis.map(str::to_owned).collect();
    for api in &apis {
        let (id, stage) = api.split_once('/').unwrap_or((api, "v1"));
        let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_id || stage.is_empty() || stage.contains('/') {
            let name = ADMIN_API.name;
            faults.push(format!(
                "`{name}` must hold ids of APIs such as `a1b2c3d4e5` or `a1b2c3d4e5/v1`, found `{api}`"
            ));
        }
    }
    apis
}

/// The environment of this process. Values that are not UTF-8 are not ours.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let owned = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        Settings::read(&pairs.iter().map(owned).collect())
    }

    #[test]
    fn misspelt_missing_and_wrong_variables_are_refused_all_at_once() {
        let error = read(&[
            ("DOORWARD_KEY_TABLE", "keys"),
            ("DOORWARD_GATEWAY_TTL_SECONDS", "3601"),
            ("DOORWARD_CONFIG_REFRESH_SECONDS", "-1"),
            ("DOORWARD_SECRET_PEPPER", "x"),
            (
                "DOORWARD_ADMIN_API",
                "a1b2c3d4e5, a1/v1, https://a1.example",
            ),
        ]);
        let SettingsError(faults) = error.unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults.iter().all(|fault| !fault.contains("PEPPER")));
    }

    #[test]
    fn every_wrong_stage_and_a_wrong_bus_are_refused() {
        let error = read(&[
            ("DOORWARD_KEYS_TABLE", "keys"),
            ("DOORWARD_EVENT_BUS", "my bus"),
            (
                "DOORWARD_FLUSH_STAGES",
                "rest:a1/v1, a1/v1,rest:a1/v1,http:a1,http:a1/$default",
            ),
        ]);
        let SettingsError(faults) = error.unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        let good = read(&[
            ("DOORWARD_KEYS_TABLE", "keys"),
            (
                "DOORWARD_EVENT_BUS",
                "arn:aws:events:eu-west-1:1:event-bus/keys",
            ),
            ("DOORWARD_FLUSH_STAGES", "rest:a1/v1, http:a1/$default"),
        ]);
        let good = good.unwrap();
        assert_eq!(good.flush_stages, ["rest:a1/v1", "http:a1/$default"]);
        assert!(good.event_bus.is_some());
    }

    #[test]
    fn a_configuration_that_is_read_once_can_be_had() {
        let settings = read(&[
            ("DOORWARD_KEYS_TABLE", "keys"),
            ("DOORWARD_CONFIG_REFRESH_SECONDS", "0"),
        ]);
        assert_eq!(settings.unwrap().refresh, None);
    }

    #[test]
    fn defaults_hold_where_nothing_is_said() {
        let settings = read(&[("DOORWARD_KEYS_TABLE", "keys"), ("DOORWARD_CONFIG", "")]).unwrap();
        assert_eq!(settings.config, "doorward.toml");
        assert_eq!(settings.gateway_ttl_seconds, 300);
        assert_eq!(settings.refresh, Some(Duration::from_mins(1)));
        assert_eq!(settings.root, PathBuf::from("."));
    }
}

//! What a route demands of the caller: scopes, roles, tenants.

use serde::Deserialize;

use crate::{
    config::{
        faults::Faults,
        problems::Problem,
        values::{distinct, shown},
    },
    routes::Demand,
};

/// What is demanded of a set of words.
#[derive(Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum RawDemand {
    /// Every one of these.
    All(Vec<String>),
    /// Both parts must hold.
    Parts(RawDemandParts),
}

/// What is demanded of a set of words, in parts that must both hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct RawDemandParts {
    /// At least one of these.
    #[serde(default)]
    any: Option<Vec<String>>,
    /// Every one of these.
    #[serde(default)]
    all: Option<Vec<String>>,
}

pub(super) type WordCheck = fn(&str) -> Option<Problem>;

/// RFC 6749 section 3.3, `scope-token`.
pub(crate) fn scope(text: &str) -> Option<Problem> {
    let fits = !text.is_empty()
        && text.len() <= 256
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    (!fits).then(|| Problem::ScopeMalformed { found: shown(text) })
}

pub(super) fn word(text: &str) -> Option<Problem> {
    let fits = !text.is_empty()
        && text.len() <= 256
        && text.trim() == text
        && !text.chars().any(char::is_control);
    (!fits).then(|| Problem::WordMalformed { found: shown(text) })
}

pub(super) fn words(list: &[String], path: &str, check: WordCheck, faults: &mut Faults) {
    for (index, text) in list.iter().enumerate() {
        if let Some(problem) = check(text) {
            faults.problem(format!("{path}[{index}]"), problem);
        }
    }
    distinct(list, path, faults);
}

pub(super) fn demand(
    raw: Option<RawDemand>,
    path: &str,
    check: WordCheck,
    faults: &mut Faults,
) -> Demand {
    let mut part = |list: Option<Vec<String>>, path: &str| {
        let Some(list) = list else { return vec![] };
        if list.is_empty() {
            let otherwise = "; leave it out to demand nothing";
            faults.problem(
                path,
                Problem::Empty {
                    what: "word",
                    otherwise,
                },
            );
        }
        words(&list, path, check, faults);
        list
    };
    match raw {
        None => Demand::default(),
        Some(RawDemand::All(all)) => Demand {
            any: vec![],
            all: part(Some(all), path),
        },
        Some(RawDemand::Parts(parts)) => {
            let any = part(parts.any, &format!("{path}.any"));
            let all = part(parts.all, &format!("{path}.all"));
            if any.is_empty() && all.is_empty() {
                let what = "name the words in `any` or `all`, or leave it out to demand nothing";
                faults.problem(path, Problem::Missing { what });
            }
            Demand { any, all }
        }
    }
}

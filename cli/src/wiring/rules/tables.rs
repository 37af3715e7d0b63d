//! The tables that the functions name.

use super::{Asked, finding, listed};
use crate::wiring::{Finding, Rule, model::Table};

/// What a table must be like (docs/restore.md).
struct Wanted {
    variable: &'static str,
    indexes: &'static [&'static str],
    ends_by: &'static str,
    is_precious: bool,
}

const WANTED: [Wanted; 2] = [
    Wanted {
        variable: "DOORWARD_KEYS_TABLE",
        indexes: &["by_tenant", "by_day"],
        ends_by: "purge_at",
        is_precious: true,
    },
    Wanted {
        variable: "DOORWARD_COUNTERS_TABLE",
        indexes: &[],
        ends_by: "expires_at",
        is_precious: false,
    },
];

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    for wanted in &WANTED {
        for table in named(asked, wanted.variable) {
            form(table, wanted, found);
            if !wanted.is_precious {
                continue;
            }
            for (is_there, what) in [
                (table.recovers, "point-in-time recovery"),
                (table.is_kept, "deletion protection"),
            ] {
                if is_there == Some(false) {
                    let message = format!("the keys have no {what}");
                    found.push(finding(
                        Rule::TableUnprotected,
                        table.line,
                        &table.id,
                        message,
                    ));
                }
            }
        }
    }
}

fn form(table: &Table, wanted: &Wanted, found: &mut Vec<Finding>) {
    let mut of =
        |message: String| found.push(finding(Rule::TableForm, table.line, &table.id, message));
    if table.key != ["pk", "sk"] {
        of(format!("its key is {}, not pk, sk", listed(&table.key)));
    }
    for index in wanted.indexes {
        if !table.indexes.iter().any(|one| one == index) {
            of(format!("the index `{index}` is missing"));
        }
    }
    if table.ends_by.as_deref() != Some(wanted.ends_by) {
        of(format!("items do not end by `{}`", wanted.ends_by));
    }
}

/// The tables of the template that functions find under a variable.
fn named<'a>(asked: Asked<'a>, variable: &str) -> Vec<&'a Table> {
    let functions = asked.wiring.functions.iter();
    let names: Vec<&str> = functions
        .filter_map(|function| function.variables.get(variable)?.0.as_deref())
        .collect();
    let tables = asked.wiring.tables.iter();
    tables
        .filter(|table| names.contains(&format!("${{{}}}", table.id).as_str()))
        .collect()
}

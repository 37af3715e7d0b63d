//! The rules: each a small function over what the template wires and what the configuration says.

mod answers;
mod cache;
mod invoking;
mod needs;
mod roles;
mod routes;
mod tables;

use doorward_engine::Config;

use super::{Finding, Rule, model::Wiring};
use needs::Needs;

/// What the rules look at.
#[derive(Clone, Copy)]
struct Asked<'a> {
    wiring: &'a Wiring,
    config: &'a Config,
    needs: &'a Needs,
}

/// Everything that is found.
pub(super) fn all(wiring: &Wiring, config: &Config) -> Vec<Finding> {
    let needs = Needs::of(config);
    let asked = Asked {
        wiring,
        config,
        needs: &needs,
    };
    let unread = wiring.unread.iter().map(|(line, id, what)| {
        finding(
            Rule::Unknown,
            *line,
            id,
            format!("{what} was not looked at"),
        )
    });
    let mut found: Vec<Finding> = unread.collect();
    for rule in [
        cache::look,
        answers::look,
        invoking::look,
        routes::look,
        roles::look,
        tables::look,
    ] {
        rule(asked, &mut found);
    }
    found
}

fn finding(rule: Rule, line: usize, resource: &str, message: impl Into<String>) -> Finding {
    Finding {
        rule,
        line,
        resource: resource.to_owned(),
        message: message.into(),
    }
}

/// Things one after the other, for people.
fn listed<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let things: Vec<String> = things.into_iter().map(|one| one.to_string()).collect();
    things.join(", ")
}

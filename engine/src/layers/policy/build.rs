//! From rights to a policy: which routes go in, in which order, and what is left out when not all of them can.

use std::rc::Rc;

use super::{
    Condition, Policy, PolicyConfig,
    draft::Slashes,
    fill::{Filled, Filling, Merging},
    glob,
    rights::Rights,
};
use crate::{
    denial::Reason,
    request::{ApiStage, Located, Target},
    routes::{METHODS, Route, RouteTable},
};

/// What a policy is written for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The API and stage.
    pub stage: &'a ApiStage,
    /// All routes.
    pub table: &'a RouteTable,
    /// How policies are written.
    pub config: &'a PolicyConfig,
    /// The longest document, in bytes.
    pub max_bytes: usize,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// As the gateway will compare it with the policy.
    pub target: &'a Target,
    /// As it was matched with the routes.
    pub located: &'a Located,
}

impl Asked<'_> {
    /// The entry that wins and the index of the method.
    fn place(&self, table: &RouteTable) -> Option<(usize, usize)> {
        let Located::Http { verb, path } = self.located else {
            return None;
        };
        let method = METHODS.iter().position(|method| *method == verb.as_str())?;
        Some((table.entry_of(path)?, method))
    }

    /// What follows the stage in the ARN.
    fn resource(&self) -> String {
        match self.target {
            Target::Http { verb, path } => format!("{}{path}", verb.as_str()),
            Target::Connect => "$connect".to_owned(),
            Target::GraphQl => "$graphql".to_owned(),
        }
    }

    fn ends_in_slash(&self) -> bool {
        matches!(self.target, Target::Http { path, .. } if path.len() > 1 && path.ends_with('/'))
    }
}

/// The policy for a caller who may use what was asked for: it allows that, and of all else that the caller may use as much
/// as can be said.
///
/// # Errors
/// [`Reason::RouteUnknown`] when no route answers, or `permitted` refuses the one that does;
/// [`Reason::PolicyInexpressible`] when no policy allows the request and nothing that must be refused;
/// [`Reason::PolicyTooLarge`] when the policy for this one route is too large.
pub fn build(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    permitted: &dyn Fn(&Route) -> bool,
    condition: &dyn Fn(&Route) -> Condition,
) -> Result<Policy, Reason> {
    let rights = Rights::new(scope.table, permitted, condition, None);
    let (filled, held) = match asked.located {
        Located::Http { .. } => {
            let first = asked.place(scope.table).ok_or(Reason::RouteUnknown)?;
            let held = rights.of(first.0, first.1).ok_or(Reason::RouteUnknown)?;
            (fullest(scope, asked, &rights, Some(first))?, held)
        }
        Located::Connect | Located::GraphQl => {
            let route = scope
                .table
                .find(asked.located)
                .ok_or(Reason::RouteUnknown)?;
            if !permitted(route) {
                return Err(Reason::RouteUnknown);
            }
            let held = Rc::new(condition(route));
            (Filling::single(scope, asked.resource(), &held)?, held)
        }
    };
    let policy = filled.draft.policy().ok_or(Reason::Internal)?;
    if glob::allows(&policy, &asked.resource(), &held) {
        Ok(policy)
    } else {
        Err(Reason::PolicyInexpressible)
    }
}

/// The policy for a caller who may not use what was asked for: what else they may use, and the Deny of the template that was
/// asked for, where it does not stop what else they may use. Never allows the request.
pub fn build_denial(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    permitted: &dyn Fn(&Route) -> bool,
    condition: &dyn Fn(&Route) -> Condition,
) -> Policy {
    let Located::Http { .. } = asked.located else {
        return Policy::deny(asked.resource());
    };
    let place = asked.place(scope.table);
    let refused = place.and_then(|(entry, method)| scope.table.entry(entry)?.answer(method));
    let rights = Rights::new(scope.table, permitted, condition, refused);
    let nothing = || Policy::deny("*".to_owned());
    let Ok(mut filled) = fullest(scope, asked, &rights, None) else {
        return nothing();
    };
    if let Some((entry, method)) = place {
        filled.deny(scope, &rights, entry, method);
    }
    let policy = filled.draft.policy().unwrap_or_else(nothing);
    let everybody = Condition::default();
    let passes = policy
        .statements()
        .iter()
        .map(|s| &s.condition)
        .chain([&everybody]);
    let passes = passes
        .into_iter()
        .any(|held| glob::allows(&policy, &asked.resource(), held));
    if passes { nothing() } else { policy }
}

/// The first of these that holds every route: slashes at the end, without them, routes merged. Otherwise the one with most.
fn fullest(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    rights: &Rights<'_>,
    first: Option<(usize, usize)>,
) -> Result<Filled, Reason> {
    let plain = if first.is_some() && asked.ends_in_slash() {
        Slashes::Both
    } else {
        Slashes::Plain
    };
    let styles = [
        (Slashes::Both, Merging::Off),
        (plain, Merging::Off),
        (plain, Merging::Allowed),
    ];
    let mut best: Result<Filled, Reason> = Err(Reason::PolicyTooLarge);
    for (slashes, merging) in styles {
        let filled = Filling::new(scope, rights, slashes).fill(asked.located, first, merging);
        best = match (best, filled) {
            (_, Ok(filled)) if filled.complete => return Ok(filled),
            (Ok(best), Ok(filled)) if best.routes >= filled.routes => Ok(best),
            (_, Ok(filled)) => Ok(filled),
            (Ok(best), Err(_)) => Ok(best),
            (Err(_), Err(reason)) => Err(reason),
        };
    }
    best
}

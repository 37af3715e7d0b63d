//! From rights to a policy: which routes go in, in which order, and what is left out when not all of them can.

use std::rc::Rc;

use super::{
    Condition, Policy, PolicyConfig,
    draft::{self, Slashes},
    fill::{Filled, Filling, Merging, Segment},
    glob,
    rights::Rights,
};
use crate::{
    denial::Reason,
    request::{ApiStage, Located, Target},
    routes::{METHODS, Route, RouteTable, shape::Piece},
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
    /// As it was matched with the routes; absent where the path is refused whatever the routes are.
    pub located: Option<&'a Located>,
}

impl Asked<'_> {
    /// The entry that wins and the index of the method.
    pub(super) fn place(&self, table: &RouteTable) -> Option<Placed> {
        let Some(Located::Http { verb, path }) = self.located else {
            return None;
        };
        let method = METHODS.iter().position(|method| *method == verb.as_str())?;
        Some((table.entry_of(path)?, method))
    }

    /// What follows the stage in the ARN.
    fn resource(&self) -> String {
        match self.target {
            Target::Http { verb, path } => [verb.as_str(), path].concat(),
            Target::Connect => "$connect".to_owned(),
            Target::GraphQl => "$graphql".to_owned(),
        }
    }

    /// The segments of the path, as they were matched or else as they came.
    fn segments(&self) -> Vec<Segment<'_>> {
        match (self.located, self.target) {
            (Some(Located::Http { path, .. }), _) => path.segments().map(Some).collect(),
            (None, Target::Http { path, .. }) => {
                let segments = path.split('/').filter(|s| !s.is_empty());
                segments.map(Some).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn ends_in_slash(&self) -> bool {
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
    let located = asked.located.ok_or(Reason::RouteUnknown)?;
    let route = scope.table.find(located).ok_or(Reason::RouteUnknown)?;
    if !permitted(route) {
        return Err(Reason::RouteUnknown);
    }
    let held = condition(route);
    let policy = match located {
        Located::Http { .. } => {
            let place = asked.place(scope.table).ok_or(Reason::RouteUnknown)?;
            let rights = Rights::new(scope.table, permitted, condition);
            compose(scope, place, asked.ends_in_slash(), &rights)?.policy
        }
        Located::Connect | Located::GraphQl => {
            let held = Rc::new(held.clone());
            let single = Filling::single(scope, asked.resource(), &held)?;
            single.draft.policy().ok_or(Reason::Internal)?
        }
    };
    hold_against(&policy, asked, &held)?;
    Ok(policy)
}

/// Holds `policy` against what was asked for: it must let that pass for whoever meets `held`.
///
/// # Errors
/// [`Reason::PolicyInexpressible`].
pub(super) fn hold_against(
    policy: &Policy,
    asked: &Asked<'_>,
    held: &Condition,
) -> Result<(), Reason> {
    if glob::allows(policy, &asked.resource(), held) {
        Ok(())
    } else {
        Err(Reason::PolicyInexpressible)
    }
}

/// An entry of the table and the index of a method.
pub(super) type Placed = (usize, usize);

/// A policy, and whether it is the same for all its routes.
pub(super) struct Composed {
    pub(super) policy: Policy,
    pub(super) is_whole: bool,
}

/// The policy for a caller who may use what is at `place`. Nothing of the request but this and whether its path ends in a slash
/// has a say in it.
pub(super) fn compose(
    scope: &Scope<'_>,
    place: Placed,
    slash: bool,
    rights: &Rights<'_>,
) -> Result<Composed, Reason> {
    let entry = scope.table.entry(place.0).ok_or(Reason::RouteUnknown)?;
    let pieces = entry.shape.pieces().iter();
    let near: Vec<Segment<'_>> = pieces
        .map(|piece| match piece {
            Piece::Literal(text) => Some(&**text),
            Piece::Wild => None,
        })
        .collect();
    let filled = fullest(scope, &near, slash, rights, Some(place))?;
    Ok(Composed {
        is_whole: filled.is_whole,
        policy: filled.draft.policy().ok_or(Reason::Internal)?,
    })
}

/// The policy for a caller who is refused what they asked for: what they may use. A refusal is not always of a route: it may
/// be of an address, which `condition` then leaves out, or of a path. It holds under `holds`, and the policy does not allow
/// the request then; where the statements alone would, a Deny of what was asked stands beside them. Where nobody may use
/// the route at all, its template is denied, if that does not stop what else they may use.
pub fn build_denial(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    permitted: &dyn Fn(&Route) -> bool,
    condition: &dyn Fn(&Route) -> Condition,
    holds: &Condition,
) -> Policy {
    let Target::Http { .. } = asked.target else {
        return Policy::deny(asked.resource());
    };
    let resource = asked.resource();
    let room = draft::deny_size(scope.stage.arn_prefix(), &resource, holds);
    let scope = &Scope {
        max_bytes: scope.max_bytes.saturating_sub(room),
        ..*scope
    };
    let rights = Rights::new(scope.table, permitted, condition);
    let place = asked.place(scope.table);
    let right = place.filter(|(entry, method)| rights.of(*entry, *method).is_some());
    let nothing = || Policy::deny("*".to_owned());
    let (near, slash) = (asked.segments(), asked.ends_in_slash());
    let filled = fullest(scope, &near, slash, &rights, right);
    let Ok(mut filled) = filled.or_else(|_| fullest(scope, &near, slash, &rights, None)) else {
        return nothing();
    };
    if let (Some((entry, method)), None) = (place, right) {
        filled.deny(scope, &rights, entry, method);
    }
    let policy = filled.draft.policy().unwrap_or_else(nothing);
    denying(policy, scope.stage, &resource, holds)
}

/// How many bytes of a document are kept for the Deny of what was asked, under `holds`.
pub(super) fn room_to_deny(scope: &Scope<'_>, asked: &Asked<'_>, holds: &Condition) -> usize {
    draft::deny_size(scope.stage.arn_prefix(), &asked.resource(), holds)
}

/// `policy`, which under `holds` does not allow what was asked.
pub(super) fn denying_asked(
    policy: Policy,
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    holds: &Condition,
) -> Policy {
    denying(policy, scope.stage, &asked.resource(), holds)
}

fn denying(policy: Policy, stage: &ApiStage, resource: &str, holds: &Condition) -> Policy {
    let nothing = || Policy::deny("*".to_owned());
    let everybody = Condition::default();
    let mut passes = policy.statements().iter().map(|s| &s.condition);
    let passes = passes.any(|held| glob::allows(&policy, resource, held))
        || glob::allows(&policy, resource, &everybody);
    match (passes, draft::is_exact(stage.arn_prefix(), resource)) {
        (false, _) => policy,
        (true, true) => policy.and_deny(resource.to_owned(), holds.clone()),
        (true, false) if *holds == everybody => nothing(),
        (true, false) => policy.and_deny("*".to_owned(), holds.clone()),
    }
}

/// The policy for a caller who may use what is at `place`, and its size in bytes, where nothing had to be left out: it is the
/// same for all its routes, and in any document that is as large.
pub(super) fn compose_whole(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    place: Placed,
    rights: &Rights<'_>,
) -> Option<(Policy, usize)> {
    let filling = Filling::new(scope, rights, Slashes::Both);
    let filled = filling.fill(&asked.segments(), Some(place), Merging::Off);
    let filled = filled.ok().filter(|filled| filled.is_whole)?;
    let size = filled.draft.size();
    Some((filled.draft.policy()?, size))
}

/// The first of these that holds every route: slashes at the end, without them, routes merged. Otherwise the one with most.
fn fullest(
    scope: &Scope<'_>,
    near: &[Segment<'_>],
    slash: bool,
    rights: &Rights<'_>,
    first: Option<Placed>,
) -> Result<Filled, Reason> {
    let plain = if first.is_some() && slash {
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
        let filled = Filling::new(scope, rights, slashes).fill(near, first, merging);
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

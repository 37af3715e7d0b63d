//! What the caller may do, looked up once for each route, and what one condition says about another.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use ipnet::IpNet;

use super::Condition;
use crate::routes::{Route, RouteTable};

/// What the caller may do.
pub(super) struct Rights<'a> {
    table: &'a RouteTable,
    permitted: &'a dyn Fn(&Route) -> bool,
    condition: &'a dyn Fn(&Route) -> Condition,
    known: RefCell<HashMap<usize, Option<Rc<Condition>>>>,
}

impl<'a> Rights<'a> {
    /// The rights that `permitted` gives under `condition`.
    pub(super) fn new(
        table: &'a RouteTable,
        permitted: &'a dyn Fn(&Route) -> bool,
        condition: &'a dyn Fn(&Route) -> Condition,
    ) -> Self {
        Self {
            table,
            permitted,
            condition,
            known: RefCell::default(),
        }
    }

    /// The condition under which the caller may use this method where this entry wins; `None` where they may not.
    pub(super) fn of(&self, entry: usize, method: usize) -> Option<Rc<Condition>> {
        self.of_route(self.table.entry(entry)?.answer(method)?)
    }

    /// The same for the route with this index.
    pub(super) fn of_route(&self, index: usize) -> Option<Rc<Condition>> {
        if let Some(known) = self.known.borrow().get(&index) {
            return known.clone();
        }
        let permitted = self
            .table
            .route(index)
            .filter(|route| (self.permitted)(route));
        let right = permitted.map(|route| (self.condition)(route));
        let right = right.filter(admits_somebody).map(Rc::new);
        self.known.borrow_mut().insert(index, right.clone());
        right
    }
}

/// Whether anybody can meet `held`: an empty list admits nobody.
pub(super) fn admits_somebody(held: &Condition) -> bool {
    held.addresses.as_ref().is_none_or(|list| !list.is_empty())
}

/// Whether `weaker` holds whenever `stronger` does. May say no where the answer is yes.
pub(super) fn implies(stronger: &Condition, weaker: &Condition) -> bool {
    before_implied(stronger, weaker)
        && from_implied(stronger, weaker)
        && allowed_implied(stronger, weaker)
        && within(&weaker.not_addresses, &stronger.not_addresses)
}

/// The conditions of the Denies that together stop whoever meets `allowed` but not `wanted`. Where no condition can say it
/// the Deny is for everybody.
pub(super) fn short_of(allowed: &Condition, wanted: Option<&Condition>) -> Vec<Condition> {
    let Some(wanted) = wanted.filter(|wanted| before_implied(allowed, wanted)) else {
        return vec![Condition::default()];
    };
    let mut denies = Vec::new();
    if !from_implied(allowed, wanted) {
        denies.push(Condition {
            before: wanted.from,
            ..Condition::default()
        });
    }
    if let Some(list) = &wanted.addresses
        && !allowed_implied(allowed, wanted)
    {
        denies.push(Condition {
            not_addresses: list.clone(),
            ..Condition::default()
        });
    }
    if !within(&wanted.not_addresses, &allowed.not_addresses) {
        denies.push(Condition {
            addresses: Some(wanted.not_addresses.clone()),
            ..Condition::default()
        });
    }
    denies
}

/// Whether a Deny under the condition `deny`, one of [`short_of`], leaves everybody alone who meets `held`.
pub(super) fn spares(deny: &Condition, held: &Condition) -> bool {
    let inside = !deny.not_addresses.is_empty()
        && held
            .addresses
            .as_ref()
            .is_some_and(|list| within(list, &deny.not_addresses));
    let outside = deny
        .addresses
        .as_ref()
        .is_some_and(|list| within(list, &held.not_addresses));
    let later = deny.before.is_some() && held.from >= deny.before;
    inside || outside || later
}

fn before_implied(stronger: &Condition, weaker: &Condition) -> bool {
    match (stronger.before, weaker.before) {
        (_, None) => true,
        (Some(stronger), Some(weaker)) => stronger <= weaker,
        (None, Some(_)) => false,
    }
}

fn from_implied(stronger: &Condition, weaker: &Condition) -> bool {
    stronger.from >= weaker.from
}

fn allowed_implied(stronger: &Condition, weaker: &Condition) -> bool {
    match (&stronger.addresses, &weaker.addresses) {
        (_, None) => true,
        (Some(stronger), Some(weaker)) => within(stronger, weaker),
        (None, Some(_)) => false,
    }
}

/// Whether every range of `inner` lies in one of `outer`.
fn within(inner: &[IpNet], outer: &[IpNet]) -> bool {
    inner
        .iter()
        .all(|range| outer.iter().any(|wider| wider.contains(range)))
}

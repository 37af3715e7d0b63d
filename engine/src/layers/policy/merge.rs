//! One Allow for many routes, when listing them would take too much room.
//!
//! Everything below a literal prefix of the path that was asked for is allowed with one wildcard. That is an Allow as any
//! other: what is stricter below the prefix is denied beside it, and where such a Deny would stop a route that the caller
//! may use, or where paths that no route lists must be refused, there is no merging.

use std::rc::Rc;

use super::{
    Condition,
    exceptions::{Allowance, Needed},
    fill::Filling,
    rights,
};
use crate::routes::{
    METHODS,
    shape::{Piece, Shape},
};

/// How many routes must become one.
const WORTH: usize = 4;

/// How many Denies it may take.
const DENIES: usize = 16;

impl Filling<'_> {
    /// Merges, for each method, as much as can be around `asked`.
    pub(super) fn merge(&mut self, asked: &Shape, condition: &Rc<Condition>) {
        let literals = asked
            .pieces()
            .iter()
            .take_while(|piece| matches!(piece, Piece::Literal(_)));
        let depth = literals.count();
        for method in 0..METHODS.len() {
            let prefixes = (0..=depth).filter_map(|len| asked.pieces().get(..len));
            for prefix in prefixes {
                let allowance = Allowance {
                    shape: Shape::below(prefix),
                    entry: None,
                    method,
                    condition: Rc::clone(condition),
                };
                if let Some(needed) = self.mergeable(&allowance)
                    && self.admit(allowance, needed).is_ok()
                {
                    break;
                }
            }
        }
    }

    /// What must be denied beside `allowance`, if it is worth it and leaves every route below alone.
    fn mergeable(&self, allowance: &Allowance) -> Option<Needed> {
        let under = self.table.under_glob(&allowance.shape);
        let mut usable = under
            .iter()
            .filter(|entry| self.is_usable(**entry, allowance));
        usable.nth(WORTH.saturating_sub(1))?;
        let (usable, strict): (Vec<usize>, Vec<usize>) = under
            .iter()
            .partition(|entry| self.is_usable(**entry, allowance));
        if strict.len() > DENIES || strict.len() >= usable.len() {
            return None;
        }
        let needed = self.finder.needed(allowance)?;
        let leaves_alone = |entry: usize| {
            let held = self.allowance(entry, allowance.method);
            held.is_none_or(|held| {
                !needed
                    .exceptions
                    .iter()
                    .any(|denied| self.finder.wounds(denied, &held))
            })
        };
        let mut near = needed
            .exceptions
            .iter()
            .flat_map(|denied| self.table.under_glob(&denied.shape));
        near.all(leaves_alone).then_some(needed)
    }

    fn is_usable(&self, entry: usize, allowance: &Allowance) -> bool {
        let wanted = self.rights.of(entry, allowance.method);
        wanted.is_some_and(|wanted| rights::implies(&allowance.condition, &wanted))
    }
}

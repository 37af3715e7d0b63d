//! Which Denies an Allow needs, and what they would do to other Allows.
//!
//! The glob of an Allow covers more than its route matches: a wildcard takes more specific literals, and it crosses slashes.
//! Each path in the surplus belongs to the route that wins there, or to none. Where the caller may not use that one, a Deny
//! must cover the path.

use std::{
    cmp::Ordering,
    collections::{HashSet, VecDeque},
    rc::Rc,
};

use super::{
    Condition,
    rights::{self, Rights},
};
use crate::routes::{
    METHODS, RouteTable,
    shape::{Piece, Shape},
};

/// How many stretched shapes are looked at before an Allow is given up as too entangled.
const STRETCHES: usize = 256;

/// How many Denies one Allow may need.
const DENIES: usize = 64;

/// An Allow: a shape, a method, and the condition under which it stands.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    pub(super) shape: Shape,
    /// The entry of the table with this shape; none where several routes were merged.
    pub(super) entry: Option<usize>,
    /// The index in [`METHODS`].
    pub(super) method: usize,
    pub(super) condition: Rc<Condition>,
}

impl Allowance {
    pub(super) fn verb(&self) -> &'static str {
        METHODS.get(self.method).copied().unwrap_or("GET")
    }
}

/// A Deny that an Allow of the same method needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) shape: Shape,
    pub(super) condition: Condition,
}

/// All that must be denied beside an Allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Needed {
    pub(super) exceptions: Vec<Exception>,
    /// The characters of literals that a wildcard of the Allow could cover in another spelling.
    pub(super) literal_bytes: Vec<u8>,
}

/// Finds exceptions.
#[derive(Clone, Copy)]
pub(super) struct Finder<'a> {
    pub(super) table: &'a RouteTable,
    pub(super) rights: &'a Rights<'a>,
    /// Whether paths that no route matches must be refused too.
    pub(super) refuse_unlisted: bool,
}

/// A shape that wins somewhere under an Allow although the Allow does not suffice there.
struct Stricter {
    shape: Shape,
    /// Where the caller may use it under a condition.
    wanted: Option<Rc<Condition>>,
}

impl Finder<'_> {
    /// What `allowance` needs; `None` when that is too much.
    pub(super) fn needed(&self, allowance: &Allowance) -> Option<Needed> {
        let mut needed = Needed::default();
        if !allowance.shape.is_wild() {
            return Some(needed);
        }
        let under = self.under(allowance);
        let stricter = self.stricter(allowance, &under);
        if stricter.is_empty() {
            return Some(needed);
        }
        let longest = stricter.iter().map(|s| s.shape.len()).max().unwrap_or(0);
        let any_open = stricter.iter().any(|s| s.shape.is_open());
        let run = under
            .iter()
            .filter_map(|id| self.shape(*id))
            .map(Shape::len);
        let run = run.max().unwrap_or(0).max(longest).saturating_add(1);
        // Stretching goes on until every stricter shape has been met in each way it can lie under the glob. Under an open
        // one there is no longest path, but beyond a run of wild pieces that is longer than every shape another piece in
        // the run lies behind all of them and is covered by the Deny that was found without it.
        let goes_on =
            |shape: &Shape| shape.longest_run() <= run && (any_open || shape.len() <= longest);
        let mut waiting = VecDeque::from([allowance.shape.clone()]);
        let mut seen: HashSet<Shape> = HashSet::new();
        while let Some(stretched) = waiting.pop_front() {
            if seen.len() > STRETCHES || needed.exceptions.len() > DENIES {
                return None;
            }
            let denied = |e: &Exception| {
                e.condition == Condition::default() && e.shape.glob_covers(&stretched)
            };
            if needed.exceptions.iter().any(denied) {
                continue;
            }
            for stricter in &stricter {
                self.meet(allowance, &stretched, stricter, &under, &mut needed);
            }
            for longer in stretched.stretched() {
                if goes_on(&longer) && seen.insert(longer.clone()) {
                    waiting.push_back(longer);
                }
            }
        }
        prune(&mut needed.exceptions);
        Some(needed)
    }

    /// Adds the Deny for what `stretched` and `stricter` share, if `stricter` wins there.
    fn meet(
        &self,
        allowance: &Allowance,
        stretched: &Shape,
        stricter: &Stricter,
        under: &[usize],
        needed: &mut Needed,
    ) {
        let Some(shared) = stretched.meet(&stricter.shape) else {
            return;
        };
        if self.beaten(&stricter.shape, &shared, under) {
            return;
        }
        // INVARIANT: kept for Denies that are pruned as well. The Deny that covers them may have a literal where this one
        // has a literal of its own, and the client may have spelled that in another way.
        for (i, piece) in shared.pieces().iter().enumerate() {
            if let Piece::Literal(text) = piece
                && stretched.pieces().get(i) != Some(piece)
            {
                needed.literal_bytes.extend(text.bytes());
            }
        }
        for condition in rights::short_of(&allowance.condition, stricter.wanted.as_deref()) {
            let exception = Exception {
                shape: shared.clone(),
                condition,
            };
            if !needed.exceptions.iter().any(|e| covers(e, &exception)) {
                needed.exceptions.push(exception);
            }
        }
    }

    /// Whether a Deny of the glob of `denied` would stop a path where `allowance` wins.
    pub(super) fn wounds(&self, denied: &Exception, allowance: &Allowance) -> bool {
        if rights::spares(&denied.condition, &allowance.condition) {
            return false;
        }
        let under = self.under(allowance);
        let target = &allowance.shape;
        let run = under
            .iter()
            .filter_map(|id| self.shape(*id))
            .map(Shape::len);
        let run = run.max().unwrap_or(0).max(target.len()).saturating_add(1);
        let mut waiting = VecDeque::from([denied.shape.opened()]);
        let mut seen: HashSet<Shape> = HashSet::new();
        while let Some(stretched) = waiting.pop_front() {
            if seen.len() > STRETCHES {
                return true;
            }
            if let Some(shared) = stretched.meet(target)
                && !self.beaten(target, &shared, &under)
            {
                return true;
            }
            for longer in stretched.stretched() {
                let goes_on = longer.longest_run() <= run
                    && (target.is_open() || longer.len() <= target.len());
                if goes_on && seen.insert(longer.clone()) {
                    waiting.push_back(longer);
                }
            }
        }
        false
    }

    /// Whether another entry wins over `shape` on all of `shared`.
    fn beaten(&self, shape: &Shape, shared: &Shape, under: &[usize]) -> bool {
        under
            .iter()
            .filter_map(|id| self.shape(*id))
            .any(|other| other.precedence(shape) == Ordering::Less && other.covers(shared))
    }

    /// The entries that win somewhere under the glob.
    fn under(&self, allowance: &Allowance) -> std::borrow::Cow<'_, [usize]> {
        match allowance.entry {
            Some(id) => self.table.under_glob_of(id).into(),
            None => self.table.under_glob(&allowance.shape).into(),
        }
    }

    fn stricter(&self, allowance: &Allowance, under: &[usize]) -> Vec<Stricter> {
        let mut found = Vec::new();
        let mut all_listed = false;
        for id in under {
            let Some(shape) = self.shape(*id) else {
                continue;
            };
            all_listed |= *shape == Shape::everything();
            let wanted = self.rights.of(*id, allowance.method);
            let suffices = wanted
                .as_ref()
                .is_some_and(|wanted| rights::implies(&allowance.condition, wanted));
            if !suffices {
                found.push(Stricter {
                    shape: shape.clone(),
                    wanted,
                });
            }
        }
        if self.refuse_unlisted && !all_listed {
            // Paths that no route matches belong to a route that everybody is refused, and that every other beats.
            found.push(Stricter {
                shape: Shape::everything(),
                wanted: None,
            });
        }
        found
    }

    fn shape(&self, entry: usize) -> Option<&Shape> {
        self.table.entry(entry).map(|entry| &entry.shape)
    }
}

fn covers(wide: &Exception, narrow: &Exception) -> bool {
    let says_more = wide.condition == Condition::default() || wide.condition == narrow.condition;
    says_more && wide.shape.glob_covers(&narrow.shape)
}

/// Leaves out what a later Deny covers.
fn prune(exceptions: &mut Vec<Exception>) {
    let all = exceptions.clone();
    let mut at = 0_usize;
    exceptions.retain(|exception| {
        let mine = at;
        at = at.saturating_add(1);
        !all.iter()
            .skip(mine.saturating_add(1))
            .any(|later| covers(later, exception))
    });
}

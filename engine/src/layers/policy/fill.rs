//! Taking routes into a draft: the one that was asked for, then the nearest ones.

use std::rc::Rc;

use super::{
    Condition, UnlistedPaths,
    build::Scope,
    draft::{Draft, Slashes},
    exceptions::{Allowance, Exception, Finder, Needed},
    rights::{self, Rights},
};
use crate::{
    denial::Reason,
    routes::{
        METHODS, Methods, Place, RouteTable,
        shape::{Piece, Shape},
    },
};

/// How many routes in a row may not fit before the rest is left out.
const MISSES: usize = 8;

/// How many routes may contradict what is in before the rest is left out.
const CONTRADICTIONS: usize = 256;

/// Whether many routes may become one Allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merging {
    /// They may: the policy is shorter and harder to read.
    Allowed,
    /// Every route stands for itself.
    Off,
}

/// Why a route was not taken in.
pub(super) enum Refusal {
    /// The caller may not use it.
    Moot,
    /// It contradicts what is in.
    Contradicts,
    /// It does not fit.
    TooLarge,
}

/// A draft with its routes.
pub(super) struct Filled {
    pub(super) draft: Draft,
    /// Whether nothing was left out for want of room.
    pub(super) complete: bool,
    /// Whether the policy is the same whichever of its routes is asked for: nothing was left out, and nothing merged.
    pub(super) is_whole: bool,
    /// How many routes are in, each method of each for itself.
    pub(super) routes: usize,
    allowances: Vec<Allowance>,
}

impl Filled {
    /// Denies the glob of an entry, unless that would stop something that is in.
    pub(super) fn deny(
        &mut self,
        scope: &Scope<'_>,
        rights: &Rights<'_>,
        entry: usize,
        method: usize,
    ) {
        let (Some(entry), Some(verb)) = (scope.table.entry(entry), METHODS.get(method)) else {
            return;
        };
        let denied = Exception {
            shape: entry.shape.clone(),
            condition: Condition::default(),
        };
        let finder = finder(scope, rights);
        let mut same = self.allowances.iter().filter(|a| a.method == method);
        if !same.any(|allowance| finder.wounds(&denied, allowance)) {
            self.draft.deny(&entry.shape, verb, scope.max_bytes);
        }
    }
}

fn finder<'a>(scope: &Scope<'a>, rights: &'a Rights<'a>) -> Finder<'a> {
    Finder {
        table: scope.table,
        rights,
        refuse_unlisted: scope.config.unlisted_paths == UnlistedPaths::Refuse,
    }
}

/// A draft that is being filled.
pub(super) struct Filling<'a> {
    pub(super) table: &'a RouteTable,
    pub(super) rights: &'a Rights<'a>,
    pub(super) finder: Finder<'a>,
    max_bytes: usize,
    draft: Draft,
    allowances: Vec<Allowance>,
    exceptions: Vec<(usize, Exception)>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(scope: &Scope<'a>, rights: &'a Rights<'a>, slashes: Slashes) -> Self {
        Self {
            table: scope.table,
            rights,
            finder: finder(scope, rights),
            max_bytes: scope.max_bytes,
            draft: Draft::new(scope.stage.arn_prefix(), slashes),
            allowances: Vec::new(),
            exceptions: Vec::new(),
        }
    }

    /// A draft that allows `resource` alone, which is no path.
    pub(super) fn single(
        scope: &Scope<'_>,
        resource: String,
        held: &Rc<Condition>,
    ) -> Result<Filled, Reason> {
        let mut draft = Draft::new(scope.stage.arn_prefix(), Slashes::Plain);
        if draft.allow(resource, held) && draft.size() <= scope.max_bytes {
            Ok(Filled {
                draft,
                complete: true,
                is_whole: false,
                routes: 1,
                allowances: Vec::new(),
            })
        } else {
            Err(Reason::PolicyTooLarge)
        }
    }

    /// Takes in `first`, then the other routes, those with the longest common prefix with `asked` first.
    pub(super) fn fill(
        mut self,
        asked: &[Segment<'_>],
        first: Option<(usize, usize)>,
        merging: Merging,
    ) -> Result<Filled, Reason> {
        if let Some((entry, method)) = first {
            self.take(entry, method).map_err(|refusal| match refusal {
                Refusal::Moot => Reason::RouteUnknown,
                Refusal::Contradicts => Reason::PolicyInexpressible,
                Refusal::TooLarge => Reason::PolicyTooLarge,
            })?;
        }
        if merging == Merging::Allowed
            && let Some(asked) = self.allowances.first().cloned()
        {
            self.merge(&asked.shape, &asked.condition);
        }
        let order = nearest(self.table, asked);
        let (mut complete, mut agrees) = (true, true);
        let mut routes = 0_usize;
        // `HEAD` by way of `GET` is a nicety: it comes when all else is in.
        for by_way_of_get in [false, true] {
            let (mut misses, mut contradictions) = (0_usize, 0_usize);
            'entries: for entry in &order {
                for method in 0..METHODS.len() {
                    if self.is_by_way_of_get(*entry, method) != by_way_of_get {
                        continue;
                    }
                    match self.take(*entry, method) {
                        Ok(()) => {
                            misses = 0;
                            routes = routes.saturating_add(1);
                        }
                        Err(Refusal::Moot) => {}
                        Err(Refusal::Contradicts) => {
                            agrees = false;
                            contradictions = contradictions.saturating_add(1);
                        }
                        Err(Refusal::TooLarge) => {
                            complete = false;
                            misses = misses.saturating_add(1);
                        }
                    }
                    if misses > MISSES || contradictions > CONTRADICTIONS {
                        break 'entries;
                    }
                }
            }
        }
        Ok(Filled {
            draft: self.draft,
            complete,
            is_whole: complete && agrees && merging == Merging::Off,
            routes,
            allowances: self.allowances,
        })
    }

    fn is_by_way_of_get(&self, entry: usize, method: usize) -> bool {
        let route = self
            .table
            .entry(entry)
            .and_then(|entry| self.table.route(entry.answer(method)?));
        METHODS.get(method) == Some(&"HEAD")
            && route.is_some_and(|route| matches!(route.place, Place::Http(Methods::One("GET"), _)))
    }

    fn take(&mut self, entry: usize, method: usize) -> Result<(), Refusal> {
        let allowance = self.allowance(entry, method).ok_or(Refusal::Moot)?;
        if self.is_in(&allowance) {
            return Ok(());
        }
        let needed = self.finder.needed(&allowance).ok_or(Refusal::Contradicts)?;
        self.admit(allowance, needed)
    }

    /// The Allow for one method of an entry, where the caller may use it.
    pub(super) fn allowance(&self, entry: usize, method: usize) -> Option<Allowance> {
        let condition = self.rights.of(entry, method)?;
        let shape = self.table.entry(entry)?.shape.clone();
        Some(Allowance {
            shape,
            entry: Some(entry),
            method,
            condition,
        })
    }

    /// Takes in `allowance` with its exceptions, if that stops nothing that is in and fits.
    pub(super) fn admit(&mut self, allowance: Allowance, needed: Needed) -> Result<(), Refusal> {
        if self.contradicts(&allowance, &needed) {
            return Err(Refusal::Contradicts);
        }
        let addition = self
            .draft
            .addition(&allowance, &needed)
            .ok_or(Refusal::TooLarge)?;
        if self.draft.size_with(&allowance.condition, &addition) > self.max_bytes {
            return Err(Refusal::TooLarge);
        }
        self.draft.add(&allowance.condition, addition);
        let method = allowance.method;
        let exceptions = needed.exceptions.into_iter();
        self.exceptions.extend(exceptions.map(|e| (method, e)));
        self.allowances.push(allowance);
        Ok(())
    }

    fn is_in(&self, allowance: &Allowance) -> bool {
        self.allowances.iter().any(|held| {
            held.method == allowance.method
                && held.condition == allowance.condition
                && (held.entry.is_some() && held.entry == allowance.entry
                    || held.entry.is_none() && held.shape.covers(&allowance.shape))
        })
    }

    /// Whether a Deny that is in stops all of `allowance`, or one that it needs stops some of what is in.
    fn contradicts(&self, allowance: &Allowance, needed: &Needed) -> bool {
        let stopped = |(method, denied): &(usize, Exception)| {
            *method == allowance.method
                && !rights::spares(&denied.condition, &allowance.condition)
                && denied.shape.glob_covers(&allowance.shape)
        };
        let wounded = |held: &Allowance| {
            held.method == allowance.method
                && needed
                    .exceptions
                    .iter()
                    .any(|denied| self.finder.wounds(denied, held))
        };
        self.exceptions.iter().any(stopped) || self.allowances.iter().any(wounded)
    }
}

/// A segment of what was asked for; `None` where the template of the route has a parameter.
pub(super) type Segment<'a> = Option<&'a str>;

/// All entries, those that share the longest prefix with the path of these segments first.
fn nearest(table: &RouteTable, segments: &[Segment<'_>]) -> Vec<usize> {
    let entries = table.entries();
    let like = |shape: &Shape| {
        let pairs = shape.pieces().iter().zip(segments);
        pairs
            .take_while(|(piece, segment)| {
                matches!(piece, Piece::Wild)
                    || matches!(piece, Piece::Literal(text) if **segment == Some(text))
            })
            .count()
    };
    let mut order: Vec<(usize, usize)> = entries
        .iter()
        .enumerate()
        .map(|(id, entry)| (like(&entry.shape), id))
        .collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, id)| id).collect()
}

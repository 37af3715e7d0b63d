//! Finished policies by class of caller, so that one is not written anew for every call.
//!
//! 1. What is remembered is the policy of a [`Class`], which holds all that a policy is made of; see there for how nothing is
//!    forgotten.
//! 2. When it ends is not part of it: what ends in a policy ends at one time, which is put in for each caller.
//! 3. While a limit is known to be used up, the policy says from when on there is room, and is written anew.
//! 4. Each answer is held against what was asked for, remembered or not.
//! 5. What goes with the refusal of an address is remembered in the same way, as long as nothing has to be left out. The Deny of what
//!    was asked is added for each request ([`super::refusal`]).

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use doorward_keys::Timestamp;
use lru::LruCache;

use super::{
    Condition, Policy,
    build::{Composed, Placed, compose, compose_whole, hold_against},
    case::Case,
    class::{Class, FOREVER, Vocabulary},
    rights::{Rights, admits_somebody},
};
use crate::{config::Config, denial::Reason, routes::Route};

/// The bytes of all that is remembered, as documents: what they take in memory is about three times that.
const MAX_BYTES: usize = 4 << 20;

/// What is counted for a policy beside its resources: the class, statements and conditions.
const OVERHEAD: usize = 1024;

/// Finished policies.
pub(crate) struct Policies {
    vocabulary: Vocabulary,
    held: Mutex<Held>,
}

struct Held {
    policies: LruCache<Class, Arc<Remembered>>,
    bytes: usize,
}

/// A finished policy. What ends in it ends at [`FOREVER`].
struct Remembered {
    policy: Policy,
    /// The size of its document in bytes; of one for those whose address was refused.
    size: usize,
    /// The condition under which a route without a list of addresses of its own is allowed.
    everywhere: OnceLock<Condition>,
    /// The policy as it was said last, with its end: many calls are of one caller.
    ending: Mutex<Option<(Timestamp, Policy)>>,
}

impl Remembered {
    fn new(policy: Policy, size: usize) -> Arc<Self> {
        Arc::new(Self {
            policy,
            size,
            everywhere: OnceLock::new(),
            ending: Mutex::default(),
        })
    }

    /// The condition under which `route` is allowed; `make` writes it. Of a route it hangs on its list alone.
    fn condition(&self, route: &Route, make: impl FnOnce() -> Condition) -> Cow<'_, Condition> {
        match route.addresses {
            Some(_) => Cow::Owned(make()),
            None => Cow::Borrowed(self.everywhere.get_or_init(make)),
        }
    }

    /// The policy for a caller whose answer ends at `end`.
    fn ending_at(&self, end: Option<Timestamp>) -> Policy {
        let Some(end) = end else {
            return self.policy.clone();
        };
        let ending = || self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((same, policy)) = &*ending()
            && *same == end
        {
            return policy.clone();
        }
        let policy = self.policy.ending_at(end);
        *ending() = Some((end, policy.clone()));
        policy
    }
}

impl Policies {
    /// None yet, for the routes of `config`.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            vocabulary: Vocabulary::of(&config.routes, !config.addresses.rules.is_open()),
            held: Mutex::new(Held {
                policies: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }

    /// The policy for the caller of `case` who may use the route at `place`, which is `route`, while no limit is known to be
    /// used up. It speaks of the routes with the same facts for the backend.
    ///
    /// # Errors
    /// As [`super::build`].
    pub(super) fn policy(
        &self,
        case: &Case<'_>,
        place: Placed,
        route: &Route,
    ) -> Result<Policy, Reason> {
        let class = Class::of(case, &self.vocabulary, place);
        let remembered = self.held().find(&class, place);
        let remembered = match remembered {
            Some(remembered) => remembered,
            None => self.written(case, &class, place, route)?,
        };
        let condition = remembered.condition(route, || {
            let caller = class.caller();
            class.case(case, &caller, FOREVER).condition(route, None)
        });
        // All that ends ends at one time, so it does not matter here at which.
        hold_against(&remembered.policy, &case.asked(), &condition)?;
        Ok(remembered.ending_at(case.end()))
    }

    /// The policy for the caller of `case`, whose address was refused: all that they may use, each route under its lists of
    /// addresses. The route at `place`, which is `route`, is one of them. `None` where something has to be left out of a document of
    /// `max_bytes`, nobody can be where the route admits, or a limit is known to be used up: then it has to be written for this request.
    pub(super) fn elsewhere(
        &self,
        case: &Case<'_>,
        place: Placed,
        route: &Route,
        max_bytes: usize,
    ) -> Option<Policy> {
        if !case.limits.is_none_used_up() {
            return None;
        }
        let class = Class::of(case, &self.vocabulary, place).elsewhere();
        let condition = || {
            let caller = class.caller();
            class
                .case(case, &caller, FOREVER)
                .condition_there(route, None)
        };
        let remembered = self.held().policies.get(&class).map(Arc::clone);
        if let Some(remembered) = remembered {
            let may = remembered.size <= max_bytes
                && admits_somebody(&remembered.condition(route, condition));
            return may.then(|| remembered.ending_at(case.end()));
        }
        if !admits_somebody(&condition()) {
            return None;
        }
        let written = Self::written_elsewhere(case, &class, place, route);
        // What has to be left out is another for each request: it is remembered that it must be written.
        let none = || (Policy::deny("*".to_owned()), usize::MAX);
        let (policy, size) = written.unwrap_or_else(none);
        let remembered = Remembered::new(policy, size);
        self.held().keep(class, &remembered);
        (size <= max_bytes).then(|| remembered.ending_at(case.end()))
    }

    fn written_elsewhere(
        case: &Case<'_>,
        class: &Class,
        place: Placed,
        route: &Route,
    ) -> Option<(Policy, usize)> {
        let caller = class.caller();
        let of_class = class.case(case, &caller, FOREVER);
        let permits =
            |other: &Route| other.context == route.context && of_class.permits_there(other);
        let condition = |other: &Route| of_class.condition_there(other, None);
        let scope = of_class.scope();
        let rights = Rights::new(scope.table, &permits, &condition);
        compose_whole(&scope, &of_class.asked(), place, &rights)
    }

    fn written(
        &self,
        case: &Case<'_>,
        class: &Class,
        place: Placed,
        route: &Route,
    ) -> Result<Arc<Remembered>, Reason> {
        let caller = class.caller();
        let of_class = class.case(case, &caller, FOREVER);
        let permits = |other: &Route| other.context == route.context && of_class.permits(other);
        let condition = |other: &Route| of_class.condition(other, None);
        let scope = of_class.scope();
        let rights = Rights::new(scope.table, &permits, &condition);
        let Composed { policy, is_whole } =
            compose(&scope, place, of_class.asked().ends_in_slash(), &rights)?;
        let remembered = Remembered::new(policy, 0);
        let class = class.clone();
        let class = if is_whole { class } else { class.at(place) };
        self.held().keep(class, &remembered);
        Ok(remembered)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn find(&mut self, class: &Class, place: Placed) -> Option<Arc<Remembered>> {
        if let Some(whole) = self.policies.get(class) {
            return Some(Arc::clone(whole));
        }
        let of_place = self.policies.get(&class.clone().at(place));
        of_place.map(Arc::clone)
    }

    fn keep(&mut self, class: Class, remembered: &Arc<Remembered>) {
        self.bytes = self.bytes.saturating_add(weight(&remembered.policy));
        if let Some((_, old)) = self.policies.push(class, Arc::clone(remembered)) {
            self.bytes = self.bytes.saturating_sub(weight(&old.policy));
        }
        while self.bytes > MAX_BYTES
            && let Some((_, old)) = self.policies.pop_lru()
        {
            self.bytes = self.bytes.saturating_sub(weight(&old.policy));
        }
    }
}

/// About how much of [`MAX_BYTES`] a policy takes.
fn weight(policy: &Policy) -> usize {
    let resources = policy.statements().iter().flat_map(|s| s.resources.iter());
    let bytes = resources.map(|glob| glob.len().saturating_mul(2));
    bytes.sum::<usize>().saturating_add(OVERHEAD)
}

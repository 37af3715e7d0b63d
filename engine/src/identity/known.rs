//! What follows from one credential by itself, found out once for all calls that show it again.
//!
//! It is kept with the credential that was verified and goes with it: whatever replaces the record of a key or the claims of a token
//! begins anew. Only what hangs on nothing but the credential may stand here. A credential that is shown once is not worth it, and
//! there is room for [`MOST`] in a process; what follows from others is found out for each call.

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::{decision::Context, layers::policy::CallerClass};

/// Of how many credentials it is kept what follows: about 2 KB each.
const MOST: usize = 2_000;

/// Of how many it is kept now.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Something that was verified, with what follows from it.
pub struct Known<T> {
    verified: T,
    alone: Alone,
}

impl<T> Known<T> {
    /// What follows from it for a caller who shows nothing else; `None` when it was not shown before.
    pub(super) fn alone(&self) -> Option<&Alone> {
        self.alone
            .again
            .load(Ordering::Relaxed)
            .then_some(&self.alone)
    }

    /// Notes that it was shown again.
    pub(crate) fn shown_again(&self) {
        let again = &self.alone.again;
        if again.load(Ordering::Relaxed) {
            return;
        }
        let room = |kept: usize| (kept < MOST).then(|| kept.saturating_add(1));
        let is_counted = KEPT
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok();
        // Another call may have noted it meanwhile, and counted it too.
        if is_counted && again.swap(true, Ordering::Relaxed) {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<T> From<T> for Known<T> {
    fn from(verified: T) -> Self {
        Self {
            verified,
            alone: Alone::default(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verified.fmt(f)
    }
}

impl<T> Deref for Known<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.verified
    }
}

/// What follows from a credential for a caller who shows no other.
#[derive(Default)]
pub(crate) struct Alone {
    again: AtomicBool,
    principal: OnceLock<Arc<str>>,
    class: OnceLock<Arc<CallerClass>>,
    /// The facts for the backend on routes with the context that stands beside them.
    context: Mutex<Option<(Context, Arc<Context>)>>,
}

impl Drop for Alone {
    fn drop(&mut self) {
        if *self.again.get_mut() {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Alone {
    /// The principal, which `make` writes.
    pub(super) fn principal(&self, make: impl FnOnce() -> Arc<str>) -> Arc<str> {
        Arc::clone(self.principal.get_or_init(make))
    }

    /// The class, which `make` finds out. A credential is known to one engine, so its classes are those of one configuration.
    pub(crate) fn class(&self, make: impl FnOnce() -> Arc<CallerClass>) -> Arc<CallerClass> {
        Arc::clone(self.class.get_or_init(make))
    }

    /// The facts for the backend on a route with the context `of_route`, which `make` gathers.
    pub(crate) fn context(
        &self,
        of_route: &Context,
        make: impl FnOnce() -> Context,
    ) -> Arc<Context> {
        let held = || self.context.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, context)) = &*held()
            && of == of_route
        {
            return Arc::clone(context);
        }
        let context = Arc::new(make());
        *held() = Some((of_route.clone(), Arc::clone(&context)));
        context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(value: &str) -> Context {
        Context::from([("area".into(), value.to_owned())])
    }

    #[test]
    fn keeps_nothing_of_what_is_shown_once() {
        let known = Known::from(1);
        assert!(known.alone().is_none());
        known.shown_again();
        assert!(known.alone().is_some());
        assert_eq!(*known, 1);
    }

    #[test]
    fn there_is_room_for_so_many_and_again_when_some_are_gone() {
        let all: Vec<Known<usize>> = (0..=MOST).map(Known::from).collect();
        for one in &all {
            one.shown_again();
            one.shown_again();
        }
        let kept = all.iter().filter(|one| one.alone().is_some()).count();
        assert!(kept > 0 && kept <= MOST, "{kept}");
        let last = Known::from(0);
        drop(all);
        last.shown_again();
        assert!(last.alone().is_some());
    }

    #[test]
    fn gives_facts_to_routes_with_the_same_context_only() {
        let known = Known::from(());
        known.shown_again();
        let alone = known.alone().unwrap();
        let first = alone.context(&context("a"), || context("1"));
        let again = alone.context(&context("a"), || context("2"));
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(*alone.context(&context("b"), || context("3")), context("3"));
        assert_eq!(*alone.context(&context("a"), || context("4")), context("4"));
    }
}

//! Show changes, and which of them.

use doorward_keys::{AuditAction, AuditEntry, AuditSpan, Timestamp};

use super::{
    ListChanges, ListChangesOfTenant,
    fields::{Check, MAX_WORD, shown},
    span::LAST_SECOND,
};

/// The longest name of somebody, in characters.
pub(super) const MAX_ACTOR: usize = 2 * MAX_WORD;

/// The words for what can be done.
#[cfg(feature = "schema")]
pub(super) fn actions() -> serde_json::Value {
    let words = AuditAction::ALL.map(AuditAction::as_str);
    words.into_iter().map(Some).chain([None]).collect()
}

/// Which changes are looked at, as asked; absent means all.
pub(crate) struct Filter<'a> {
    action: Option<&'a str>,
    actor: Option<&'a str>,
    from: Option<i64>,
    to: Option<i64>,
}

impl<'a> From<&'a ListChanges> for Filter<'a> {
    fn from(asked: &'a ListChanges) -> Self {
        Self {
            action: asked.action.as_deref(),
            actor: asked.actor.as_deref(),
            from: asked.from,
            to: asked.to,
        }
    }
}

impl<'a> From<&'a ListChangesOfTenant> for Filter<'a> {
    fn from(asked: &'a ListChangesOfTenant) -> Self {
        Self {
            action: asked.action.as_deref(),
            actor: asked.actor.as_deref(),
            from: asked.from,
            to: asked.to,
        }
    }
}

/// A filter, checked.
pub(crate) struct Wanted {
    pub(crate) span: AuditSpan,
    action: Option<AuditAction>,
    actor: Option<String>,
}

impl Wanted {
    pub(crate) fn takes(&self, entry: &AuditEntry) -> bool {
        self.action.is_none_or(|action| action == entry.action)
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| *actor == entry.actor)
    }
}

/// Which changes are looked at.
pub(crate) fn check_filter(asked: &Filter<'_>, check: &mut Check) -> Wanted {
    let action = asked.action.map(|word| {
        let action = AuditAction::parse(word);
        if action.is_none() {
            let known = AuditAction::ALL.map(AuditAction::as_str).join("`, `");
            let found = shown(word);
            check.add("action", format!("is `{found}`, expected one of `{known}`"));
        }
        action
    });
    if let Some(actor) = asked.actor
        && !(1..=MAX_ACTOR).contains(&actor.chars().count())
    {
        check.add("actor", format!("must be 1 to {MAX_ACTOR} characters"));
    }
    for (field, at) in [("from", asked.from), ("to", asked.to)] {
        if let Some(at) = at
            && !(0..=LAST_SECOND).contains(&at)
        {
            let message = format!("is {at}, expected seconds from 0 to {LAST_SECOND}");
            check.add(field, message);
        }
    }
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from >= to
    {
        check.add("to", "is not after `from`");
    }
    Wanted {
        span: AuditSpan {
            from: asked.from.map(Timestamp::from_unix),
            until: asked.to.map(Timestamp::from_unix),
        },
        action: action.flatten(),
        actor: asked.actor.map(ToOwned::to_owned),
    }
}

//! A key set (RFC 7517 section 5): the usable keys of one issuer, and how a token finds its key.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use super::{
    algorithm::Algorithm,
    json::{Object, Value},
    jwk::{Key, key_id},
    shown::{shown, shown_all},
};

/// The usable keys of one issuer. Keys of two issuers never meet (RFC 8725 section 3.8).
#[derive(Default)]
pub(super) struct KeySet {
    // INVARIANT: no two keys have the same id.
    keys: Vec<Arc<Key>>,
    unusable: Vec<Unusable>,
}

/// An entry that was skipped.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) id: Option<String>,
    pub(super) why: &'static str,
}

/// What a look for a key finds.
pub(super) enum Found<'s> {
    /// The one key that fits.
    Key(&'s Arc<Key>),
    /// No such key; a newer set may have it.
    Unknown(String),
    /// There is something of that name, and it must not be used.
    Unsuitable(String),
}

const AMBIGUOUS: &str = "several different keys are published under this name";

impl KeySet {
    /// Reads a key set for an issuer that uses `algorithms`. Entries that cannot be used are skipped; a document that is
    /// no key set or has more than `max_keys` entries is refused as a whole.
    pub(super) fn parse(
        document: &[u8],
        algorithms: &[Algorithm],
        max_keys: usize,
    ) -> Result<Self, String> {
        let document = Object::document(document)?;
        let entries = match document.get("keys") {
            Some(Value::List(entries)) => entries,
            Some(other) => return Err(format!("`keys` is {}, not a list", other.kind())),
            None => return Err("not a key set: it has no `keys`".to_owned()),
        };
        if entries.len() > max_keys {
            return Err(format!(
                "{} keys, at most {max_keys} are read; see `key_set.max_keys`",
                entries.len()
            ));
        }
        let mut read = Vec::new();
        let mut unusable = Vec::new();
        for entry in entries {
            let Value::Object(entry) = entry else {
                unusable.push(Unusable {
                    id: None,
                    why: "not an object",
                });
                continue;
            };
            match Key::parse(entry, algorithms) {
                Ok(key) => read.push(key),
                Err(why) => unusable.push(Unusable {
                    id: key_id(entry).ok().flatten(),
                    why,
                }),
            }
        }
        let keys = without_ambiguity(read, &mut unusable);
        Ok(Self { keys, unusable })
    }

    /// Takes the keys over from `previous` where they are the same, so that what was verified with them still counts.
    pub(super) fn keeping(mut self, previous: &Self) -> Self {
        for key in &mut self.keys {
            if let Some(same) = previous.keys.iter().find(|old| old.is_same(key)) {
                *key = Arc::clone(same);
            }
        }
        self
    }

    /// Finds the key for a token. A name decides alone; without a name exactly one key must fit the algorithm.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        match id {
            Some(id) => self.find_named(id, algorithm),
            None => self.find_only(algorithm),
        }
    }

    fn find_named(&self, id: &str, algorithm: Algorithm) -> Found<'_> {
        let named = self.keys.iter().find(|key| key.id.as_deref() == Some(id));
        if let Some(key) = named {
            return match key.verifier(algorithm) {
                Some(_) => Found::Key(key),
                None => Found::Unsuitable(format!(
                    "key {} must not be used with `{}`",
                    shown(id),
                    algorithm.name()
                )),
            };
        }
        let skipped = self
            .unusable
            .iter()
            .find(|entry| entry.id.as_deref() == Some(id));
        match skipped {
            Some(entry) => Found::Unsuitable(format!("key {}: {}", shown(id), entry.why)),
            None => Found::Unknown(format!(
                "key {} is not in the key set, which has {}",
                shown(id),
                self.summary()
            )),
        }
    }

    fn find_only(&self, algorithm: Algorithm) -> Found<'_> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.verifier(algorithm).is_some());
        match (fitting.next(), fitting.count()) {
            (Some(key), 0) => Found::Key(key),
            (None, _) => Found::Unknown(format!(
                "the token names no key, and none fits `{}`; the key set has {}",
                algorithm.name(),
                self.summary()
            )),
            (Some(_), others) => Found::Unsuitable(format!(
                "the token names no key, and {} fit `{}`",
                others + 1,
                algorithm.name()
            )),
        }
    }

    /// How many keys can be used.
    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The entries that were skipped.
    pub(super) fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    fn summary(&self) -> String {
        if self.keys.is_empty() {
            return "no usable key".to_owned();
        }
        shown_all(
            self.keys
                .iter()
                .map(|key| key.id.as_deref().unwrap_or("(unnamed)")),
        )
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({})", self.summary())
    }
}

/// One key per name. The same key twice is one key; two different ones under a name are none, whichever came first.
fn without_ambiguity(read: Vec<Key>, unusable: &mut Vec<Unusable>) -> Vec<Arc<Key>> {
    let mut kept: Vec<Key> = Vec::new();
    let mut ambiguous: Vec<String> = Vec::new();
    for key in read {
        match kept
            .iter_mut()
            .find(|other| other.id.is_some() && other.id == key.id)
        {
            Some(other) if other.material == key.material => other.absorb(key),
            Some(_) => ambiguous.extend(key.id),
            None => kept.push(key),
        }
    }
    kept.retain(|key| !key.id.as_ref().is_some_and(|id| ambiguous.contains(id)));
    unusable.extend(ambiguous.into_iter().map(|id| Unusable {
        id: Some(id),
        why: AMBIGUOUS,
    }));
    kept.into_iter().map(Arc::new).collect()
}

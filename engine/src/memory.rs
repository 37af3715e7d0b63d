//! Memories with a bound.

use std::{hash::Hash, num::NonZeroUsize};

use lru::LruCache;

/// A memory of at most `entries`, the least recently used of which make room. It grows as needed: most sandboxes see a few
/// callers only, and room for all of them would be part of every cold start.
pub(crate) fn bounded<K: Eq + Hash, V>(entries: NonZeroUsize) -> LruCache<K, V> {
    let mut memory = LruCache::unbounded();
    memory.resize(entries);
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_makes_room() {
        let mut memory = bounded(NonZeroUsize::new(2).unwrap());
        for number in 0..5 {
            memory.put(number, ());
            memory.get(&0);
        }
        let mut held: Vec<u8> = memory.iter().map(|(number, ())| *number).collect();
        held.sort_unstable();
        assert_eq!(held, [0, 4]);
    }
}

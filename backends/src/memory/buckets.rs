//! Buckets by name, bounded, behind short locks.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorward_engine::limits::{Bucket, Moment, State};

/// How many locks there are, at most: callers of different buckets seldom wait for each other.
const SHARDS: usize = 16;

/// A map from buckets to their states, of a bounded size. A bucket that would be whole again soonest is the first to be
/// forgotten.
pub(crate) struct Buckets {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

struct Shard {
    kept: HashMap<Bucket, Kept>,
    capacity: usize,
}

#[derive(Clone, Copy)]
struct Kept {
    state: State,
    /// From when on the bucket is as good as untouched.
    until: Moment,
}

impl Buckets {
    /// Room for at least `capacity` buckets, and at most for a few more.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let shards = capacity.clamp(1, SHARDS);
        let shard = || {
            Mutex::new(Shard {
                kept: HashMap::new(),
                capacity: capacity.div_ceil(shards).max(1),
            })
        };
        Self {
            shards: std::iter::repeat_with(shard).take(shards).collect(),
            hasher: RandomState::new(),
        }
    }

    /// The state of `bucket`, where it is remembered.
    pub(crate) fn state(&self, bucket: &Bucket) -> Option<State> {
        let shard = self.shard(bucket)?;
        shard.kept.get(bucket).map(|kept| kept.state)
    }

    /// Changes the state of `bucket` under its lock. `change` answers the new state, with the moment until which it means
    /// anything, or nothing to leave it as it is.
    pub(crate) fn change<T>(
        &self,
        bucket: &Bucket,
        now: Moment,
        change: impl FnOnce(Option<State>) -> (Option<(State, Moment)>, T),
    ) -> Option<T> {
        let mut shard = self.shard(bucket)?;
        let held = shard.kept.get(bucket).map(|kept| kept.state);
        let (changed, answer) = change(held);
        if let Some((state, until)) = changed {
            let kept = Kept { state, until };
            if let Some(place) = shard.kept.get_mut(bucket) {
                *place = kept;
            } else {
                shard.make_room(now);
                shard.kept.insert(bucket.clone(), kept);
            }
        }
        Some(answer)
    }

    /// How many buckets are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let locked = self.shards.iter().map(lock);
        locked.map(|shard| shard.kept.len()).sum()
    }

    /// The part that holds `bucket`. There is always one, which the type of an index cannot say.
    fn shard(&self, bucket: &Bucket) -> Option<MutexGuard<'_, Shard>> {
        let count = u64::try_from(self.shards.len()).ok()?;
        let place = self.hasher.hash_one(bucket).checked_rem(count)?;
        self.shards.get(usize::try_from(place).ok()?).map(lock)
    }
}

impl Shard {
    /// Makes room for one more. What is whole again goes first; when that is not enough, the quarter that would be whole
    /// soonest, so that the cost of looking is shared by many.
    fn make_room(&mut self, now: Moment) {
        if self.kept.len() < self.capacity {
            return;
        }
        self.kept.retain(|_, kept| kept.until > now);
        if self.kept.len() < self.capacity {
            return;
        }
        let mut ends: Vec<Moment> = self.kept.values().map(|kept| kept.until).collect();
        let quarter = ends.len() / 4;
        let (_, cut, _) = ends.select_nth_unstable(quarter);
        let cut = *cut;
        let mut left = quarter + 1;
        self.kept.retain(|_, kept| {
            let goes = left > 0 && kept.until <= cut;
            left -= usize::from(goes);
            !goes
        });
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // INVARIANT: a state is computed before it is put in, and put in by one assignment, so a panic under the lock leaves no
    // half of a change behind.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(number: u64) -> Bucket {
        Bucket::of("a", [("key", number.to_string().as_str())])
    }

    fn put(buckets: &Buckets, number: u64, now: u64, until: u64) {
        let state = State {
            mark: number,
            ..State::default()
        };
        let until = Moment::from_micros(until);
        let now = Moment::from_micros(now);
        buckets.change(&bucket(number), now, |_| (Some((state, until)), ()));
    }

    #[test]
    fn more_buckets_than_there_is_room_for_are_not_kept() {
        for capacity in [0, 1, 7, 1000] {
            let buckets = Buckets::with_capacity(capacity);
            for number in 0..5000 {
                put(&buckets, number, 0, 10);
                assert_eq!(buckets.state(&bucket(number)).unwrap().mark, number);
            }
            assert!(buckets.len() <= capacity + SHARDS, "{}", buckets.len());
            assert!(buckets.len() >= capacity / 2, "{}", buckets.len());
        }
    }

    #[test]
    fn what_is_whole_again_is_forgotten_first_and_then_what_is_soonest() {
        let buckets = Buckets::with_capacity(1);
        put(&buckets, 1, 0, 10);
        put(&buckets, 2, 20, 30);
        assert_eq!(buckets.state(&bucket(1)), None);
        assert!(buckets.state(&bucket(2)).is_some());

        let shard = &mut Shard {
            kept: HashMap::new(),
            capacity: 8,
        };
        for number in 0..8 {
            let state = State::default();
            let until = Moment::from_micros(100 + number);
            shard.kept.insert(bucket(number), Kept { state, until });
        }
        shard.make_room(Moment::from_micros(101));
        let mut left: Vec<u64> = shard.kept.values().map(|k| k.until.micros()).collect();
        left.sort_unstable();
        assert_eq!(left, [102, 103, 104, 105, 106, 107]);
        shard.capacity = 6;
        shard.make_room(Moment::from_micros(101));
        assert_eq!(shard.kept.len(), 4);
        assert!(shard.kept.values().all(|kept| kept.until.micros() >= 104));
    }
}

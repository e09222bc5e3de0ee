//! Visits, counted where a redirect costs nothing and written to the store now and then.
//!
//! The name of a bookmark that was followed enters; every few seconds, and when the program ends, what
//! has come together leaves for the store in one step. A redirect takes the lock of a small map and
//! waits for nothing else. What the store could not take is kept and offered again, so that a Redis
//! that is away for an hour loses no visit; only names that exist are counted, and so the map cannot
//! grow beyond them. What a process that is killed has not written yet is lost.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::{Store, StoreError, Visits};

/// Between two writes to the store.
const PAUSE: Duration = Duration::from_secs(5);

/// Maps, so that threads seldom wait for each other.
const SHARDS: usize = 16;

/// How many visits, and the second of the last.
type Count = (u64, u64);

/// Counts visits. Shared by reference among the connections' threads.
pub(crate) struct Counter {
    store: Arc<dyn Store>,
    shards: [Mutex<HashMap<String, Count>>; SHARDS],
    choice: RandomState,
    ending: Mutex<bool>,
    ended: Condvar,
}

impl Counter {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            shards: Default::default(),
            choice: RandomState::new(),
            ending: Mutex::new(false),
            ended: Condvar::new(),
        }
    }

    /// Counts a visit.
    pub(crate) fn note(&self, name: &str, second: u64) {
        self.add(name, (1, second));
    }

    /// What is counted of a name and not in the store yet.
    pub(crate) fn pending(&self, name: &str) -> Option<Count> {
        self.shard(name).get(name).copied()
    }

    /// How many visits are not in the store yet.
    pub(crate) fn waiting(&self) -> u64 {
        let sum = |shard| locked(shard).values().map(|(count, _)| count).sum::<u64>();
        self.shards.iter().map(sum).sum()
    }

    /// Drops what is counted of a name that was deleted: another bookmark may get it.
    pub(crate) fn forget(&self, name: &str) {
        self.shard(name).remove(name);
    }

    /// Writes what has come together.
    pub(crate) fn write(&self) -> Result<(), StoreError> {
        let mut visits = Vec::new();
        for shard in &self.shards {
            let counted = std::mem::take(&mut *locked(shard));
            let visit = |(name, (count, last))| Visits { name, count, last };
            visits.extend(counted.into_iter().map(visit));
        }
        if visits.is_empty() {
            return Ok(());
        }
        let written = self.store.visit(&visits);
        if written.is_err() {
            for Visits { name, count, last } in &visits {
                self.add(name, (*count, *last));
            }
        }
        written
    }

    /// Writes every few seconds, until the end. `failed` is told why it did not go.
    pub(crate) fn run(&self, failed: impl Fn(&StoreError)) {
        loop {
            let ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
            let wait = self.ended.wait_timeout_while(ending, PAUSE, |ending| !*ending);
            let is_end = *wait.unwrap_or_else(PoisonError::into_inner).0;
            if let Err(error) = self.write() {
                failed(&error);
            }
            if is_end {
                return;
            }
        }
    }

    /// Lets [`run`](Self::run) write for the last time and return.
    pub(crate) fn end(&self) {
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    fn add(&self, name: &str, (count, last): Count) {
        let mut shard = self.shard(name);
        match shard.get_mut(name) {
            Some(there) => *there = (there.0.saturating_add(count), there.1.max(last)),
            None => drop(shard.insert(name.to_owned(), (count, last))),
        }
    }

    fn shard(&self, name: &str) -> MutexGuard<'_, HashMap<String, Count>> {
        let hash = self.choice.hash_one(name);
        locked(&self.shards[usize::from(hash.to_le_bytes()[0]) % SHARDS])
    }
}

fn locked(shard: &Mutex<HashMap<String, Count>>) -> MutexGuard<'_, HashMap<String, Count>> {
    // Nothing that can panic runs while it is locked.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Name, Uri};
    use crate::store::memory::Memory;
    use crate::store::{Change, Kept, When};
    use std::thread;

    fn store(names: &[&str]) -> Arc<dyn Store> {
        let store = Memory::new();
        for name in names {
            let to = Some(Kept::new(&Uri::parse("http://example.org/").unwrap(), 1));
            let change = Change { name: Name::parse(name).unwrap(), to, when: When::Any };
            store.change(&[change]).unwrap();
        }
        Arc::new(store)
    }

    #[test]
    fn visits_of_all_threads_are_counted_and_written_once() {
        let store = store(&["a", "b"]);
        let counter = Counter::new(Arc::clone(&store));
        thread::scope(|scope| {
            let end = scope.spawn(|| counter.run(|error| panic!("{error}")));
            let threads = [1, 2, 3, 4].map(|thread| {
                let counter = &counter;
                scope.spawn(move || (0..500).for_each(|_| counter.note("a", thread)))
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            counter.note("b", 9);
            counter.end();
            end.join().unwrap();
        });
        assert_eq!(counter.waiting(), 0);
        let [a, b] = ["a", "b"].map(|name| store.get(name).unwrap().unwrap());
        assert_eq!([(a.visits, a.last), (b.visits, b.last)], [(2_000, Some(4)), (1, Some(9))]);
        counter.write().unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().visits, 2_000);
    }

    #[test]
    fn what_waits_can_be_asked_for_and_forgotten() {
        let counter = Counter::new(store(&["a"]));
        counter.note("a", 3);
        counter.note("a", 2);
        assert_eq!((counter.pending("a"), counter.pending("b")), (Some((2, 3)), None));
        counter.forget("a");
        assert_eq!((counter.pending("a"), counter.waiting()), (None, 0));
    }
}

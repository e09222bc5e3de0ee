//! Where sessions are kept: what a store has to promise, and the one in memory.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a session is kept under: SHA-256 of its ID. Whoever reads the store cannot make an ID of it,
/// and how long a look-up takes tells nothing about one.
pub type Key = [u8; 32];

/// A place for sessions, shared by all threads, and by all instances of a program where there are
/// several.
///
/// A record is bytes of the caller's, below 5 KiB. The methods are single steps that nothing comes
/// between; with them a change is never lost and nothing that was removed comes back. In Redis they
/// are `GET`, `SET` under a comparison (`NX`, or a script) with `PX`, and `GETDEL`.
///
/// ```
/// use std::time::Duration;
/// use longhand_kit::session::{Memory, Store};
///
/// let (store, key, hour) = (Memory::new(100), [7; 32], Duration::from_secs(3600));
/// assert!(store.put(&key, None, b"one", hour)?);
/// assert!(!store.put(&key, None, b"two", hour)?, "there is one");
/// assert!(!store.put(&key, Some(b"two"), b"three", hour)?, "there is another");
/// assert!(store.put(&key, Some(b"one"), b"two", hour)?);
/// assert_eq!(store.get(&key)?, Some(b"two".to_vec()));
/// assert_eq!(store.remove(&key)?, Some(b"two".to_vec()));
/// assert!(!store.put(&key, Some(b"two"), b"three", hour)?, "it is over");
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Store {
    /// The record under a key.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>>;

    /// Puts `record` under a key, if what is there is exactly `seen` (`None`: nothing), and says whether
    /// it did. After `keep` the store may forget the record.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn put(
        &self,
        key: &Key,
        seen: Option<&[u8]>,
        record: &[u8],
        keep: Duration,
    ) -> io::Result<bool>;

    /// Removes the record under a key, whatever it is, and gives it back.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>>;
}

/// Sessions in memory, up to a number: the one that was unused longest makes room for a new one. They
/// end with the program, and other instances do not know them.
///
/// It has no clock. Records whose time is over go when they are found or when room is needed.
///
/// ```
/// use longhand_kit::session::{Memory, Store};
/// use std::time::Duration;
///
/// let store = Memory::new(2);
/// for key in [[1; 32], [2; 32], [3; 32]] {
///     assert!(store.put(&key, None, b"a record", Duration::from_secs(60))?);
/// }
/// assert_eq!((store.count(), store.get(&[1; 32])?), (2, None));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Memory {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Each with the number of its last use.
    records: HashMap<Key, (u64, Vec<u8>)>,
    /// By the number of their last use: the first was unused longest. To find it never takes a walk
    /// over all, however many there are.
    order: BTreeMap<u64, Key>,
    uses: u64,
}

impl Memory {
    /// Room for `most` sessions. Each takes some 400 bytes beside what it holds.
    ///
    /// # Panics
    /// If `most` is 0.
    #[must_use]
    pub fn new(most: usize) -> Self {
        assert!(most > 0, "session::Memory: expected room for one session at least");
        Self { most, held: Mutex::default() }
    }

    /// How many records there are, including those whose time is over.
    #[must_use]
    pub fn count(&self) -> usize {
        self.held().records.len()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing panics in between the steps of a change.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Gives a record the next number.
    fn touch(&mut self, key: &Key) -> Option<&mut Vec<u8>> {
        let (used, record) = self.records.get_mut(key)?;
        self.order.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.order.insert(*used, *key);
        Some(record)
    }

    fn insert(&mut self, key: &Key, record: &[u8], most: usize) {
        while self.records.len() >= most {
            let Some((_, unused)) = self.order.pop_first() else { break };
            self.records.remove(&unused);
        }
        self.uses += 1;
        self.order.insert(self.uses, *key);
        self.records.insert(*key, (self.uses, record.to_vec()));
    }
}

impl Store for Memory {
    fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        Ok(self.held().touch(key).cloned())
    }

    fn put(&self, key: &Key, seen: Option<&[u8]>, record: &[u8], _: Duration) -> io::Result<bool> {
        let mut held = self.held();
        if held.records.get(key).map(|(_, there)| &there[..]) != seen {
            return Ok(false);
        }
        match held.touch(key) {
            Some(there) => *there = record.to_vec(),
            None => held.insert(key, record, self.most),
        }
        Ok(true)
    }

    fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        let mut held = self.held();
        let removed = held.records.remove(key);
        Ok(removed.map(|(used, record)| {
            held.order.remove(&used);
            record
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(1);

    fn key(number: usize) -> Key {
        crate::mac::sha256(&number.to_be_bytes())
    }

    fn put(memory: &Memory, number: usize) {
        assert!(memory.put(&key(number), None, b"record", KEEP).unwrap());
    }

    fn is_there(memory: &Memory, number: usize) -> bool {
        memory.held().records.contains_key(&key(number))
    }

    #[test]
    fn the_one_unused_longest_makes_room() {
        let memory = Memory::new(3);
        for number in 0..3 {
            put(&memory, number);
        }
        // Reading and writing are uses; a failed write is none.
        memory.get(&key(0)).unwrap();
        assert!(memory.put(&key(1), Some(b"record"), b"other", KEEP).unwrap());
        assert!(!memory.put(&key(2), None, b"other", KEEP).unwrap());
        put(&memory, 3);
        assert_eq!([0, 1, 2, 3].map(|number| is_there(&memory, number)), [true, true, false, true]);
        put(&memory, 4);
        assert_eq!([0, 1, 3, 4].map(|number| is_there(&memory, number)), [false, true, true, true]);
        memory.remove(&key(3)).unwrap();
        put(&memory, 5);
        assert_eq!([1, 4, 5].map(|number| is_there(&memory, number)), [true; 3]);
    }

    #[test]
    fn a_million_sessions_stay_under_the_cap() {
        let (all, most) =
            if cfg!(debug_assertions) { (30_000, 1_000) } else { (1_000_000, 65_536) };
        let memory = Memory::new(most);
        for number in 0..all {
            put(&memory, number);
            assert!(memory.count() <= most);
        }
        let held = memory.held();
        assert_eq!((held.records.len(), held.order.len()), (most, most));
        drop(held);
        assert!(is_there(&memory, all - most) && !is_there(&memory, all - most - 1));
    }

    #[test]
    fn nothing_is_left_of_what_is_removed() {
        let memory = Memory::new(10);
        put(&memory, 1);
        assert_eq!(memory.remove(&key(1)).unwrap().as_deref(), Some(&b"record"[..]));
        assert_eq!(memory.remove(&key(1)).unwrap(), None);
        assert_eq!(memory.get(&key(1)).unwrap(), None);
        let held = memory.held();
        assert!(held.records.is_empty() && held.order.is_empty());
    }
}

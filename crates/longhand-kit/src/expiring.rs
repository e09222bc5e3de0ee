//! A map whose entries run out and whose size is bounded: what is known of clients for a while.
//!
//! Keys and times enter; what has not run out is found again. Clients choose the keys, and can come with
//! as many as they like. So at the bound an entry makes room, and always the one that runs out first:
//! what has run out already goes before all else, and whoever has the longest to wait is the last to be
//! forgotten. Trees and not a hash table: when that grows, one insertion waits for all entries to be
//! moved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

pub(crate) struct Expiring<K, V> {
    entries: BTreeMap<K, (Instant, V)>,
    /// The same keys in the order in which they run out.
    order: BTreeSet<(Instant, K)>,
    most: usize,
}

impl<K: Ord + Copy, V> Expiring<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeSet::new(), most: most.max(1) }
    }

    /// The entry, and when it runs out, unless it has.
    pub(crate) fn get(&self, key: &K, now: Instant) -> Option<(Instant, &V)> {
        let (until, value) = self.entries.get(key)?;
        (*until > now).then_some((*until, value))
    }

    /// Puts an entry in, in place of the one with the same key.
    pub(crate) fn put(&mut self, key: K, value: V, until: Instant, now: Instant) {
        self.remove(&key);
        // Up to two go for one that comes: so what has run out does not pile up, and no request waits
        // for all of it to be removed at once.
        for _ in 0..2 {
            let full = self.order.len() >= self.most;
            let Some(&(first, key)) = self.order.first() else { break };
            if full || first <= now {
                self.remove(&key);
            }
        }
        self.order.insert((until, key));
        self.entries.insert(key, (until, value));
    }

    pub(crate) fn remove(&mut self, key: &K) {
        if let Some((until, _)) = self.entries.remove(key) {
            self.order.remove(&(until, *key));
        }
    }
}

#[cfg(test)]
impl<K, V> Expiring<K, V> {
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_to_run_out_makes_room() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut map = Expiring::new(3);
        for (key, until) in [('a', 30), ('b', 10), ('c', 20)] {
            map.put(key, (), at(until), start);
        }
        map.put('d', (), at(5), start);
        let kept = |map: &Expiring<char, ()>, now| -> String {
            ('a'..='f').filter(|key| map.get(key, at(now)).is_some()).collect()
        };
        assert_eq!(kept(&map, 0), "acd", "b was the first to run out, not the first to come");
        assert_eq!(kept(&map, 5), "ac", "an entry has run out once its time is there");
        map.put('a', (), at(40), at(25));
        map.put('e', (), at(50), at(25));
        assert_eq!((kept(&map, 25).as_str(), map.len()), ("ae", 2), "c and d had run out");
        map.put('e', (), at(26), at(25));
        assert_eq!((kept(&map, 26).as_str(), map.len()), ("a", 2), "a newer time counts");
        map.remove(&'a');
        map.remove(&'a');
        assert_eq!(map.len(), 1);
    }
}

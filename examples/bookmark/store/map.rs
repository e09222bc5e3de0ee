//! Bookmarks by their names, in memory: what all stores have in common.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Change, Kept, Outcome, Visits, When};

/// Bookmarks in the order of the names' bytes.
#[derive(Debug, Default)]
pub(super) struct Map(BTreeMap<String, Kept>);

impl Map {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn get(&self, name: &str) -> Option<&Kept> {
        self.0.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.0.iter().map(|(name, kept)| (&**name, kept))
    }

    /// The first of some names that is there.
    pub(super) fn first(&self, names: &[&str]) -> Option<(usize, Kept)> {
        names.iter().enumerate().find_map(|(at, name)| Some((at, self.get(name)?.clone())))
    }

    /// At most `most` bookmarks after a name.
    pub(super) fn after(&self, name: Option<&str>, most: usize) -> Vec<(String, Kept)> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.0.range::<str, _>((from, Bound::Unbounded)).take(most);
        rest.map(|(name, kept)| (name.clone(), kept.clone())).collect()
    }

    /// What a change would come to, without making it.
    pub(super) fn judge(&self, change: &Change) -> Outcome {
        let there = self.get(change.name.as_str());
        let holds = match &change.when {
            When::Any => true,
            When::Free => there.is_none(),
            When::Leads(uri) => there.is_some_and(|kept| kept.uri == *uri),
        };
        if holds { Outcome::Done } else { Outcome::Refused(there.cloned()) }
    }

    /// Makes a change whose condition holds.
    pub(super) fn make(&mut self, name: &str, to: Option<&Kept>) {
        match (to, self.0.get_mut(name)) {
            (None, _) => drop(self.0.remove(name)),
            (Some(to), Some(there)) => there.uri.clone_from(&to.uri),
            (Some(to), None) => drop(self.0.insert(name.to_owned(), to.clone())),
        }
    }

    pub(super) fn visit(&mut self, visits: &Visits) {
        if let Some(kept) = self.0.get_mut(&visits.name) {
            kept.visits = kept.visits.saturating_add(visits.count);
            kept.last = kept.last.max(Some(visits.last));
        }
    }
}

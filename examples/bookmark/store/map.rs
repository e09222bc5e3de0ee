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

    /// Shows at most `most` bookmarks after a name, and gives the last of them if there may be more.
    pub(super) fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Option<String> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut shown = 0;
        let mut last = None;
        for (name, kept) in self.0.range::<str, _>((from, Bound::Unbounded)).take(most) {
            see(name, kept);
            shown += 1;
            last = Some(name);
        }
        last.filter(|_| shown == most).cloned()
    }

    /// Puts, in the place of what is there, or deletes.
    pub(super) fn set(&mut self, name: String, kept: Option<Kept>) {
        match kept {
            Some(kept) => drop(self.0.insert(name, kept)),
            None => drop(self.0.remove(&name)),
        }
    }

    pub(super) fn visit(&mut self, visits: &Visits) {
        if let Some(kept) = self.0.get_mut(&visits.name) {
            kept.visits = kept.visits.saturating_add(visits.count);
            kept.last = kept.last.max(Some(visits.last));
        }
    }
}

impl Change {
    /// What is kept after the change, if its condition holds for what is `there`.
    pub(super) fn after(&self, there: Option<&Kept>) -> Result<Option<Kept>, Outcome> {
        let holds = match &self.when {
            When::Any => true,
            When::Free => there.is_none(),
            When::Leads(uri) => there.is_some_and(|kept| kept.uri == *uri),
        };
        if !holds {
            return Err(Outcome::Refused(there.cloned()));
        }
        Ok(self.to.as_ref().map(|to| match there {
            Some(there) => Kept { uri: to.uri.clone(), ..there.clone() },
            None => to.clone(),
        }))
    }
}

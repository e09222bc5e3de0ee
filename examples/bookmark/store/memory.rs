//! Bookmarks that end with the process.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use longhand_kit::session;

use super::map::Map;
use super::{Change, Kept, Outcome, Store, StoreError, Visits};

/// Sessions at once: the one unused longest makes room.
const SESSIONS: usize = 10_000;

/// Bookmarks and sessions in memory.
pub(crate) struct Memory {
    map: RwLock<Map>,
    sessions: session::Memory,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { map: RwLock::default(), sessions: session::Memory::new(SESSIONS) }
    }

    fn map(&self) -> RwLockReadGuard<'_, Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn map_mut(&self) -> RwLockWriteGuard<'_, Map> {
        // Nothing that can panic runs while it is locked for a change.
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError> {
        Ok(self.map().first(names))
    }

    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Result<Option<String>, StoreError> {
        Ok(self.map().walk(after, most, see))
    }

    fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let mut map = self.map_mut();
        let outcomes = changes.iter().map(|change| {
            let name = change.name.as_str();
            match change.after(map.get(name)) {
                Ok(kept) => {
                    map.set(name.to_owned(), kept);
                    Outcome::Done
                }
                Err(refused) => refused,
            }
        });
        Ok(outcomes.collect())
    }

    fn visit(&self, visits: &[Visits]) -> Result<(), StoreError> {
        let mut map = self.map_mut();
        visits.iter().for_each(|visits| map.visit(visits));
        Ok(())
    }

    fn sessions(&self) -> &dyn session::Store {
        &self.sessions
    }
}

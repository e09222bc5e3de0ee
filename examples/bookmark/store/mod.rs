//! Where bookmarks are kept: what a store promises, whatever it is made of.
//!
//! Names and URIs that `rules.rs` accepted enter; what was saved last under a name leaves. There are
//! three: in memory, in a log file that several processes of one machine may share, and in a Redis for
//! several machines. Each keeps the sessions of those who signed in as well, so that processes which
//! share bookmarks share these.

use std::fmt;
use std::io;
use std::path::Path;

use longhand_kit::session;

use crate::rules::{Name, Uri};

mod map;
pub(crate) mod memory;
mod line;
mod watch;
mod log;
pub(crate) mod file;
mod resp;
pub(crate) mod place;
#[cfg(test)]
mod peer;
mod connection;
mod connections;
mod layout;
mod mirror;
pub(crate) mod redis;

/// Bookmarks that a scan looks at before it lets others in.
const STEP: usize = 1_000;

/// What is kept of one bookmark. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Where it leads: a text that `Uri::parse` has accepted.
    pub(crate) uri: String,
    pub(crate) created: u64,
    pub(crate) visits: u64,
    /// When it was visited last, if it ever was.
    pub(crate) last: Option<u64>,
}

impl Kept {
    /// A bookmark that begins now.
    pub(crate) fn new(uri: &Uri, now: u64) -> Self {
        Self { uri: uri.as_str().to_owned(), created: now, visits: 0, last: None }
    }
}

/// A change of one bookmark.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) name: Name,
    /// `None` deletes. Where there is one already, this replaces its URI alone: the rest stays. Else
    /// it is kept as it is given.
    pub(crate) to: Option<Kept>,
    pub(crate) when: When,
}

/// What must be there for a change to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Whatever is there, or nothing.
    Any,
    /// Nothing.
    Free,
    /// A bookmark that leads to this URI.
    Leads(String),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// Its condition does not hold. What is there instead.
    Refused(Option<Kept>),
}

/// Visits of one bookmark that are not in the store yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visits {
    pub(crate) name: String,
    pub(crate) count: u64,
    /// The second of the last one.
    pub(crate) last: u64,
}

/// All bookmarks. Shared by reference among the connections' threads.
pub(crate) trait Store: Send + Sync {
    /// The first of these names that is there: its place among them, and what is kept.
    ///
    /// # Errors
    /// The store cannot be read.
    fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError>;

    /// Shows at most `most` bookmarks in the order of the names' bytes, beginning `after` a name. Gives
    /// the last of them, if there may be more. Others may wait for `see`, which must be quick and must
    /// not ask the store.
    ///
    /// # Errors
    /// The store cannot be read.
    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Result<Option<String>, StoreError>;

    /// Makes changes in their order, each if its condition holds. They are durable when this returns.
    ///
    /// # Errors
    /// The store cannot be written. Each change has happened then or has not; none is half there.
    fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError>;

    /// Adds visits. Those of names that are gone are dropped.
    ///
    /// # Errors
    /// The store cannot be written.
    fn visit(&self, visits: &[Visits]) -> Result<(), StoreError>;

    /// The sessions of those who signed in.
    fn sessions(&self) -> &dyn session::Store;

    /// Shows every bookmark. Nobody who reads or saves meanwhile waits for all of it, so what they change
    /// may or may not be seen.
    ///
    /// # Errors
    /// The store cannot be read.
    fn scan(&self, see: &mut dyn FnMut(&str, &Kept)) -> Result<(), StoreError> {
        let mut last = self.walk(None, STEP, see)?;
        while let Some(name) = last {
            last = self.walk(Some(&name), STEP, see)?;
        }
        Ok(())
    }

    /// What is kept under one name.
    ///
    /// # Errors
    /// The store cannot be read.
    fn get(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        Ok(self.first(&[name])?.map(|(_, kept)| kept))
    }
}

/// Why a store could not be read or written.
#[derive(Clone, Debug)]
pub(crate) enum StoreError {
    /// It is not there at the moment: to be tried again in a while.
    Away(String),
    /// It is there, and cannot be used: for its owner to mend.
    Failed(String),
}

impl StoreError {
    /// What could not be done with a file.
    fn at(path: &Path, doing: &'static str, error: io::Error) -> Self {
        let text = format!("{}: cannot {doing}: {error}", path.display());
        if setup::is_out_of_descriptors(&error) { Self::Away(text) } else { Self::Failed(text) }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StoreError {}

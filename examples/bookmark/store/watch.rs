//! A look at the log from outside: which file it is now, and how long.
//!
//! Nothing enters but the path. Every redirect looks, to see at once what another process has saved, and
//! a look is most of what the log costs it. So the file is held open, and one call asks it for its
//! length; its path is followed again only when something has happened to the file, and once a second. A
//! file that loses its name, as a log does when it is compacted, has one name fewer, and the time of its
//! last change moves; that a folder above it was moved it does not tell.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::StoreError;

/// How long the file is believed to be at the end of the path.
const BELIEVED: Duration = Duration::from_secs(1);

/// What tells a file from another that took its name.
pub(super) type Identity = (u64, u64);

/// Where the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) file: Identity,
    pub(super) length: u64,
}

/// Looks at one path. Shared by reference among those who read.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    held: RwLock<Option<Held>>,
}

/// The file that the path led to.
#[derive(Debug)]
struct Held {
    file: File,
    is: Identity,
    /// Its stamp, taken before the path was last seen to lead to it, and when that was.
    was: Stamp,
    followed: Instant,
}

impl Watch {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), held: RwLock::new(None) }
    }

    /// Where the log ends at this moment. Takes no lock of the file.
    pub(super) fn look(&self) -> Result<End, StoreError> {
        let mut found = None;
        if let Some(held) = &*self.held.read().unwrap_or_else(PoisonError::into_inner) {
            // One that cannot say so, as on a server of files that was started anew, is another.
            if let Ok(is) = held.file.metadata() {
                let same = stamp(&is).is_some_and(|stamp| stamp == held.was);
                if same && held.followed.elapsed() < BELIEVED {
                    return Ok(End { file: held.is, length: is.len() });
                }
                found = Some(is);
            }
        }
        self.follow(found)
    }

    /// Follows the path, and holds the file that it leads to. `found` is what the one that is held was
    /// like just before: had it lost the name since, it would not be found by it.
    fn follow(&self, found: Option<Metadata>) -> Result<End, StoreError> {
        let there = fs::metadata(&self.path);
        let there = there.map_err(|error| StoreError::at(&self.path, "find the log", error))?;
        let is_file = there.is_file();
        let end = End { file: identity(&there), length: there.len() };
        let known = found.filter(|found| identity(found) == end.file);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        match (&mut *held, known.as_ref().and_then(stamp)) {
            (Some(held), Some(was)) if held.is == end.file => {
                (held.was, held.followed) = (was, Instant::now());
            }
            // A pipe would be waited for. Out of descriptors it goes on by the path alone.
            (held, _) => *held = if is_file { Held::open(&self.path) } else { None },
        }
        Ok(end)
    }
}

impl Held {
    fn open(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let found = file.metadata().ok()?;
        let was = stamp(&found)?;
        // Between the two it may have lost its name again.
        let is = identity(&fs::metadata(path).ok()?);
        (is == identity(&found)).then_some(Self { file, is, was, followed: Instant::now() })
    }
}

/// What changes when a file gets or loses a name: how many it has, and the time of its last change. Of a
/// time alone one cannot tell two changes within a tick of the clock.
type Stamp = (u64, i64, i64);

#[cfg(unix)]
fn stamp(found: &Metadata) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    Some((found.nlink(), found.ctime(), found.ctime_nsec()))
}

/// std cannot see the like here: the path is followed each time.
#[cfg(not(unix))]
fn stamp(_: &Metadata) -> Option<Stamp> {
    None
}

#[cfg(unix)]
pub(super) fn identity(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// std cannot tell files apart here: one process per log.
#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> Identity {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;

    /// With a second name, as a backup by `cp -l` gives it, the file never is without one.
    #[test]
    fn a_log_that_grows_or_is_another_or_gone_is_seen_at_the_next_look() {
        let folder = std::env::temp_dir().join(format!("bookmark-watch-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [log, new, link] = ["log", "new", "link"].map(|name| folder.join(name));
        for backed_up in [false, true] {
            fs::write(&log, "one\n").unwrap();
            if backed_up {
                fs::hard_link(&log, &link).unwrap();
            }
            let watch = Watch::new(&log);
            let first = watch.look().unwrap();
            assert_eq!((first.length, watch.look().unwrap()), (4, first));

            let mut file = OpenOptions::new().append(true).open(&log).unwrap();
            for length in [8, 12, 16] {
                file.write_all(b"two\n").unwrap();
                assert_eq!(watch.look().unwrap(), End { length, ..first });
                assert_eq!(watch.look().unwrap(), End { length, ..first });
            }

            fs::write(&new, "a new one\n").unwrap();
            fs::rename(&new, &log).unwrap();
            let second = watch.look().unwrap();
            assert_eq!((second.length, watch.look().unwrap()), (10, second));
            assert!(cfg!(not(unix)) || second.file != first.file);

            fs::remove_file(&log).unwrap();
            let gone = watch.look().unwrap_err().to_string();
            assert!(gone.contains("log: cannot find the log"), "{gone}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}

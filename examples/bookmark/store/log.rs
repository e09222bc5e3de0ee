//! The log file of the store: one line for each change, readable with `less`, mended after a crash.
//!
//! Lines enter and, if they are to be durable, are on disk when [`Locked::append`] returns; the lines that
//! were added since a reader last looked leave. Whoever reads or writes holds the lock of the file, so that several
//! processes on one machine can share it.
//!
//! What a crash leaves half written can only be the end of the file, since whatever stands before a save is
//! synced with it; it was never acknowledged, and is cut off. Anything else that does not
//! fit is an error with the number of its line: a damaged log is for its owner to mend, not to be
//! skipped.
//!
//! Turned down: a lock file beside the log (one more file to lose, and the log could still be
//! replaced under it); `O_APPEND` (the end may have to be cut first, and Windows does not truncate
//! through it).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Once;

use super::StoreError;
use super::line::{Entry, HEADER, Lines, decode};
use super::watch::{End, Identity, identity};

/// How far somebody has read, and in which file: a compacted log is another file of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    file: Identity,
    pub(crate) length: u64,
    /// Lines up to here, also those that a later one replaced.
    pub(crate) lines: usize,
}

impl Position {
    /// Whether a reader who stopped here has read all of a log that ends there.
    pub(super) fn is(self, end: End) -> bool {
        self.file == end.file && self.length == end.length
    }
}

/// A log that is open but not locked: all one can do with it is lock it.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens a log, beginning one where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = open(path, OpenOptions::new().create(true).truncate(false))?;
        // Compaction renames a file over this path: over the log itself, not over a link to it.
        let path =
            fs::canonicalize(path).map_err(|error| StoreError::at(path, "find the log", error))?;
        let mut log = Self { path, file };
        log.lock()?.begin()?;
        Ok(log)
    }

    /// Where the log is, without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no other process reads or writes the log, and keeps it so until dropped.
    ///
    /// Another process may have replaced the file while this one waited: the lock that counts is
    /// that of the file which has the name now.
    pub(crate) fn lock(&mut self) -> Result<Locked<'_>, StoreError> {
        loop {
            self.file.lock().map_err(|error| StoreError::at(&self.path, "lock the log", error))?;
            let current = self.is_current();
            if matches!(current, Ok(true)) {
                return Ok(Locked { path: &self.path, file: &mut self.file });
            }
            // Others may still wait for it, before they too find that it is the old file.
            let _ = self.file.unlock();
            current.map_err(|error| StoreError::at(&self.path, "find the log", error))?;
            self.file = open(&self.path, &mut OpenOptions::new())?;
            sync_folder(&self.path)?;
        }
    }

    fn is_current(&self) -> io::Result<bool> {
        Ok(identity(&fs::metadata(&self.path)?) == identity(&self.file.metadata()?))
    }
}

/// The log while nobody else touches it.
#[derive(Debug)]
pub(crate) struct Locked<'l> {
    path: &'l Path,
    file: &'l mut File,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // A lock that cannot be given up ends with the file, at the latest with the process.
        let _ = self.file.unlock();
    }
}

/// What a reader had not seen.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) entries: Vec<Entry>,
    /// Where the reader stands now: at the end.
    pub(crate) position: Position,
    /// Whether these are all entries, because what the reader knew is not in this file.
    pub(crate) afresh: bool,
}

impl Locked<'_> {
    /// Gives a new file its first line.
    fn begin(&mut self) -> Result<(), StoreError> {
        let mut start = Vec::new();
        let read = self.file.take(HEADER.len() as u64).read_to_end(&mut start);
        read.map_err(|error| StoreError::at(self.path, "read the log", error))?;
        // A shorter beginning: its maker died before the first line was whole.
        if start.len() < HEADER.len() && HEADER.as_bytes().starts_with(&start) {
            self.append(0, HEADER, true)?;
        }
        // Also where the file was there: its maker may have died before this.
        sync_folder(self.path)
    }

    /// Reads what was added since `seen`, and cuts off what a crash left half written.
    pub(crate) fn read(&mut self, seen: Position) -> Result<News, StoreError> {
        let failed = |error| StoreError::at(self.path, "read the log", error);
        let found = self.file.metadata().map_err(failed)?;
        let file = identity(&found);
        let afresh = file != seen.file || found.len() < seen.length || seen.length == 0;
        let seen = if afresh { Position { file, length: 0, lines: 0 } } else { seen };

        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(seen.length)).map_err(failed)?;
        self.file.read_to_end(&mut bytes).map_err(failed)?;

        let mut lines = bytes.as_slice();
        if afresh {
            lines = bytes.strip_prefix(HEADER.as_bytes()).ok_or_else(|| {
                let (wanted, found) = (HEADER.trim_end(), first_line(&bytes));
                let cure = "name another file in STORE, or put that line first if it was lost";
                corrupt(self.path, 1, &format!("wanted `{wanted}`, found `{found}`"), cure)
            })?;
        }
        let Lines { entries, torn } = match decode(lines) {
            Ok(lines) => lines,
            // Somebody may have written another log over this one, as `cp` does.
            Err(_) if !afresh => return self.read(Position::default()),
            Err(bad) => {
                let line = 1 + seen.lines + bad.number;
                return Err(corrupt(self.path, line, &bad.why, "mend the line or delete it"));
            }
        };
        let length = seen.length + (bytes.len() - torn) as u64;
        if torn > 0 {
            self.file.set_len(length).map_err(failed)?;
            let path = self.path.display();
            let why = "half a line, as a crash or a full disk leaves one";
            setup::complain(&format!("{path}: {torn} bytes at its end were cut off: {why}"));
        }
        let position = Position { file, length, lines: seen.lines + entries.len() };
        Ok(News { entries, position, afresh })
    }

    /// Waits until all that is in the log is on disk.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(|error| StoreError::at(self.path, "write the log", error))
    }

    /// Writes whole lines at the end of the log, `length`. Those that are to be `durable` are on disk
    /// when this returns.
    pub(crate) fn append(
        &mut self,
        length: u64,
        lines: &str,
        durable: bool,
    ) -> Result<(), StoreError> {
        let written = self
            .file
            .seek(SeekFrom::Start(length))
            .and_then(|_| self.file.write_all(lines.as_bytes()))
            .and_then(|()| if durable { self.file.sync_data() } else { Ok(()) });
        written.map_err(|error| {
            // On a full disk a part of the line may be there. Should the cut fail as well, half a
            // line is cut by whoever locks the log next; only a whole line whose sync failed would
            // stay.
            let _ = self.file.set_len(length);
            StoreError::at(self.path, "write the log", error)
        })
    }

    /// Puts a file with only these lines in the place of the log: at every moment one of the two is
    /// there, whole. `None` if that file cannot be made, as on a full disk: the long log is as
    /// good.
    pub(crate) fn compact(&mut self, lines: &[String]) -> Result<Option<Position>, StoreError> {
        let text = HEADER.to_owned() + &lines.concat();
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let (file, file_is) = match self.replace(&new, &text) {
            Ok(replaced) => replaced,
            Err(error) => {
                let _ = fs::remove_file(&new);
                let path = self.path.display();
                // It is tried again and again, and said once.
                static SAID: Once = Once::new();
                SAID.call_once(|| {
                    setup::complain(&format!(
                        "{path} grows, because it cannot be made anew: {error}"
                    ));
                });
                return Ok(None);
            }
        };
        // Without this a power cut could bring the old file back, without the saves of the new one. And
        // before it is ours: where it fails, whoever locks the log next opens the new file and tries
        // again.
        sync_folder(self.path)?;
        *self.file = file;
        Ok(Some(Position { file: file_is, length: text.len() as u64, lines: lines.len() }))
    }

    fn replace(&self, new: &Path, text: &str) -> io::Result<(File, Identity)> {
        // What a crash left is made anew, so that nothing is written through a link of this name.
        let _ = fs::remove_file(new);
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(new)?;
        // Before it gets the name: from then on others wait for this lock instead of the old one.
        file.lock()?;
        let old = self.file.metadata()?;
        keep_owners(&file, &old);
        file.set_permissions(old.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let file_is = identity(&file.metadata()?);
        fs::rename(new, self.path)?;
        Ok((file, file_is))
    }
}

fn open(path: &Path, options: &mut OpenOptions) -> Result<File, StoreError> {
    // A new one is for its owner: whoever may read it may lock it too, and sessions are in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.read(true).write(true).open(path);
    let file = file.map_err(|error| StoreError::at(path, "open the log", error))?;
    // Of a pipe or a device there is no end to be read to.
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        let found = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
        return Err(StoreError::at(path, "open the log", found));
    }
    Ok(file)
}

/// Gives a file the owner and the group of another, as far as this user may: a group may make backups.
#[cfg(unix)]
fn keep_owners(file: &File, old: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (owner, group) = (Some(old.uid()), Some(old.gid()));
    let _ = fchown(file, owner, group).or_else(|_| fchown(file, None, group));
}

#[cfg(not(unix))]
fn keep_owners(_: &File, _: &fs::Metadata) {}

/// Makes a new or changed name survive a power cut: a file's own sync does not.
#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let synced = path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all());
    synced.map_err(|error| StoreError::at(path, "sync the folder of the log", error))
}

/// std cannot open a folder here; the file system keeps names in order by itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// A line of the log is not one that was written by this program.
fn corrupt(path: &Path, line: usize, why: &str, cure: &str) -> StoreError {
    let path = path.display();
    StoreError::Failed(format!("{path}, line {line}: {why}; nothing was changed: {cure}"))
}

/// The first line of a file that may be anything, for a message.
fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(80)]).escape_debug().to_string()
}

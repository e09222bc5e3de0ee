//! The bookmarks: a map in memory and, unless it is only that, a log file that outlives the
//! process.
//!
//! Names and URIs that `rules.rs` accepted enter; what was saved last under a name leaves. A save
//! is acknowledged ([`Store::put`] returns `Ok`) only once it is on disk. Several processes on one
//! machine may open the same log: each notices a save of another on its next call, by one look at
//! the length and identity of the file.
//!
//! Two locks, so that nobody waits for a disk who need not: the map's is held for a look-up or an
//! insertion and never during input or output; the log's is held, with the lock of the file itself,
//! during a save. Reading while this process saves is answered from the map, which is complete
//! then: it was brought up to date under the file's lock, and nobody else can have saved since.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use longhand_kit::session;

use super::line::encode;
use super::log::{Locked, Log, News, Position};
use super::map;
use super::{Change, Kept, Outcome, Store, StoreError, Visits};
use crate::rules::{Name, Uri};

/// Replaced lines that a log may have beside as many as there are bookmarks: few are not worth a new
/// file.
const SPARE: usize = 1_000;

/// All bookmarks. Shared by reference among the connections' threads.
pub(crate) struct File {
    map: Mutex<Map>,
    disk: Disk,
    sessions: session::Memory,
}

#[derive(Debug, Default)]
struct Map {
    bookmarks: map::Map,
    /// The part of the log that `bookmarks` holds.
    seen: Position,
    /// The log is growing by our own hand, and `bookmarks` holds all of it but that.
    saving: bool,
}

#[derive(Debug)]
struct Disk {
    path: PathBuf,
    log: Mutex<Log>,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("disk", &self.disk).finish_non_exhaustive()
    }
}

impl File {
    /// Reads a log, beginning it where there is none and compacting it where saves were replaced.
    ///
    /// # Errors
    /// The file cannot be opened, locked or read; or it is damaged or not a log at all: then the
    /// error names the line, and the file is left as it is.
    pub(crate) fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut log = Log::open(path.as_ref())?;
        let mut map = Map::default();
        let mut locked = log.lock()?;
        map.learn(locked.read(map.seen)?);
        if map.seen.saves > map.bookmarks.len()
            && let Some(seen) = locked.compact(&map.lines())?
        {
            map.seen = seen;
        }
        drop(locked);
        let disk = Disk { path: log.path().to_owned(), log: Mutex::new(log) };
        Ok(Self { map: Mutex::new(map), disk, sessions: session::Memory::new(10_000) })
    }

    /// Saves a bookmark, in the place of one with the same name. It is on disk when this returns
    /// `Ok`. One that is there already is not written again, and the log is compacted once most of its
    /// lines are replaced: it grows with the bookmarks, and not with the saves.
    ///
    /// # Errors
    /// The log cannot be written, for example on a full disk. The bookmark is not saved then, and
    /// the store stays usable.
    fn put(&self, name: &Name, uri: &Uri) -> Result<(), StoreError> {
        let mut log = self.disk.log();
        let mut locked = log.lock()?;
        self.catch_up(&mut locked)?;
        let line = encode(name.as_str(), uri.as_str());
        let length = {
            let mut map = self.map();
            if map.bookmarks.get(name.as_str()).is_some_and(|known| known.uri == uri.as_str()) {
                drop(map);
                // Another process may have died between writing that line and syncing it.
                return locked.sync();
            }
            map.saving = true;
            map.seen.length
        };
        let appended = locked.append(length, &line);
        // Before the lock of the file is given up: until then no other process can add a line.
        let mut map = self.map();
        map.saving = false;
        appended?;
        map.seen.length += line.len() as u64;
        map.seen.saves += 1;
        map.insert(name, uri);
        drop(map);
        self.shorten(&mut locked);
        Ok(())
    }

    /// Compacts the log where most of its lines are replaced. So it costs a line or two for each save,
    /// though it writes all at once.
    fn shorten(&self, locked: &mut Locked<'_>) {
        let lines = {
            let mut map = self.map();
            if map.seen.saves <= 2 * map.bookmarks.len() + SPARE {
                return;
            }
            map.saving = true;
            map.lines()
        };
        let compacted = locked.compact(&lines);
        let mut map = self.map();
        map.saving = false;
        // What was saved is on disk either way. After an error the next call finds a file that it does
        // not know, and reads it.
        if let Ok(Some(seen)) = compacted {
            map.seen = seen;
        }
    }

    /// The map, holding everything that was acknowledged before this call.
    fn current(&self) -> Result<MutexGuard<'_, Map>, StoreError> {
        let seen = self.map().seen;
        if !seen.is_end_of(&self.disk.path)? && !self.map().saving {
            self.catch_up(&mut self.disk.log().lock()?)?;
        }
        Ok(self.map())
    }

    /// Brings the map up to the end of the log.
    fn catch_up(&self, locked: &mut Locked<'_>) -> Result<(), StoreError> {
        let seen = self.map().seen;
        let news = locked.read(seen)?;
        self.map().learn(news);
        Ok(())
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        // Nothing that can panic runs while it is locked.
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn log(&self) -> MutexGuard<'_, Log> {
        // The log is read again from where the map ends, whatever happened to the last holder.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Map {
    fn learn(&mut self, news: News) {
        if news.afresh {
            self.bookmarks.clear();
        }
        for (name, uri) in &news.saves {
            self.insert(name, uri);
        }
        self.seen = news.position;
    }

    /// What a log without replaced lines has.
    fn lines(&self) -> Vec<String> {
        self.bookmarks.iter().map(|(name, kept)| encode(name, &kept.uri)).collect()
    }

    fn insert(&mut self, name: &Name, uri: &Uri) {
        self.bookmarks.make(name.as_str(), Some(&Kept::new(uri, 0)));
    }
}

impl Store for File {
    fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError> {
        Ok(self.current()?.bookmarks.first(names))
    }

    fn scan(&self, see: &mut dyn FnMut(&str, &Kept)) -> Result<(), StoreError> {
        let mut some = self.current()?.bookmarks.after(None, 1_000);
        while let Some((last, _)) = some.last() {
            some.iter().for_each(|(name, kept)| see(name, kept));
            some = self.map().bookmarks.after(Some(last), 1_000);
        }
        Ok(())
    }

    fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::new();
        for change in changes {
            let outcome = self.current()?.bookmarks.judge(change);
            if let (Outcome::Done, Some(kept)) = (&outcome, &change.to) {
                let uri = Uri::parse(&kept.uri);
                self.put(&change.name, &uri.map_err(|bad| StoreError::Failed(bad.to_string()))?)?;
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn visit(&self, visits: &[Visits]) -> Result<(), StoreError> {
        let mut map = self.map();
        visits.iter().for_each(|visits| map.bookmarks.visit(visits));
        Ok(())
    }

    fn sessions(&self) -> &dyn session::Store {
        &self.sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;

    /// A folder for one test, gone after it.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("bookmark-store-{}-{count}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn log(&self) -> PathBuf {
            self.0.join("bookmarks.log")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn save(store: &File, name: &str, path: &str) -> Result<(), StoreError> {
        let uri = Uri::parse(&format!("http://example.org/{path}")).unwrap();
        File::put(store, &Name::parse(name).unwrap(), &uri)
    }

    fn all(store: &File) -> Vec<(String, String)> {
        {
            let mut all = Vec::new();
            store.scan(&mut |name, kept| all.push((name.to_owned(), kept.uri.clone()))).unwrap();
            all
        }
    }

    fn saved(store: &File) -> String {
        let list = all(store);
        let short = |(name, uri): &(String, String)| {
            format!("{name}={}", uri.strip_prefix("http://example.org/").unwrap())
        };
        list.iter().map(short).collect::<Vec<_>>().join(" ")
    }

    const CHILD: &str = "STORE_TEST_LOG";

    /// The log to work on, if this process is a child that a test started.
    fn log_of_child() -> Option<PathBuf> {
        std::env::var_os(CHILD).map(PathBuf::from)
    }

    /// This program, to run one test only.
    fn child(test: &str) -> Command {
        let (_, module) = module_path!().split_once("::").unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &format!("{module}::{test}"), "--nocapture"]);
        child
    }

    #[test]
    fn a_log_outlives_its_store_and_is_compacted_when_opened() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        for count in 0..50 {
            save(&store, "same", &count.to_string()).unwrap();
        }
        save(&store, "käse / 1", "x").unwrap();
        drop(store);
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 52);

        let store = File::open(folder.log()).unwrap();
        assert_eq!(saved(&store), "käse / 1=x same=49");
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 3);
        save(&store, "after", "y").unwrap();
        drop(store);
        assert_eq!(saved(&File::open(folder.log()).unwrap()), "after=y käse / 1=x same=49");
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_save_of_what_is_there_writes_nothing() {
        let folder = Folder::new();
        let stores = [File::open(folder.log()).unwrap(), File::open(folder.log()).unwrap()];
        for store in stores.iter().cycle().take(20) {
            save(store, "same", "1").unwrap();
        }
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 2);
        save(&stores[0], "same", "2").unwrap();
        save(&stores[1], "same", "1").unwrap();
        assert_eq!(saved(&stores[0]), "same=1");
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 4);
    }

    #[test]
    fn saves_that_replace_each_other_do_not_make_the_log_grow() {
        let folder = Folder::new();
        let stores = [File::open(folder.log()).unwrap(), File::open(folder.log()).unwrap()];
        save(&stores[0], "kept", "x").unwrap();
        let mut longest = 0;
        for (count, store) in stores.iter().cycle().take(2 * SPARE + 100).enumerate() {
            save(store, "same", &count.to_string()).unwrap();
            longest = longest.max(fs::metadata(folder.log()).unwrap().len());
        }
        let line = encode("same", "http://example.org/1000").len() as u64;
        assert!(longest < (SPARE as u64 + 10) * line, "{longest} bytes");
        let last = format!("kept=x same={}", 2 * SPARE + 99);
        let again = File::open(folder.log()).unwrap();
        assert_eq!([saved(&stores[0]), saved(&stores[1]), saved(&again)], [&*last; 3]);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_save_is_one_though_the_log_cannot_be_compacted_after_it() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        fs::create_dir(folder.0.join("bookmarks.log.new")).unwrap();
        for count in 0..SPARE + 10 {
            save(&store, "same", &count.to_string()).unwrap();
        }
        assert_eq!(saved(&File::open(folder.log()).unwrap()), saved(&store));
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), SPARE + 11);
    }

    #[cfg(unix)]
    #[test]
    fn compaction_keeps_the_permissions_and_a_symbolic_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let link = folder.0.join("link");
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        save(&store, "a", "2").unwrap();
        fs::set_permissions(folder.log(), fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(folder.log(), &link).unwrap();
        let store = File::open(&link).unwrap();
        assert_eq!(saved(&store), "a=2");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 2);
        let mode = fs::metadata(folder.log()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_log_that_cannot_be_compacted_is_as_good() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        save(&store, "a", "2").unwrap();
        fs::create_dir(folder.0.join("bookmarks.log.new")).unwrap();
        let store = File::open(folder.log()).unwrap();
        save(&store, "b", "3").unwrap();
        assert_eq!(saved(&File::open(folder.log()).unwrap()), "a=2 b=3");
        assert_eq!(fs::read_to_string(folder.log()).unwrap().lines().count(), 4);
    }

    #[test]
    fn a_log_cut_anywhere_opens_with_what_was_whole_and_takes_new_saves() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        let begun = fs::metadata(folder.log()).unwrap().len();
        save(&store, "a", "1").unwrap();
        let first = fs::metadata(folder.log()).unwrap().len();
        save(&store, "b", "2").unwrap();
        drop(store);
        let whole = fs::read(folder.log()).unwrap();
        for cut in 0..=whole.len() {
            fs::write(folder.log(), &whole[..cut]).unwrap();
            let store = File::open(folder.log()).unwrap();
            let kept = if cut == whole.len() {
                "a=1 b=2 "
            } else if cut as u64 >= first {
                "a=1 "
            } else {
                ""
            };
            assert_eq!(saved(&store), kept.trim_end(), "cut at {cut}, header ends at {begun}");
            save(&store, "c", "3").unwrap();
            drop(store);
            let again = File::open(folder.log()).unwrap();
            assert_eq!(saved(&again), format!("{kept}c=3"), "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_line_is_an_error_that_names_it_and_changes_nothing() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        for name in ["a", "b", "c"] {
            save(&store, name, "x").unwrap();
        }
        drop(store);
        let damaged = fs::read_to_string(folder.log()).unwrap().replace("put\tb", "put\tB");
        fs::write(folder.log(), &damaged).unwrap();
        let message = File::open(folder.log()).unwrap_err().to_string();
        assert!(message.contains("bookmarks.log, line 3: wanted the checksum "), "{message}");
        assert_eq!(fs::read_to_string(folder.log()).unwrap(), damaged);
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = Folder::new();
        for content in ["shopping list", "eggs\nmilk\n", "# bookmarks 2: something else\n", "\0"] {
            fs::write(folder.log(), content).unwrap();
            let message = File::open(folder.log()).unwrap_err().to_string();
            assert!(message.contains("bookmarks.log, line 1: wanted `# bookmarks 1"), "{message}");
            assert_eq!(fs::read_to_string(folder.log()).unwrap(), content);
        }
        assert!(File::open(&folder.0).is_err(), "a folder");
        assert!(File::open(folder.0.join("missing/bookmarks.log")).is_err());
    }

    #[test]
    fn two_stores_on_one_log_see_each_other() {
        let folder = Folder::new();
        let (one, two) = (File::open(folder.log()).unwrap(), File::open(folder.log()).unwrap());
        save(&one, "a", "1").unwrap();
        assert_eq!(saved(&two), "a=1");
        save(&two, "b", "2").unwrap();
        save(&one, "c", "3").unwrap();
        assert_eq!(
            one.get("b").unwrap().map(|kept| kept.uri).as_deref(),
            Some("http://example.org/2")
        );
        save(&two, "a", "4").unwrap();
        assert_eq!((saved(&one), saved(&two)), ("a=4 b=2 c=3".into(), "a=4 b=2 c=3".into()));
    }

    #[test]
    fn a_store_notices_that_another_compacted_the_log() {
        let folder = Folder::new();
        let old = File::open(folder.log()).unwrap();
        save(&old, "a", "1").unwrap();
        save(&old, "a", "2").unwrap();
        let new = File::open(folder.log()).unwrap();
        save(&old, "b", "3").unwrap();
        assert_eq!(saved(&new), "a=2 b=3", "the save went to the file that has the name");
        save(&new, "b", "4").unwrap();
        let newest = File::open(folder.log()).unwrap();
        assert_eq!((saved(&old), saved(&newest)), ("a=2 b=4".into(), "a=2 b=4".into()));
    }

    #[test]
    fn a_torn_tail_of_another_process_is_mended_by_the_next_call() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        let whole = fs::metadata(folder.log()).unwrap().len();
        let tear = || {
            let mut file = OpenOptions::new().append(true).open(folder.log()).unwrap();
            file.write_all(b"put\tb\thttp://exam").unwrap();
        };
        tear();
        assert_eq!(saved(&store), "a=1");
        assert_eq!(fs::metadata(folder.log()).unwrap().len(), whole);
        tear();
        save(&store, "c", "2").unwrap();
        assert_eq!(saved(&File::open(folder.log()).unwrap()), "a=1 c=2");
    }

    #[test]
    fn a_log_that_is_gone_is_an_error_and_not_an_empty_list() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        fs::remove_file(folder.log()).unwrap();
        assert!(store.get("a").is_err());
        let message = save(&store, "b", "2").unwrap_err().to_string();
        assert!(message.contains("bookmarks.log: cannot find the log"), "{message}");
    }

    #[test]
    fn reading_does_not_wait_for_a_save_that_waits_for_another_process() {
        let folder = Folder::new();
        let store = &File::open(folder.log()).unwrap();
        save(store, "a", "1").unwrap();
        let mut other = Log::open(&folder.log()).unwrap();
        let locked = other.lock().unwrap();
        thread::scope(|scope| {
            let (started, start) = mpsc::channel();
            let saving = scope.spawn(move || {
                started.send(()).unwrap();
                save(store, "b", "2")
            });
            start.recv().unwrap();
            assert_eq!(saved(store), "a=1");
            drop(locked);
            saving.join().unwrap().unwrap();
        });
        assert_eq!(saved(store), "a=1 b=2");
    }

    #[test]
    fn reading_during_a_save_of_this_process_is_answered_from_the_map() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        // The state in the middle of `put`: the file is longer, and both of its locks are held.
        let mut log = store.disk.log();
        let mut locked = log.lock().unwrap();
        let length = store.map().seen.length;
        store.map().saving = true;
        locked.append(length, &encode("b", "http://example.org/2")).unwrap();
        assert_eq!(saved(&store), "a=1");
    }

    #[test]
    fn many_threads_and_two_stores_lose_nothing() {
        let folder = Folder::new();
        let stores = [File::open(folder.log()).unwrap(), File::open(folder.log()).unwrap()];
        thread::scope(|scope| {
            for (number, store) in stores.iter().cycle().take(8).enumerate() {
                scope.spawn(move || {
                    for count in 0..20 {
                        save(store, &format!("{number}-{count}"), "x").unwrap();
                        assert!(store.get(&format!("{number}-{count}")).unwrap().is_some());
                    }
                });
            }
        });
        for store in &stores {
            assert_eq!(all(store).len(), 160);
        }
        assert_eq!(all(&File::open(folder.log()).unwrap()).len(), 160);
    }

    #[cfg(unix)]
    #[test]
    fn a_full_disk_is_an_error_and_the_log_stays_usable() {
        let Some(log) = log_of_child() else {
            // A limit on the size of files stands for the disk: the write that meets it is cut
            // short there, and the next one fails.
            let folder = Folder::new();
            let child = child("a_full_disk_is_an_error_and_the_log_stays_usable");
            let limited = Command::new("sh")
                .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
                .arg(child.get_program())
                .args(child.get_args())
                .env(CHILD, folder.log())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&limited.stdout).into_owned();
            assert!(limited.status.success() && text.contains("1 passed"), "{text}");
            return;
        };
        let store = File::open(&log).unwrap();
        let other = File::open(&log).unwrap();
        let long = "x".repeat(1500);
        let mut kept = 0;
        let error = loop {
            match save(&store, &format!("{kept}"), &long) {
                Ok(()) => kept += 1,
                Err(error) => break error.to_string(),
            }
            assert!(kept < 100, "the limit does not work");
        };
        assert!(error.contains("bookmarks.log: cannot write the log"), "{error}");
        assert!(kept > 0);
        assert_eq!(store.get(&kept.to_string()).unwrap(), None);
        assert_eq!(store.map().seen.length, fs::metadata(&log).unwrap().len());
        // What is short still fits.
        save(&store, "short", "y").unwrap();
        for store in [store, other, File::open(&log).unwrap()] {
            assert_eq!(all(&store).len(), kept + 1);
            assert!(store.get("short").unwrap().is_some());
        }
    }

    #[test]
    fn every_acknowledged_save_survives_kill() {
        if let Some(log) = log_of_child() {
            let store = File::open(log).unwrap();
            for count in all(&store).len().. {
                save(&store, &format!("{count:06}"), &"x".repeat(500)).unwrap();
                println!("saved {count:06}");
            }
        }
        let folder = Folder::new();
        let survivor = File::open(folder.log()).unwrap();
        let mut acknowledged = Vec::new();
        for round in 1..=5 {
            let mut child = child("every_acknowledged_save_survives_kill")
                .env(CHILD, folder.log())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut take = |line: String| {
                if let Some((_, name)) = line.split_once("saved ") {
                    acknowledged.push(name.to_owned());
                }
            };
            lines.by_ref().take(round * 40).for_each(|line| take(line.unwrap()));
            child.kill().unwrap();
            child.wait().unwrap();
            // The last line may be cut as well: then nobody was told of that save.
            lines.map_while(Result::ok).filter(|line| line.len() >= 12).for_each(take);
        }
        assert!(acknowledged.len() > 500);
        for store in [survivor, File::open(folder.log()).unwrap()] {
            for name in &acknowledged {
                assert!(store.get(name).unwrap().is_some(), "{name} was acknowledged and lost");
            }
            save(&store, "after", "y").unwrap();
        }
        assert!(fs::read_to_string(folder.log()).unwrap().ends_with('\n'));
    }
}

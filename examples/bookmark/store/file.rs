//! Bookmarks in memory, and in a log file that outlives the process.
//!
//! Changes enter; what was saved last under a name leaves. A change is acknowledged
//! ([`Store::change`] returns `Ok`) only once it is on disk. Visits and sessions are not worth a wait
//! for the disk: they outlive the process, but perhaps not a power cut. Several processes on one
//! machine may open the same log: each notices what another wrote on its next call, by a look from
//! outside.
//!
//! Two locks, so that nobody waits for a disk who need not: the map's is shared by those who look
//! something up, and never held during input or output; the log's is held, with the lock of the file itself,
//! during a save. Reading while this process saves is answered from the map, which is complete
//! then: it was brought up to date under the file's lock, and nobody else can have saved since.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};
use std::{fmt, io};

use longhand_kit::session::{self, Key};

use super::line::{Entry, Session};
use super::log::{Locked, Log, News, Position};
use super::map::Map;
use super::watch::Watch;
use super::{Change, Kept, Outcome, Store, StoreError, Visits};
use crate::time::seconds;

/// Replaced lines that a log may have beside as many as there are others: few are not worth a new
/// file.
const SPARE: usize = 1_000;

/// Sessions at once: the one that would end first makes room.
const SESSIONS: usize = 1_000;

/// All bookmarks. Shared by reference among the connections' threads.
pub(crate) struct File {
    memory: RwLock<Memory>,
    watch: Watch,
    log: Mutex<Log>,
}

/// What the log says.
#[derive(Default)]
struct Memory {
    bookmarks: Map,
    sessions: HashMap<Key, Session>,
    /// The part of the log that this holds.
    seen: Position,
    /// The log is growing by our own hand, and this holds all of it but that.
    saving: bool,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("watch", &self.watch).finish_non_exhaustive()
    }
}

impl File {
    /// Reads a log, beginning it where there is none and compacting it where saves were replaced.
    ///
    /// # Errors
    /// The file cannot be opened, locked or read; or it is no log, or damaged: the error names the line.
    pub(crate) fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut log = Log::open(path.as_ref())?;
        let mut memory = Memory::default();
        let mut locked = log.lock()?;
        memory.learn(locked.read(memory.seen)?);
        if memory.seen.lines > memory.living()
            && let Some(seen) = locked.compact(&memory.lines())?
        {
            memory.seen = seen;
        }
        drop(locked);
        let watch = Watch::new(log.path());
        Ok(Self { memory: RwLock::new(memory), watch, log: Mutex::new(log) })
    }

    /// Writes what `decide` makes of everything that is in the log: nobody else writes meanwhile. The
    /// log grows with the bookmarks and not with the changes: it is compacted in time.
    fn write<T>(
        &self,
        durable: bool,
        decide: impl FnOnce(&Memory) -> (Vec<Entry>, T),
    ) -> Result<T, StoreError> {
        let mut log = self.log();
        let mut locked = log.lock()?;
        self.catch_up(&mut locked)?;
        let (entries, result, length) = {
            let mut memory = self.memory_mut();
            let (entries, result) = decide(&memory);
            memory.saving = !entries.is_empty();
            (entries, result, memory.seen.length)
        };
        if entries.is_empty() {
            // What is there already may have been written by a process that died before its sync.
            return if durable { locked.sync().map(|()| result) } else { Ok(result) };
        }
        let lines: String = entries.iter().map(Entry::line).collect();
        let appended = locked.append(length, &lines, durable);
        // Before the lock of the file is given up: until then no other process can add a line.
        let mut memory = self.memory_mut();
        memory.saving = false;
        appended?;
        memory.seen.length += lines.len() as u64;
        memory.seen.lines += entries.len();
        entries.into_iter().for_each(|entry| memory.take(entry));
        drop(memory);
        self.shorten(&mut locked);
        Ok(result)
    }

    /// Compacts the log where most of its lines are replaced. So it costs a line or two for each change,
    /// though it writes all at once.
    fn shorten(&self, locked: &mut Locked<'_>) {
        let lines = {
            let mut memory = self.memory_mut();
            if memory.seen.lines <= 2 * memory.living() + SPARE {
                return;
            }
            memory.saving = true;
            memory.lines()
        };
        let compacted = locked.compact(&lines);
        let mut memory = self.memory_mut();
        memory.saving = false;
        // What was saved is on disk either way. After an error the next call reads a file it does not know.
        if let Ok(Some(seen)) = compacted {
            memory.seen = seen;
        }
    }

    /// The memory, holding everything that was acknowledged before this call.
    fn current(&self) -> Result<RwLockReadGuard<'_, Memory>, StoreError> {
        let end = self.watch.look()?;
        let memory = self.memory();
        if memory.seen.is(end) || memory.saving {
            return Ok(memory);
        }
        drop(memory);
        self.catch_up(&mut self.log().lock()?)?;
        Ok(self.memory())
    }

    /// Brings the memory up to the end of the log.
    fn catch_up(&self, locked: &mut Locked<'_>) -> Result<(), StoreError> {
        let seen = self.memory().seen;
        let news = locked.read(seen)?;
        self.memory_mut().learn(news);
        Ok(())
    }

    fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory_mut(&self) -> RwLockWriteGuard<'_, Memory> {
        // Nothing that can panic runs while it is locked for a change.
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // It is read again from where the memory ends, whatever happened to the last holder.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn learn(&mut self, news: News) {
        if news.afresh {
            self.bookmarks.clear();
            self.sessions.clear();
        }
        news.entries.into_iter().for_each(|entry| self.take(entry));
        self.seen = news.position;
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Put(name, kept) => self.bookmarks.set(name, Some(kept)),
            Entry::Delete(name) => self.bookmarks.set(name, None),
            Entry::Visits(visits) => self.bookmarks.visit(&visits),
            Entry::Session(key, session) => drop(self.sessions.insert(key, session)),
            Entry::End(key) => drop(self.sessions.remove(&key)),
        }
    }

    /// How many lines a log without replaced lines has.
    fn living(&self) -> usize {
        self.bookmarks.len() + self.sessions.len()
    }

    /// What is in a log without replaced lines.
    fn lines(&self) -> Vec<String> {
        let put = |(name, kept): (&str, &Kept)| Entry::Put(name.to_owned(), kept.clone()).line();
        let now = seconds(SystemTime::now());
        let sessions = self.sessions.iter().filter(|(_, session)| session.until > now);
        let sessions = sessions.map(|(key, session)| Entry::Session(*key, session.clone()).line());
        self.bookmarks.iter().map(put).chain(sessions).collect()
    }
}

impl Store for File {
    fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError> {
        Ok(self.current()?.bookmarks.first(names))
    }

    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Result<Option<String>, StoreError> {
        Ok(self.current()?.bookmarks.walk(after, most, see))
    }

    fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.write(true, |memory| {
            // What earlier changes of the same call have come to.
            let mut made: HashMap<&str, Option<Kept>> = HashMap::new();
            let mut entries = Vec::new();
            let outcomes = changes.iter().map(|change| {
                let name = change.name.as_str();
                let there = match made.get(name) {
                    Some(there) => there.as_ref(),
                    None => memory.bookmarks.get(name),
                };
                let after = match change.after(there) {
                    Ok(after) => after,
                    Err(refused) => return refused,
                };
                if after.as_ref() != there {
                    entries.push(match &after {
                        Some(kept) => Entry::Put(name.to_owned(), kept.clone()),
                        None => Entry::Delete(name.to_owned()),
                    });
                    made.insert(name, after);
                }
                Outcome::Done
            });
            let outcomes = outcomes.collect();
            (entries, outcomes)
        })
    }

    fn visit(&self, visits: &[Visits]) -> Result<(), StoreError> {
        self.write(false, |memory| {
            let there = |visits: &&Visits| memory.bookmarks.get(&visits.name).is_some();
            (visits.iter().filter(there).cloned().map(Entry::Visits).collect(), ())
        })
    }

    fn sessions(&self) -> &dyn session::Store {
        self
    }
}

/// Sessions are lines of the same log, so that processes which share bookmarks share sign-ins.
impl session::Store for File {
    fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        let memory = self.current().map_err(io::Error::other)?;
        Ok(memory.sessions.get(key).map(|session| session.record.clone()))
    }

    fn put(
        &self,
        key: &Key,
        seen: Option<&[u8]>,
        record: &[u8],
        keep: Duration,
    ) -> io::Result<bool> {
        let now = seconds(SystemTime::now());
        let until = now.saturating_add(keep.as_secs());
        let put = self.write(false, |memory| {
            if memory.sessions.get(key).map(|session| &session.record[..]) != seen {
                return (Vec::new(), false);
            }
            let mut entries =
                vec![Entry::Session(*key, Session { record: record.to_vec(), until })];
            let full = seen.is_none() && memory.sessions.len() >= SESSIONS;
            let first = memory.sessions.iter().min_by_key(|(_, session)| session.until);
            if let (true, Some((first, _))) = (full, first) {
                entries.insert(0, Entry::End(*first));
            }
            (entries, true)
        });
        put.map_err(io::Error::other)
    }

    /// On disk when it returns: who has signed out is not signed in again after a power cut.
    fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        let removed = self.write(true, |memory| match memory.sessions.get(key) {
            Some(session) => (vec![Entry::End(*key)], Some(session.record.clone())),
            None => (Vec::new(), None),
        });
        removed.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Name, Uri};
    use crate::store::When;
    use std::fs::{self, OpenOptions};
    use std::io::{BufRead, BufReader, Write};
    use std::path::PathBuf;
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
        {
            let to = Some(Kept::new(&uri, 0));
            let name = Name::parse(name).unwrap();
            store.change(&[Change { name, to, when: When::Any }]).map(drop)
        }
    }

    /// The line of a save.
    fn line(name: &str, path: &str) -> String {
        let uri = Uri::parse(&format!("http://example.org/{path}")).unwrap();
        Entry::Put(name.to_owned(), Kept::new(&uri, 0)).line()
    }

    fn change(name: &str, path: Option<&str>, when: When) -> Change {
        let kept = |path: &str| {
            let uri = Uri::parse(&format!("http://example.org/{path}")).unwrap();
            Kept { visits: 5, last: Some(9), ..Kept::new(&uri, 7) }
        };
        Change { name: Name::parse(name).unwrap(), to: path.map(kept), when }
    }

    fn leads(path: &str) -> When {
        When::Leads(format!("http://example.org/{path}"))
    }

    fn visits(name: &str, count: u64, last: u64) -> Visits {
        Visits { name: name.to_owned(), count, last }
    }

    /// The same of every kind of store: what one does in memory, the other does on disk.
    fn stores(folder: &Folder) -> [Box<dyn Store>; 2] {
        [Box::new(File::open(folder.log()).unwrap()), Box::new(super::super::memory::Memory::new())]
    }

    #[test]
    fn changes_happen_in_their_order_each_if_its_condition_holds() {
        let folder = Folder::new();
        for store in stores(&folder) {
            let outcomes = store.change(&[
                change("a", Some("1"), When::Free),
                change("a", Some("2"), When::Free),
                change("a", Some("3"), leads("1")),
                change("a", Some("4"), leads("1")),
                change("b", Some("1"), leads("1")),
                change("b", None, When::Any),
                change("c", Some("1"), When::Any),
                change("c", None, leads("2")),
                change("c", None, leads("1")),
                change("c", Some("2"), When::Free),
            ]);
            let done: Vec<bool> = outcomes.unwrap().iter().map(|it| *it == Outcome::Done).collect();
            let expected = [true, false, true, false, false, true, true, false, true, true];
            assert_eq!(done, expected);
            assert_eq!(store.get("a").unwrap().unwrap().uri, "http://example.org/3");
            let refused = store.change(&[change("a", None, When::Free)]).unwrap();
            assert_eq!(refused, [Outcome::Refused(store.get("a").unwrap())]);
            assert_eq!(store.first(&["x", "c", "a"]).unwrap().unwrap().0, 1);
        }
    }

    #[test]
    fn what_replaces_a_uri_leaves_the_rest_and_what_begins_again_does_not() {
        let folder = Folder::new();
        for store in stores(&folder) {
            store.change(&[change("a", Some("1"), When::Any)]).unwrap();
            store.visit(&[visits("a", 3, 20), visits("a", 1, 10), visits("gone", 1, 1)]).unwrap();
            store.change(&[change("a", Some("2"), When::Any)]).unwrap();
            let kept = store.get("a").unwrap().unwrap();
            assert_eq!((kept.created, kept.visits, kept.last), (7, 9, Some(20)));
            assert_eq!(kept.uri, "http://example.org/2");
            store.change(&[change("a", None, When::Any)]).unwrap();
            store.visit(&[visits("a", 3, 30)]).unwrap();
            assert_eq!(store.get("a").unwrap(), None);
            let uri = Uri::parse("http://example.org/3").unwrap();
            let to = Some(Kept::new(&uri, 40));
            let again = Change { name: Name::parse("a").unwrap(), to, when: When::Any };
            store.change(&[again]).unwrap();
            assert_eq!(store.get("a").unwrap(), Some(Kept::new(&uri, 40)));
        }
    }

    #[test]
    fn two_stores_on_one_log_share_deletions_visits_and_sessions() {
        let folder = Folder::new();
        let [one, two] = [(); 2].map(|()| File::open(folder.log()).unwrap());
        save(&one, "a", "1").unwrap();
        save(&one, "b", "1").unwrap();
        one.visit(&[visits("a", 2, 5)]).unwrap();
        two.visit(&[visits("a", 3, 4)]).unwrap();
        two.change(&[change("b", None, When::Any)]).unwrap();
        let (key, day) = ([7; 32], Duration::from_secs(86_400));
        assert!(one.sessions().put(&key, None, b"one", day).unwrap());
        assert!(!two.sessions().put(&key, None, b"two", day).unwrap());
        for store in [&one, &two, &File::open(folder.log()).unwrap()] {
            assert_eq!(saved(store), "a=1");
            let kept = Store::get(store, "a").unwrap().unwrap();
            assert_eq!((kept.visits, kept.last), (5, Some(5)));
            assert_eq!(store.sessions().get(&key).unwrap().as_deref(), Some(&b"one"[..]));
        }
        assert_eq!(two.sessions().remove(&key).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(one.sessions().get(&key).unwrap(), None);
        assert!(!one.sessions().put(&key, Some(b"one"), b"three", day).unwrap());
    }

    #[test]
    fn of_two_who_take_a_free_name_exactly_one_gets_it() {
        let folder = Folder::new();
        let stores = [(); 2].map(|()| File::open(folder.log()).unwrap());
        for round in 0..50 {
            let take = |store: &File, path: &str| {
                let change = change(&format!("n{round}"), Some(path), When::Free);
                store.change(&[change]).unwrap()[0] == Outcome::Done
            };
            let [one, two] = &stores;
            let won = thread::scope(|scope| {
                let other = scope.spawn(|| take(two, "2"));
                [take(one, "1"), other.join().unwrap()]
            });
            assert_eq!(won.iter().filter(|won| **won).count(), 1);
            let kept = Store::get(one, &format!("n{round}")).unwrap().unwrap();
            assert_eq!(kept.uri.ends_with('1'), won[0]);
        }
    }

    #[test]
    fn sessions_have_a_bound_and_those_that_are_over_are_not_kept() {
        let folder = Folder::new();
        let store = File::open(folder.log()).unwrap();
        let key = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            key
        };
        for number in 0..=SESSIONS {
            let keep = Duration::from_secs(1_000 + number as u64);
            assert!(store.sessions().put(&key(number), None, b"x", keep).unwrap());
        }
        assert_eq!(store.memory().sessions.len(), SESSIONS);
        assert_eq!(store.sessions().get(&key(0)).unwrap(), None);
        assert!(store.sessions().put(&key(1), Some(b"x"), b"y", Duration::ZERO).unwrap());
        drop(store);
        // The first opening reads all and compacts it, the second reads what is left.
        drop(File::open(folder.log()).unwrap());
        let store = File::open(folder.log()).unwrap();
        assert_eq!(store.memory().sessions.len(), SESSIONS - 1);
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
        let line = line("same", "1000").len() as u64;
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
            assert!(message.contains("bookmarks.log, line 1: wanted `# bookmarks 2"), "{message}");
            // To delete the line, as is good for others, would lose a bookmark of a log without a header.
            assert!(message.ends_with("put that line first if it was lost"), "{message}");
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
    fn a_log_that_was_written_over_this_one_is_read_afresh() {
        let folder = Folder::new();
        let backup = folder.0.join("backup.log");
        let other = File::open(&backup).unwrap();
        let store = File::open(folder.log()).unwrap();
        save(&store, "a", "1").unwrap();
        (0..5).for_each(|n| save(&other, "longer", &format!("{n}")).unwrap());
        // In place: the same file, with other lines.
        fs::write(folder.log(), fs::read(&backup).unwrap()).unwrap();
        assert_eq!(saved(&store), "longer=4");
        save(&store, "b", "2").unwrap();
        assert_eq!(saved(&File::open(folder.log()).unwrap()), "b=2 longer=4");
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_no_log() {
        let folder = Folder::new();
        let made = Command::new("mkfifo").arg(folder.log()).status().unwrap();
        assert!(made.success());
        for path in [folder.log(), PathBuf::from("/dev/zero")] {
            let error = File::open(&path).unwrap_err().to_string();
            assert!(error.contains("no regular file"), "{error}");
        }
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
        let mut log = store.log();
        let mut locked = log.lock().unwrap();
        let length = store.memory().seen.length;
        store.memory_mut().saving = true;
        locked.append(length, &line("b", "2"), true).unwrap();
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
        assert_eq!(store.memory().seen.length, fs::metadata(&log).unwrap().len());
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

//! An import: many bookmarks are judged, checked if that is wanted, and saved.
//!
//! What was read of a file enters, a [`Report`] leaves, and while it goes on somebody is told how far it
//! is. Names that exist stay as they are, so that the same file a second time goes on where the first
//! ended. A few checks run at once, fewer than there are places for them: whoever saves a bookmark
//! meanwhile finds one.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, Builder};
use std::time::Duration;

use super::{Item, Skipped, Wish};
use crate::names::Way;
use crate::page::messages;
use crate::rules::{Name, Uri};
use crate::store::{Change, Kept, Outcome, Store, StoreError, When};
use crate::trouble::log;

/// Checks at once, of one import: two leave places free.
const CHECKS: usize = 3;

/// Bookmarks that are saved in one step.
const BATCH: usize = 200;

/// How long nobody is told anything, at most.
const PAUSE: Duration = Duration::from_secs(1);

/// What came of an import.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) saved: usize,
    pub(crate) skipped: Vec<Skipped>,
    /// Why it ended before its end, if it did.
    pub(crate) stopped: Option<String>,
    /// Bookmarks that were neither saved nor skipped then.
    pub(crate) left: usize,
}

/// What an import works with.
pub(crate) struct Import<'a> {
    pub(crate) store: &'a dyn Store,
    /// Where a name would lead by a URI.
    pub(crate) way: &'a (dyn Fn(&Name, &Uri) -> Result<Way, StoreError> + Sync),
    /// Judges a URI beyond its form: that it answers, if that is wanted.
    pub(crate) judge: &'a (dyn Fn(&Uri) -> Result<(), String> + Sync),
    /// Whether that takes long.
    pub(crate) slow: bool,
    pub(crate) now: u64,
    /// Is told how many were saved, as they are.
    pub(crate) saved: &'a (dyn Fn(usize) + Sync),
    /// Whether it is time to end.
    pub(crate) ending: &'a (dyn Fn() -> bool + Sync),
}

/// What came of judging a bookmark, with its place among all.
type Judged = (usize, Result<Ready, Skipped>);

/// A bookmark that may be saved, and the try at a name.
struct Ready {
    item: Item,
    uri: Uri,
    attempt: usize,
}

impl Import<'_> {
    /// Imports. `tell` is told how many are done, again and again; when it fails, nobody is there any
    /// more, and the import ends.
    ///
    /// # Errors
    /// That of `tell`. What was saved stays.
    pub(crate) fn run(
        &self,
        found: Vec<Result<Item, Skipped>>,
        tell: &mut dyn FnMut(usize) -> io::Result<()>,
    ) -> io::Result<Report> {
        let mut report = Report::default();
        let mut items = Vec::new();
        for it in found {
            match it {
                Ok(item) => items.push(item),
                Err(skipped) => report.skipped.push(skipped),
            }
        }
        let (total, unreadable) = (items.len(), report.skipped.len());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let told = thread::scope(|scope| {
            let (send, judged) = channel();
            let mut last = Ok(());
            let mut started = 0;
            for _ in 0..if self.slow { CHECKS } else { 1 } {
                let (send, items, next, stop) = (send.clone(), &items, &next, &stop);
                let work = move || self.work(items, next, stop, &send);
                last = Builder::new().spawn_scoped(scope, work).map(drop);
                started += usize::from(last.is_ok());
            }
            drop(send);
            let told = self.collect(&judged, &mut report, tell);
            let told = if started == 0 { last.and(told) } else { told };
            // Those who work find out by this that nobody waits for them.
            stop.store(true, Ordering::Relaxed);
            told
        });
        report.skipped.sort_by_key(|skipped| skipped.line);
        let done = report.saved + report.skipped.len() - unreadable;
        report.left = total - done;
        if report.left > 0 {
            report.stopped.get_or_insert_with(|| "This server is about to end.".to_owned());
        }
        told.map(|()| report)
    }

    /// Judges one after the other, until there is none left or nobody waits.
    fn work(&self, items: &[Item], next: &AtomicUsize, stop: &AtomicBool, judged: &Sender<Judged>) {
        while !stop.load(Ordering::Relaxed) && !(self.ending)() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return };
            if judged.send((place, self.judged(item))).is_err() {
                return;
            }
        }
    }

    fn judged(&self, item: &Item) -> Result<Ready, Skipped> {
        let skipped = |why: String| Skipped::of(item, why);
        let name = item.named(1).unwrap_or_else(|| Err("it has no name".to_owned()));
        let name = name.map_err(skipped)?;
        let uri = Uri::parse(&item.uri).map_err(|bad| skipped(bad.to_string()))?;
        // What is there already need not be checked again; where a name has to be another, it will be.
        let there = self.store.get(name.as_str()).ok().flatten();
        if there.is_none_or(|kept| kept.uri != uri.as_str()) {
            // One that gets its name later is asked then.
            if let Wish::Exactly(_) = item.name {
                self.is_out(&name, &uri).map_err(skipped)?;
            }
            (self.judge)(&uri).map_err(skipped)?;
        }
        Ok(Ready { item: item.clone(), uri, attempt: 1 })
    }

    /// Saves what was judged, in batches. Checks end in any order, but of two that want the same name the
    /// first in the file gets it: those that come early wait here.
    fn collect(
        &self,
        judged: &Receiver<Judged>,
        report: &mut Report,
        tell: &mut dyn FnMut(usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let (mut done, mut early, mut next) = (0, BTreeMap::new(), 0);
        loop {
            let is_end = match judged.recv_timeout(PAUSE) {
                Ok(first) => {
                    let some = judged.try_iter().take(BATCH - 1);
                    early.extend(std::iter::once(first).chain(some));
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let mut ready = Vec::new();
            while let Some(entry) = early.first_entry().filter(|it| is_end || *it.key() == next) {
                done += 1;
                next += 1;
                match entry.remove() {
                    Ok(one) => ready.push(one),
                    Err(skipped) => report.skipped.push(skipped),
                }
            }
            if let Err(why) = self.save(ready, report) {
                report.stopped = Some(why);
                return Ok(());
            }
            if is_end {
                return Ok(());
            }
            tell(done + early.len())?;
        }
    }

    /// Saves those whose names are free. A title that is taken gets a number, and another try.
    ///
    /// # Errors
    /// The store cannot be written. Why, as the one who imports may know it.
    fn save(&self, mut ready: Vec<Ready>, report: &mut Report) -> Result<(), String> {
        while !ready.is_empty() {
            let mut changes = Vec::new();
            ready.retain(|one| match one.item.named(one.attempt) {
                Some(Ok(name)) => {
                    changes.push(Change { name, to: Some(self.kept(one)), when: When::Free });
                    true
                }
                Some(Err(why)) => {
                    report.skipped.push(Skipped::of(&one.item, why));
                    false
                }
                None => {
                    report.skipped.push(Skipped::of(&one.item, "too many have this title"));
                    false
                }
            });
            if changes.is_empty() {
                return Ok(());
            }
            let outcomes = self.store.change(&changes).map_err(|error| {
                log(&error);
                messages::stopped(&error).to_owned()
            })?;
            let before = report.saved;
            let mut again = Vec::new();
            for ((mut one, outcome), change) in ready.into_iter().zip(outcomes).zip(changes) {
                match outcome {
                    Outcome::Done => match self.undone(&change.name, &one.uri) {
                        None => report.saved += 1,
                        Some(why) => report.skipped.push(Skipped::of(&one.item, why)),
                    },
                    Outcome::Refused(Some(there)) if there.uri == one.uri.as_str() => {
                        report.skipped.push(Skipped::of(&one.item, "it is there already"));
                    }
                    Outcome::Refused(there) => {
                        one.attempt += 1;
                        if one.item.named(one.attempt).is_some() {
                            again.push(one);
                        } else {
                            let leads = there.map_or_else(String::new, |kept| kept.uri);
                            let why = format!("the name leads to {leads} already");
                            report.skipped.push(Skipped::of(&one.item, why));
                        }
                    }
                }
            }
            (self.saved)(report.saved - before);
            ready = again;
        }
        Ok(())
    }

    fn is_out(&self, name: &Name, uri: &Uri) -> Result<(), String> {
        match (self.way)(name, uri) {
            Ok(Way::Out) => Ok(()),
            Ok(Way::Back | Way::Long) => Err(messages::circle(name.as_str())),
            Err(error) => {
                log(&error);
                Err(messages::NOT_LOOKED_UP.to_owned())
            }
        }
    }

    /// Two that lead to each other were judged before either was saved. The first of them that is found to
    /// lead back to itself now goes again, and why.
    fn undone(&self, name: &Name, uri: &Uri) -> Option<String> {
        if !matches!((self.way)(name, uri), Ok(Way::Back)) {
            return None;
        }
        let when = When::Leads(uri.as_str().to_owned());
        let gone = self.store.change(&[Change { name: name.clone(), to: None, when }]);
        gone.inspect_err(log).is_ok().then(|| messages::circle(name.as_str()))
    }

    fn kept(&self, one: &Ready) -> Kept {
        let Item { created, visits, last, .. } = one.item;
        // No clock of another program makes a bookmark of tomorrow.
        let created = created.map_or(self.now, |created| created.min(self.now));
        Kept { visits, last: last.map(|last| last.min(self.now)), ..Kept::new(&one.uri, created) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Visits;
    use crate::store::memory::Memory;
    use crate::transfer::{jsonl, netscape, read};

    fn import(store: &Memory, text: &str) -> Report {
        let judge = |uri: &Uri| {
            if uri.as_str().contains("dead") { Err("it did not answer".to_owned()) } else { Ok(()) }
        };
        let import = Import {
            store,
            way: &|_, _| Ok(Way::Out),
            judge: &judge,
            slow: true,
            now: 1_000,
            saved: &|_| {},
            ending: &|| false,
        };
        import.run(read(text.as_bytes()).unwrap(), &mut |_| Ok(())).unwrap()
    }

    fn export(store: &Memory, line: fn(&str, &Kept) -> String) -> String {
        let mut text = String::new();
        store.scan(&mut |name, kept| text += &line(name, kept)).unwrap();
        text
    }

    fn why(report: &Report) -> Vec<(usize, &str)> {
        report.skipped.iter().map(|skipped| (skipped.line, &*skipped.why)).collect()
    }

    #[test]
    fn what_can_be_saved_is_and_the_rest_is_reported_with_why() {
        let store = Memory::new();
        let text = "{\"name\":\"a\",\"uri\":\"http://a/\"}\n{\"name\":\"a\",\"uri\":\"http://b/\"}\n\
            {\"name\":\".x\",\"uri\":\"http://c/\"}\n{\"name\":\"d\",\"uri\":\"javascript:1\"}\n\
            {\"name\":\"e\",\"uri\":\"http://dead/\"}\n{\"name\":\"f\"}\n";
        let report = import(&store, text);
        assert_eq!((report.saved, report.stopped.is_none()), (1, true));
        let said = why(&report);
        assert_eq!(said.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert!(said[0].1 == "the name leads to http://a/ already", "{said:?}");
        assert!(said[2].1.contains("wanted http://… or https://…"), "{said:?}");
        assert_eq!(said[3].1, "it did not answer");
        let again = import(&store, text);
        assert_eq!((again.saved, why(&again)[0]), (0, (1, "it is there already")));
    }

    #[test]
    fn titles_that_are_taken_get_numbers_and_the_same_file_again_gives_none() {
        let store = Memory::new();
        let text = "<DT><A HREF=\"http://a/\">Home</A>\n<DT><A HREF=\"http://b/\">Home</A>\n\
            <DT><A HREF=\"http://b/\">Home</A>\n";
        let report = import(&store, text);
        assert_eq!((report.saved, why(&report)), (2, vec![(3, "it is there already")]));
        assert_eq!(store.get("Home (2)").unwrap().unwrap().uri, "http://b/");
        assert_eq!(import(&store, text).saved, 0);
    }

    #[test]
    fn what_was_exported_and_imported_is_exported_the_same() {
        let store = Memory::new();
        let lines: String = (0..2_345)
            .map(|n| {
                let last = if n % 3 == 0 { "null" } else { "\"1970-01-01T00:01:00Z\"" };
                format!(
                    "{{\"name\":\"{n} \\\"<&>'ä\\u2028/\",\"uri\":\"http://a/{n}?<&'\",\
                     \"created\":\"1970-01-01T00:00:1{}Z\",\"visits\":{},\"last\":{last}}}\n",
                    n % 10,
                    n % 4
                )
            })
            .collect();
        assert_eq!(import(&store, &lines).saved, 2_345);
        for (begin, line) in
            [("", jsonl::line as fn(&str, &Kept) -> String), (netscape::BEGIN, netscape::line)]
        {
            let first = begin.to_owned() + &export(&store, line);
            let other = Memory::new();
            let report = import(&other, &first);
            assert_eq!((report.saved, report.skipped.len()), (2_345, 0));
            assert_eq!(begin.to_owned() + &export(&other, line), first);
        }
    }

    /// A store that takes one batch, and then none.
    struct Filling(Memory, AtomicUsize);

    impl Store for Filling {
        fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError> {
            self.0.first(names)
        }

        fn walk(
            &self,
            after: Option<&str>,
            most: usize,
            see: &mut dyn FnMut(&str, &Kept),
        ) -> Result<Option<String>, StoreError> {
            self.0.walk(after, most, see)
        }

        fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
            match self.1.fetch_add(1, Ordering::Relaxed) {
                0 => self.0.change(changes),
                _ => Err(StoreError::Failed("the disk is full".to_owned())),
            }
        }

        fn visit(&self, visits: &[Visits]) -> Result<(), StoreError> {
            self.0.visit(visits)
        }

        fn sessions(&self) -> &dyn longhand_kit::session::Store {
            self.0.sessions()
        }
    }

    /// It said that no more were left than the batch had that was not written.
    #[test]
    fn all_are_left_that_a_store_did_not_take() {
        let store = Filling(Memory::new(), AtomicUsize::new(0));
        let mut text: String =
            (0..1_000).map(|n| format!("{{\"name\":\"{n}\",\"uri\":\"http://a/\"}}\n")).collect();
        text += "no JSON\n";
        let counted = AtomicUsize::new(0);
        let import = Import {
            store: &store,
            way: &|_, _| Ok(Way::Out),
            judge: &|_| Ok(()),
            slow: false,
            now: 1,
            saved: &|count| {
                counted.fetch_add(count, Ordering::Relaxed);
            },
            ending: &|| false,
        };
        let report = import.run(read(text.as_bytes()).unwrap(), &mut |_| Ok(())).unwrap();
        assert!((1..=BATCH).contains(&report.saved), "{}", report.saved);
        assert_eq!((report.left, report.skipped.len()), (1_000 - report.saved, 1));
        assert_eq!(
            report.stopped.as_deref().map(|why| why.starts_with("Writing failed")),
            Some(true)
        );
        assert_eq!(counted.into_inner(), report.saved);
    }

    #[test]
    fn a_name_is_found_by_its_address_whatever_was_around_it_in_the_file() {
        let store = Memory::new();
        let lines =
            "{\"name\":\" a \",\"uri\":\"http://a/\"}\n{\"name\":\" \",\"uri\":\"http://a/\"}\n";
        let report = import(&store, lines);
        assert_eq!((report.saved, report.skipped.len()), (1, 1));
        assert_eq!(store.get("a").unwrap().unwrap().uri, "http://a/");
    }

    #[test]
    fn it_ends_when_nobody_is_there_any_more_and_says_what_is_left_when_it_must_end() {
        let store = Memory::new();
        let text: String =
            (0..500).map(|n| format!("{{\"name\":\"{n}\",\"uri\":\"http://a/\"}}\n")).collect();
        let found = || read(text.as_bytes()).unwrap();
        let judge = |_: &Uri| Ok(());
        let ended = AtomicBool::new(false);
        let ending = || ended.load(Ordering::Relaxed);
        let import = Import {
            store: &store,
            way: &|_, _| Ok(Way::Out),
            judge: &judge,
            slow: false,
            now: 1,
            saved: &|_| {},
            ending: &ending,
        };
        let gone = import.run(found(), &mut |_| Err(io::ErrorKind::BrokenPipe.into()));
        assert!(gone.is_err());
        ended.store(true, Ordering::Relaxed);
        let report = import.run(found(), &mut |_| Ok(())).unwrap();
        assert_eq!((report.saved, report.left, report.stopped.is_some()), (0, 500, true));
    }
}

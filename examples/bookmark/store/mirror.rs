//! All bookmarks of Redis in this process, for lists: brought up to date by what has changed since.
//!
//! The log of changes enters, and the bookmarks that it names; a [`Map`] leaves that holds what was
//! acknowledged before the call, by whichever instance. Where nothing has changed, that is one short
//! question.
//!
//! The question is: what follows this entry of the log? The answer begins with that entry, or there is
//! another history than the one that was followed: Redis was emptied, or restored, or another took its
//! place that lacks the last changes. The tag of the entry tells also where an entry of another
//! history has got the same number. Then, and where the log was cut in between, all is read again.
//!
//! A bookmark that is not as `layout.rs` has it is left out, and a line on standard error says so: one
//! field that somebody spoiled by hand shall not take the whole list away.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::connections::Connections;
use super::layout::{self, LOG, NAMES};
use super::map::Map;
use super::resp::Reply;
use super::{Kept, StoreError};

/// Bookmarks or entries of the log in one answer.
const STEP: usize = 1_000;

/// Attempts to read all while the log is cut behind one's back.
const TRIES: usize = 4;

/// All bookmarks, as far as they were followed.
#[derive(Default)]
pub(super) struct Mirror {
    map: Mutex<Map>,
    /// Held while Redis is asked: whoever comes meanwhile waits for what comes of it, and has less to
    /// ask.
    seen: Mutex<Option<Entry>>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: Vec<u8>,
    name: Vec<u8>,
    tag: Vec<u8>,
}

impl Mirror {
    /// Shows at most `most` bookmarks after a name, and gives the last of them if there may be more.
    pub(super) fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Option<String> {
        locked(&self.map).walk(after, most, see)
    }

    /// Takes over what has changed.
    pub(super) fn catch_up(&self, redis: &Connections) -> Result<(), StoreError> {
        let mut seen = locked(&self.seen);
        let mut loaded = false;
        for _ in 0..TRIES {
            let is_whole = match &mut *seen {
                Some(entry) => self.follow(redis, entry)?,
                // Without a log nobody has changed anything.
                None => loaded && last(redis)?.is_none(),
            };
            if is_whole {
                return Ok(());
            }
            // From before the first bookmark is read, so that nothing is missed.
            let before = last(redis)?;
            *locked(&self.map) = load(redis)?;
            *seen = before;
            loaded = true;
        }
        Err(StoreError::Away("the bookmarks change faster than they can be read".to_owned()))
    }

    /// Takes over what follows an entry, and says whether it is there still.
    fn follow(&self, redis: &Connections, seen: &mut Entry) -> Result<bool, StoreError> {
        loop {
            let count = (STEP + 1).to_string();
            let found =
                redis.read(&[b"XRANGE", LOG, &seen.id, b"+", b"COUNT", count.as_bytes()])?;
            let entries = entries(found).ok_or_else(|| redis.odd("entries of a stream"))?;
            let Some((first, news)) = entries.split_first() else { return Ok(false) };
            if first != seen {
                return Ok(false);
            }
            let Some(last) = news.last() else { return Ok(true) };
            let names: BTreeSet<&[u8]> = news.iter().map(|entry| &entry.name[..]).collect();
            self.take(redis, &Vec::from_iter(names))?;
            *seen = last.clone();
            if news.len() < STEP {
                return Ok(true);
            }
        }
    }

    /// Takes over these bookmarks as they are now.
    fn take(&self, redis: &Connections, names: &[&[u8]]) -> Result<(), StoreError> {
        let found = redis.read(&[&[b"HMGET", NAMES], names].concat())?;
        let found = found.array().filter(|found| found.len() == names.len());
        let found = found.ok_or_else(|| redis.odd("a field for each name"))?;
        let mut left_out = LeftOut::default();
        let mut map = locked(&self.map);
        for (name, found) in names.iter().zip(found) {
            match found.bulk().and_then(|text| left_out.unless(name, &text)) {
                Some((name, kept)) => map.set(name, Some(kept)),
                None => map.set(String::from_utf8_lossy(name).into_owned(), None),
            }
        }
        drop(map);
        left_out.tell();
        Ok(())
    }
}

/// The last entry of the log.
fn last(redis: &Connections) -> Result<Option<Entry>, StoreError> {
    let found = redis.read(&[b"XREVRANGE", LOG, b"+", b"-", b"COUNT", b"1"])?;
    Ok(entries(found).ok_or_else(|| redis.odd("an entry of a stream"))?.pop())
}

/// All bookmarks. What is there all the while is among them; what comes or goes meanwhile may be.
fn load(redis: &Connections) -> Result<Map, StoreError> {
    let (mut map, mut left_out) = (Map::default(), LeftOut::default());
    let mut cursor = b"0".to_vec();
    loop {
        let count = STEP.to_string();
        let found = redis.read(&[b"HSCAN", NAMES, &cursor, b"COUNT", count.as_bytes()])?;
        let Part { next, fields } = part(found).ok_or_else(|| redis.odd("a cursor and fields"))?;
        for [name, text] in fields {
            if let Some((name, kept)) = left_out.unless(&name, &text) {
                map.set(name, Some(kept));
            }
        }
        if next == b"0" {
            left_out.tell();
            return Ok(map);
        }
        cursor = next;
    }
}

/// Some fields of a hash.
struct Part {
    /// The cursor of the next part.
    next: Vec<u8>,
    fields: Vec<[Vec<u8>; 2]>,
}

fn part(found: Reply) -> Option<Part> {
    let [next, fields] = found.array()?.try_into().ok()?;
    let mut words = fields.array()?.into_iter().map(Reply::bulk);
    let mut fields = Vec::new();
    while let Some(name) = words.next() {
        fields.push([name?, words.next()??]);
    }
    Some(Part { next: next.bulk()?, fields })
}

/// Entries of a stream: each has an ID, and as fields one name with one tag. Of what somebody put there
/// by hand there may be more, which is nobody's.
fn entries(found: Reply) -> Option<Vec<Entry>> {
    let entry = |found: Reply| {
        let [id, fields] = found.array()?.try_into().ok()?;
        let mut fields = fields.array()?.into_iter();
        Some(Entry { id: id.bulk()?, name: fields.next()?.bulk()?, tag: fields.next()?.bulk()? })
    };
    found.array()?.into_iter().map(entry).collect()
}

/// Bookmarks that are not as they should be: how many, and why the first.
#[derive(Default)]
struct LeftOut(usize, String);

impl LeftOut {
    /// A bookmark, if it is as it should be.
    fn unless(&mut self, name: &[u8], text: &[u8]) -> Option<(String, Kept)> {
        match layout::read(name, text) {
            Ok((name, kept)) => Some((name.as_str().to_owned(), kept)),
            Err(why) => {
                let first = std::mem::take(&mut self.1);
                *self = Self(self.0 + 1, if self.0 == 0 { why } else { first });
                None
            }
        }
    }

    /// Tells whoever runs this server; where nobody takes the line, it is lost.
    fn tell(self) {
        if let Self(count @ 1.., first) = self {
            let _ = writeln!(io::stderr(), "{count} left out of lists; {first}");
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is whole between any two steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

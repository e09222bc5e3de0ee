//! The bookmarks in Redis, for several machines: whatever one instance saves, the others see at once.
//!
//! Changes enter; what was saved last under a name leaves. Nothing is remembered here but what lists
//! need (`mirror.rs`): each redirect asks Redis, in one round trip.
//!
//! **How durable an acknowledged change is, Redis decides.** It has answered when a change returns, and
//! what that means is a setting of its own: with `appendonly yes` and `appendfsync always` the change is
//! on its disk; with `everysec` a power cut may take the last second, without `appendonly` everything
//! since the last snapshot. A replica that takes the place of its master may lack the last changes,
//! whatever is set.
//!
//! A connection that breaks before the answer is an error though the change may have happened: whole, or
//! not at all. A call with very many changes is made in several steps, of which the first may have happened
//! then. Visits whose answer was lost are offered again by `visits.rs`: rather counted twice than not.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longhand_kit::base64;
use longhand_kit::session::{self, Key};

use super::connection::Trouble;
use super::connections::{Bounds, Connections};
use super::layout::{self, CHANGE, LOG, NAMES, PUT, SESSION, VISIT};
use super::mirror::Mirror;
use super::place::Place;
use super::resp::Reply;
use super::{Change, Kept, Outcome, Store, StoreError, Visits, When};
use crate::rules::Name;

/// Changes or visits in one step, which takes Redis about a millisecond.
const STEP: usize = 500;

/// All bookmarks. Shared by reference among the connections' threads.
pub(crate) struct Redis {
    connections: Connections,
    mirror: Mirror,
    /// Of this process alone, and how often it was used: together a tag that no other call has.
    tag: (u64, AtomicU64),
}

impl Redis {
    /// The Redis of this place, which is not asked yet.
    pub(crate) fn new(place: Place) -> Self {
        Self::timed(place, Bounds::default())
    }

    fn timed(place: Place, bounds: Bounds) -> Self {
        let tag = (RandomState::new().hash_one(std::process::id()), AtomicU64::new(0));
        Self { connections: Connections::new(place, bounds), mirror: Mirror::default(), tag }
    }

    /// Whether it is there and lets this program in.
    ///
    /// # Errors
    /// It is away, and may come; or it refuses.
    pub(crate) fn reach(&self) -> Result<(), StoreError> {
        self.connections.try_open()
    }

    /// Runs a script over bookmarks.
    fn run(&self, script: &[u8], words: &[&[u8]]) -> Result<Reply, StoreError> {
        let (process, calls) = &self.tag;
        let tag = format!("{process:x}-{:x}", calls.fetch_add(1, Ordering::Relaxed));
        let begin = [b"EVAL", script, b"2", NAMES, LOG, tag.as_bytes()];
        self.connections.write(&[&begin, words].concat())
    }

    /// What is kept under a name. To whom asks for it, one that is not as it should be is an error:
    /// neither does it lead anywhere, nor is its name free.
    fn kept(&self, name: &str, text: &[u8]) -> Result<Kept, StoreError> {
        let kept = layout::read(name.as_bytes(), text);
        kept.map(|(_, kept)| kept).map_err(|why| self.connections.told(&Trouble::Failed(why)))
    }

    fn step(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let kept: Vec<String> = changes
            .iter()
            .map(|change| change.to.as_ref().map(layout::written).unwrap_or_default())
            .collect();
        let mut words: Vec<&[u8]> = Vec::with_capacity(4 * changes.len());
        for (change, kept) in changes.iter().zip(&kept) {
            let (when, uri) = match &change.when {
                When::Any => ("any", ""),
                When::Free => ("free", ""),
                When::Leads(uri) => ("leads", &**uri),
            };
            words.extend([change.name.as_str(), when, uri, kept].map(str::as_bytes));
        }
        let outcomes = self.run(CHANGE, &words)?.array();
        let outcomes = outcomes.filter(|outcomes| outcomes.len() == changes.len());
        let outcomes =
            outcomes.ok_or_else(|| self.connections.odd("an outcome for each change"))?;
        let outcome = |(change, outcome): (&Change, Reply)| match outcome {
            Reply::Integer(1) => Ok(Outcome::Done),
            Reply::Null => Ok(Outcome::Refused(None)),
            Reply::Bulk(text) => {
                Ok(Outcome::Refused(Some(self.kept(change.name.as_str(), &text)?)))
            }
            _ => Err(self.connections.odd("1, a bookmark or nothing")),
        };
        changes.iter().zip(outcomes).map(outcome).collect()
    }
}

impl Store for Redis {
    fn first(&self, names: &[&str]) -> Result<Option<(usize, Kept)>, StoreError> {
        // What cannot be a name is not asked for, however much of it there is.
        let asked: Vec<(usize, &str)> = names
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, name)| Name::parse(name).is_ok())
            .collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let mut words: Vec<&[u8]> = vec![b"HMGET", NAMES];
        words.extend(asked.iter().map(|(_, name)| name.as_bytes()));
        let found = self.connections.read(&words)?.array();
        let found = found.filter(|found| found.len() == asked.len());
        let found = found.ok_or_else(|| self.connections.odd("a field for each name"))?;
        for ((at, name), found) in asked.into_iter().zip(found) {
            if let Reply::Bulk(text) = found {
                return Ok(Some((at, self.kept(name, &text)?)));
            }
        }
        Ok(None)
    }

    fn walk(
        &self,
        after: Option<&str>,
        most: usize,
        see: &mut dyn FnMut(&str, &Kept),
    ) -> Result<Option<String>, StoreError> {
        // Once for each list: what changes while it goes on may or may not be seen.
        if after.is_none() {
            self.mirror.catch_up(&self.connections)?;
        }
        Ok(self.mirror.walk(after, most, see))
    }

    fn change(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(changes.len());
        for some in changes.chunks(STEP) {
            outcomes.extend(self.step(some)?);
        }
        Ok(outcomes)
    }

    fn visit(&self, visits: &[Visits]) -> Result<(), StoreError> {
        for some in visits.chunks(STEP) {
            let numbers: Vec<[String; 2]> = some
                .iter()
                .map(|visits| [visits.count, visits.last].map(|n| n.to_string()))
                .collect();
            let mut words: Vec<&[u8]> = Vec::with_capacity(3 * some.len());
            for (visits, [count, last]) in some.iter().zip(&numbers) {
                words.extend([&visits.name, count, last].map(String::as_bytes));
            }
            self.run(VISIT, &words)?;
        }
        Ok(())
    }

    fn sessions(&self) -> &dyn session::Store {
        self
    }
}

/// Redis forgets sessions by itself when their time is over.
impl session::Store for Redis {
    fn get(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.record(self.connections.read(&[b"GET", named(key).as_bytes()]))
    }

    fn put(
        &self,
        key: &Key,
        seen: Option<&[u8]>,
        record: &[u8],
        keep: Duration,
    ) -> io::Result<bool> {
        // No time at all is none that Redis takes.
        let keep = keep.as_millis().max(1).to_string();
        let name = named(key);
        let mut words = vec![&b"EVAL"[..], PUT, b"1", name.as_bytes(), record, keep.as_bytes()];
        words.extend(seen);
        match self.connections.write(&words).map_err(io::Error::other)? {
            Reply::Integer(put @ (0 | 1)) => Ok(put == 1),
            _ => Err(io::Error::other(self.connections.odd("0 or 1"))),
        }
    }

    fn remove(&self, key: &Key) -> io::Result<Option<Vec<u8>>> {
        self.record(self.connections.write(&[b"GETDEL", named(key).as_bytes()]))
    }
}

impl Redis {
    fn record(&self, found: Result<Reply, StoreError>) -> io::Result<Option<Vec<u8>>> {
        match found.map_err(io::Error::other)? {
            Reply::Bulk(record) => Ok(Some(record)),
            Reply::Null => Ok(None),
            _ => Err(io::Error::other(self.connections.odd("a record"))),
        }
    }
}

/// Where a session is kept.
fn named(key: &Key) -> String {
    format!("{SESSION}{}", base64::encode_url(key))
}

#[cfg(test)]
mod tests {
    use super::super::peer::{Peer, Talk, script};
    use super::*;
    use crate::rules::Uri;

    /// A store whose one connection goes like this, from its first command on.
    fn talking(does: impl FnOnce(&mut Talk) + Send + 'static) -> (Redis, Peer) {
        let peer = Peer::new([script(|talk| does(talk.greet()))]);
        let hour = Duration::from_secs(3600);
        let bounds = Bounds { most: 1, connect: hour, command: hour, pause: (hour, hour) };
        (Redis::timed(peer.place.clone(), bounds), peer)
    }

    fn change(name: &str, path: Option<&str>, when: When) -> Change {
        let kept = |path| Kept::new(&Uri::parse(&format!("http://a/{path}")).unwrap(), 7);
        Change { name: Name::parse(name).unwrap(), to: path.map(kept), when }
    }

    /// An array of bulk strings.
    fn array(words: &[&str]) -> String {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        String::from_utf8(super::super::resp::command(&words)).unwrap()
    }

    #[test]
    fn the_first_of_some_names_is_one_question() {
        let (redis, peer) = talking(|talk| {
            talk.expect(&["HMGET", "bookmark:names", "a", "b", "c"]);
            talk.say("*3\r\n$-1\r\n$16\r\n1 2 3 http://b/x\r\n$16\r\n1 2 3 http://c/x\r\n");
            talk.expect(&["HMGET", "bookmark:names", "d"]).say("*1\r\n$-1\r\n");
        });
        let kept = Kept { uri: "http://b/x".to_owned(), created: 1, visits: 2, last: Some(3) };
        // What cannot be a name is not asked for, and counts.
        let names = ["a", "", ".x", "b", "c"];
        assert_eq!(redis.first(&names).unwrap(), Some((3, kept)));
        assert_eq!(redis.get("d").unwrap(), None);
        assert_eq!(redis.first(&["", &"x".repeat(101)]).unwrap(), None);
        peer.end();
    }

    #[test]
    fn a_bookmark_that_breaks_the_rules_leads_nowhere() {
        let (redis, peer) = talking(|talk| {
            let text = "1 0 - javascript:alert(1)";
            talk.expect(&["HMGET"]).say(&array(&[text]));
            talk.expect(&["EVAL"]).say(&array(&[text]));
        });
        let error = redis.get("a").unwrap_err();
        assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
        assert!(error.to_string().contains("the bookmark `a` is `1 0 - javascript:"), "{error}");
        // Nor is its name free.
        let error = redis.change(&[change("a", Some(""), When::Free)]).unwrap_err();
        assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
        peer.end();
    }

    #[test]
    fn changes_are_one_script_and_each_has_an_outcome() {
        let (redis, peer) = talking(|talk| {
            let command = talk.command();
            assert_eq!(command[0], "EVAL");
            assert_eq!(command[2..5], ["2", "bookmark:names", "bookmark:log"]);
            let (a, b) = ("7 0 - http://a/1", "http://a/2");
            let words =
                ["a", "any", "", a, "b", "free", "", a, "c", "leads", b, "", "d", "any", "", ""];
            assert_eq!(command[6..], words);
            talk.say("*4\r\n:1\r\n$-1\r\n$14\r\n1 0 - http://a\r\n:1\r\n");
        });
        let outcomes = redis.change(&[
            change("a", Some("1"), When::Any),
            change("b", Some("1"), When::Free),
            change("c", None, When::Leads("http://a/2".to_owned())),
            change("d", None, When::Any),
        ]);
        let there = Kept { uri: "http://a".to_owned(), created: 1, visits: 0, last: None };
        let refused = [None, Some(there)].map(Outcome::Refused);
        let [first, second] = refused;
        assert_eq!(outcomes.unwrap(), [Outcome::Done, first, second, Outcome::Done]);
        peer.end();
    }

    #[test]
    fn very_many_changes_are_made_in_steps_each_with_a_tag_of_its_own() {
        let (redis, peer) = talking(|talk| {
            let mut tags = Vec::new();
            for count in [500, 500, 1] {
                let command = talk.command();
                assert_eq!(command.len(), 6 + 4 * count);
                tags.push(command[5].clone());
                talk.say(&format!("*{count}\r\n{}", ":1\r\n".repeat(count)));
            }
            let command = talk.command();
            assert_eq!(command[6..], ["a", "3", "9", "b", "1", "8"]);
            tags.push(command[5].clone());
            talk.say("$-1\r\n");
            tags.sort();
            tags.dedup();
            assert_eq!(tags.len(), 4);
        });
        let changes = vec![change("a", Some("1"), When::Any); 1_001];
        assert_eq!(redis.change(&changes).unwrap(), vec![Outcome::Done; 1_001]);
        let visits = |name: &str, count, last| Visits { name: name.to_owned(), count, last };
        redis.visit(&[visits("a", 3, 9), visits("b", 1, 8)]).unwrap();
        assert!(redis.visit(&[]).is_ok() && redis.change(&[]).unwrap().is_empty());
        peer.end();
    }

    #[test]
    fn another_reply_than_the_command_has_is_named() {
        let (redis, peer) = talking(|talk| {
            for _ in 0..6 {
                talk.expect(&[]).say("+QUEUED\r\n");
            }
        });
        let hour = Duration::from_secs(3600);
        let sessions = redis.sessions();
        for error in [
            redis.get("a").unwrap_err().to_string(),
            redis.change(&[change("a", None, When::Any)]).unwrap_err().to_string(),
            redis.scan(&mut |_, _| {}).unwrap_err().to_string(),
            sessions.get(&[1; 32]).unwrap_err().to_string(),
            sessions.put(&[1; 32], None, b"", hour).unwrap_err().to_string(),
            sessions.remove(&[1; 32]).unwrap_err().to_string(),
        ] {
            assert!(error.contains("wanted ") && error.contains("another reply"), "{error}");
        }
        peer.end();
    }

    #[test]
    fn sessions_are_strings_that_expire() {
        let key = format!("bookmark:session:{}", base64::encode_url([1; 32]));
        let (redis, peer) = talking(move |talk| {
            talk.expect(&["GET", &key]).say("$-1\r\n");
            let command = talk.command();
            assert_eq!(command[2..], ["1", &key, "one", "1500"]);
            talk.say(":1\r\n");
            let command = talk.command();
            assert_eq!(command[2..], ["1", &key, "two", "1", "one"]);
            talk.say(":0\r\n");
            talk.expect(&["GETDEL", &key]).say("$3\r\none\r\n");
        });
        let (sessions, key) = (redis.sessions(), [1; 32]);
        assert_eq!(sessions.get(&key).unwrap(), None);
        assert!(sessions.put(&key, None, b"one", Duration::from_millis(1500)).unwrap());
        assert!(!sessions.put(&key, Some(b"one"), b"two", Duration::ZERO).unwrap());
        assert_eq!(sessions.remove(&key).unwrap().as_deref(), Some(&b"one"[..]));
        peer.end();
    }

    /// What a list shows.
    fn listed(redis: &Redis) -> Vec<String> {
        let mut listed = Vec::new();
        redis.scan(&mut |name, kept| listed.push(format!("{name} {}", kept.uri))).unwrap();
        listed
    }

    /// An answer with these entries of the log: ID, name, tag.
    fn log(entries: &[(&str, &str, &str)]) -> String {
        let entry = |(id, name, tag): &(&str, &str, &str)| {
            format!("*2\r\n${}\r\n{id}\r\n{}", id.len(), array(&[name, tag]))
        };
        let entries: Vec<String> = entries.iter().map(entry).collect();
        format!("*{}\r\n{}", entries.len(), entries.concat())
    }

    /// Reads everything: two parts of the hash, after the last entry of the log.
    fn loads(talk: &mut Talk, last: (&str, &str, &str)) {
        talk.expect(&["XREVRANGE", "bookmark:log", "+", "-", "COUNT", "1"]).say(&log(&[last]));
        let part = |cursor, fields| format!("*2\r\n$1\r\n{cursor}\r\n{}", array(fields));
        talk.expect(&["HSCAN", "bookmark:names", "0"]).say(&part(5, &["b", "1 0 - http://b/"]));
        let bad = ["a", "1 0 - http://a/", "bad", "javascript:"];
        talk.expect(&["HSCAN", "bookmark:names", "5"]).say(&part(0, &bad));
    }

    #[test]
    fn a_list_is_read_once_and_then_followed() {
        let first = ("1-0", "a", "t1");
        let (redis, peer) = talking(move |talk| {
            loads(talk, first);
            // Something came while it was read.
            let second = ("2-0", "c", "t2");
            talk.expect(&["XRANGE", "bookmark:log", "1-0", "+"]).say(&log(&[first, second]));
            talk.expect(&["HMGET", "bookmark:names", "c"]).say(&array(&["1 0 - http://c/"]));
            // Nothing since.
            talk.expect(&["XRANGE", "bookmark:log", "2-0", "+"]).say(&log(&[second]));
            // A deletion, a change, a bookmark that somebody spoils; one of them twice.
            let news = [
                second,
                ("3-0", "a", "t3"),
                ("3-1", "b", "t3"),
                ("4-0", "a", "t4"),
                ("5-0", "c", "t5"),
            ];
            talk.expect(&["XRANGE", "bookmark:log", "2-0", "+"]).say(&log(&news));
            talk.expect(&["HMGET", "bookmark:names", "a", "b", "c"]);
            talk.say("*3\r\n$-1\r\n$16\r\n1 0 - http://b/2\r\n$1\r\nx\r\n");
        });
        assert_eq!(listed(&redis), ["a http://a/", "b http://b/", "c http://c/"]);
        assert_eq!(listed(&redis), ["a http://a/", "b http://b/", "c http://c/"]);
        assert_eq!(listed(&redis), ["b http://b/2"]);
        peer.end();
    }

    #[test]
    fn another_history_is_read_from_the_beginning() {
        let known = ("1-0", "a", "t1");
        let (redis, peer) = talking(move |talk| {
            loads(talk, known);
            talk.expect(&["XRANGE"]).say(&log(&[known]));
            // Emptied, or an older copy; then one that gave the same number to another change.
            for (last, found) in [(("0-9", "a", "t0"), None), (known, Some(("1-0", "a", "t9")))] {
                talk.expect(&["XRANGE"]).say(&log(found.as_slice()));
                loads(talk, last);
                talk.expect(&["XRANGE"]).say(&log(&[last]));
            }
            // Nothing at all: there is no entry to follow from, so it is read each time.
            talk.expect(&["XRANGE"]).say("*0\r\n");
            for _ in 0..2 {
                talk.expect(&["XREVRANGE"]).say("*0\r\n");
                talk.expect(&["HSCAN"]).say("*2\r\n$1\r\n0\r\n*0\r\n");
                talk.expect(&["XREVRANGE"]).say("*0\r\n");
            }
        });
        for _ in 0..3 {
            assert_eq!(listed(&redis), ["a http://a/", "b http://b/"]);
        }
        for _ in 0..2 {
            assert!(listed(&redis).is_empty());
        }
        peer.end();
    }

    #[test]
    fn a_log_that_is_cut_all_the_time_ends_in_an_error() {
        let (redis, peer) = talking(|talk| {
            for _ in 0..4 {
                loads(talk, ("1-0", "a", "t1"));
                talk.expect(&["XRANGE"]).say("*0\r\n");
            }
        });
        let error = redis.scan(&mut |_, _| {}).unwrap_err();
        assert!(matches!(error, StoreError::Away(_)), "{error:?}");
        drop(redis);
        drop(peer);
    }
}

//! The crowd: who comes how, how many of them, and what became of each.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use harness::answer::Answer;
use harness::client::Client;
use harness::random::Random;

use crate::manners;

/// How a visit ended that did not go as it was meant to.
#[derive(Debug)]
pub(crate) enum Ended {
    /// All places were taken by others who had something to do: 503, and when to come again.
    TurnedAway,
    /// The server closed between two requests, as it may.
    MadeRoom,
    /// What a client has not brought upon itself.
    Wrong(String),
}

/// What became of the visits of one manner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) visits: u64,
    pub(crate) answers: u64,
    pub(crate) turned_away: u64,
    pub(crate) made_room: u64,
}

#[derive(Default)]
struct Book {
    going_home: bool,
    tallies: BTreeMap<&'static str, Tally>,
    wrongs: Vec<String>,
    wrong: u64,
    /// Microseconds that the normal clients' requests took, since the last sample.
    took: Vec<u64>,
}

/// Everybody before one server.
pub(crate) struct Crowd {
    address: SocketAddr,
    book: Mutex<Book>,
    homewards: Condvar,
}

/// One of them, at its door.
pub(crate) struct Visitor<'c> {
    pub(crate) crowd: &'c Crowd,
    pub(crate) random: Random,
    manner: &'static str,
}

impl Crowd {
    pub(crate) fn before(address: SocketAddr) -> Self {
        Self { address, book: Mutex::default(), homewards: Condvar::new() }
    }

    /// Sends everybody, on threads of their own, until they go home.
    pub(crate) fn send<'scope, 'env>(&'env self, scope: &'scope Scope<'scope, 'env>) {
        let mut seed = 1;
        for &(manner, count, visit) in &manners::ALL {
            for _ in 0..count {
                seed += 1;
                let random = Random::new(seed);
                let mut visitor = Visitor { crowd: self, random, manner };
                let thread = Builder::new().stack_size(256 << 10);
                let come = move || {
                    // They do not all come at once.
                    visitor.rest(2_000);
                    while !self.is_going_home() {
                        let ended = visit(&mut visitor);
                        visitor.note(ended);
                    }
                };
                thread.spawn_scoped(scope, come).expect("a thread for each");
            }
        }
    }

    pub(crate) fn go_home(&self) {
        self.book().going_home = true;
        self.homewards.notify_all();
    }

    pub(crate) fn is_going_home(&self) -> bool {
        self.book().going_home
    }

    /// Waits until then, or until they go home.
    pub(crate) fn rest_until(&self, then: Instant) {
        let mut book = self.book();
        loop {
            let left = then.saturating_duration_since(Instant::now());
            if book.going_home || left.is_zero() {
                return;
            }
            let wait = self.homewards.wait_timeout(book, left);
            book = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All visits so far, what went wrong, and how long the normal requests since the last call took.
    pub(crate) fn so_far(&self) -> (Tally, u64, Vec<u64>) {
        let mut book = self.book();
        let mut all = Tally::default();
        for tally in book.tallies.values() {
            all.visits += tally.visits;
            all.answers += tally.answers;
            all.turned_away += tally.turned_away;
            all.made_room += tally.made_room;
        }
        let took = std::mem::take(&mut book.took);
        (all, book.wrong, took)
    }

    /// The first of what went wrong.
    pub(crate) fn wrongs(&self) -> Vec<String> {
        self.book().wrongs.clone()
    }

    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for (manner, tally) in &self.book().tallies {
            let Tally { visits, answers, turned_away, made_room } = tally;
            let _ = writeln!(
                text,
                "{manner:<16} {visits:>8} visits {answers:>9} answers {turned_away:>7} turned away \
                 {made_room:>7} made room",
            );
        }
        text
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor<'_> {
    /// Waits for up to so many milliseconds.
    pub(crate) fn rest(&mut self, most: usize) {
        let wait = Duration::from_millis(self.random.below(most) as u64);
        self.crowd.rest_until(Instant::now() + wait);
    }

    /// Waits for so many milliseconds. True if there is time for more.
    pub(crate) fn wait(&self, milliseconds: u64) -> bool {
        self.crowd.rest_until(Instant::now() + Duration::from_millis(milliseconds));
        !self.crowd.is_going_home()
    }

    pub(crate) fn connect(&self) -> Result<Line, Ended> {
        match Client::try_to(self.crowd.address) {
            Ok(client) => Ok(Line { client, answered: 0 }),
            Err(error) => Err(Ended::Wrong(format!("{}: no connection: {error}", self.manner))),
        }
    }

    /// Sends, and reads an answer of this status.
    pub(crate) fn ask(&self, line: &mut Line, bytes: &[u8], status: u16) -> Result<Answer, Ended> {
        line.send(bytes);
        self.hear(line, status)
    }

    /// Reads an answer of this status.
    pub(crate) fn hear(&self, line: &mut Line, status: u16) -> Result<Answer, Ended> {
        match line.client.try_answer() {
            Ok(answer) if answer.status == status => {
                line.answered += 1;
                self.crowd.book().tallies.entry(self.manner).or_default().answers += 1;
                Ok(answer)
            }
            Ok(answer) if answer.status == 503 && line.answered == 0 => {
                match answer.field("retry-after") {
                    Some("1") => Err(Ended::TurnedAway),
                    _ => Err(self.wrong(&format!("a 503 that names no time: {answer:?}"))),
                }
            }
            Ok(answer) => Err(self.wrong(&format!("wanted {status}, found {answer:?}"))),
            Err(error) if line.answered > 0 && is_end(&error) => match line.client.rest() {
                Ok(rest) if rest.is_empty() => Err(Ended::MadeRoom),
                rest => Err(self.wrong(&format!("cut inside an answer: {error}, {rest:?}"))),
            },
            Err(error) => {
                let answered = line.answered;
                Err(self.wrong(&format!("wanted {status} after {answered} answers: {error}")))
            }
        }
    }

    pub(crate) fn wrong(&self, what: &str) -> Ended {
        Ended::Wrong(format!("{}: {}", self.manner, what.get(..500).unwrap_or(what)))
    }

    /// How long a normal request took.
    pub(crate) fn took(&self, time: Duration) {
        self.crowd.book().took.push(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn note(&mut self, ended: Result<(), Ended>) {
        let mut book = self.crowd.book();
        let tally = book.tallies.entry(self.manner).or_default();
        tally.visits += 1;
        match ended {
            Ok(()) => return,
            Err(Ended::TurnedAway) => tally.turned_away += 1,
            Err(Ended::MadeRoom) => tally.made_room += 1,
            Err(Ended::Wrong(what)) => {
                book.wrong += 1;
                if book.wrongs.len() < 20 {
                    book.wrongs.push(what);
                }
            }
        }
        drop(book);
        // Sooner than the server asks for, and not at once.
        self.rest(200);
    }
}

/// A connection of a visitor's.
pub(crate) struct Line {
    pub(crate) client: Client,
    answered: usize,
}

impl Line {
    /// Sends. Where that fails, what is read tells why.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = io::Write::write_all(&mut self.client.stream, bytes);
    }
}

/// The end of a connection, from this side or the other.
pub(crate) fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}

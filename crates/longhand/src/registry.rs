//! Who is served and who waits: the counts and seats of a server, under one lock.
//!
//! Every decision about threads and places is made here after an accept: whether the newcomer gets a
//! place, whether somebody must make room for it, whether another thread is needed to go on
//! accepting. The lock is held for none of the work itself.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::seat::{Phase, Seat};

/// Threads that are kept waiting in `accept` when there is nothing to do, at 12 KiB and one reserved
/// descriptor each. Where each of 16 clients opens a connection for each request, four were so few that
/// every third connection started a thread anew: 32 µs of CPU for each, 23 now.
const SPARE: usize = 16;

/// How many of the longest quiet connections are looked up at once when room is needed.
const LOOKED_UP: usize = 64;

/// How long a newcomer waits for the connection that makes room for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shared state of a server.
pub(crate) struct Registry {
    pub(crate) phase: Phase,
    pub(crate) epoch: Instant,
    /// Requests answered on connections that have ended.
    pub(crate) requests: AtomicU64,
    /// [`Room::serving`] as it was last announced, for those who would not wait for the lock.
    pub(crate) crowd: AtomicUsize,
    room: Mutex<Room>,
    changed: Condvar,
    /// The conductor is needed: a drain is asked for, or refused connections are to be tended.
    needed: Condvar,
}

/// What the lock guards.
#[derive(Default)]
pub(crate) struct Room {
    seats: Vec<Option<Arc<Seat>>>,
    free: Vec<usize>,
    /// Connections that have a place.
    pub(crate) serving: usize,
    /// Threads in `accept`, or on their way there.
    pub(crate) waiting: usize,
    /// Threads with a connection for which another one makes room.
    pub(crate) entering: usize,
    /// Connections that had a place, altogether.
    pub(crate) connections: u64,
    /// Threads that want to know of every change. Without them none is announced: that would be a
    /// system call for each connection.
    watchers: usize,
    /// The longest quiet seats of the last look-up, the longest last.
    longest: Vec<(u64, usize)>,
    /// What was asked for by `Handle::drain`.
    pub(crate) wish: Option<Wish>,
    /// Connections were refused since they were last tended.
    pub(crate) refused: bool,
    /// In a drain: threads are being woken to end, and no other goes back to `accept`.
    leaving: bool,
    /// In a drain: everything that was in the listener's queue has been accepted.
    pub(crate) queue_is_empty: bool,
}

/// When a drain is to do what.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) lame_until: Instant,
    pub(crate) cut_at: Instant,
}

/// A place that was given.
pub(crate) struct Place {
    pub(crate) seat: Arc<Seat>,
    index: usize,
    /// Nobody is left in `accept`: the thread that got this place starts a successor first.
    pub(crate) starts_successor: bool,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::ready(),
            epoch: Instant::now(),
            requests: AtomicU64::new(0),
            crowd: AtomicUsize::new(0),
            room: Mutex::default(),
            changed: Condvar::new(),
            needed: Condvar::new(),
        }
    }

    pub(crate) fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing panics while it holds the lock, so a poisoned one guards sound data.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change of the room, or for `patience` to end.
    pub(crate) fn watch<'r>(
        &self,
        mut room: MutexGuard<'r, Room>,
        patience: Duration,
    ) -> MutexGuard<'r, Room> {
        room.watchers += 1;
        let (mut room, _) =
            self.changed.wait_timeout(room, patience).unwrap_or_else(PoisonError::into_inner);
        room.watchers -= 1;
        room
    }

    /// Waits until the conductor is needed, or for `patience` to end. Other changes do not wake it: it
    /// would wake for each connection.
    pub(crate) fn doze<'r>(
        &self,
        room: MutexGuard<'r, Room>,
        patience: Duration,
    ) -> MutexGuard<'r, Room> {
        self.needed.wait_timeout(room, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Asks for a drain. Asked again, the sooner of the times counts.
    pub(crate) fn wish(&self, wish: Wish) {
        let mut room = self.room();
        room.wish = Some(room.wish.map_or(wish, |earlier| Wish {
            lame_until: earlier.lame_until.min(wish.lame_until),
            cut_at: earlier.cut_at.min(wish.cut_at),
        }));
        self.needed.notify_all();
        self.announce(&room);
    }

    /// Tells the watchers of a change.
    pub(crate) fn announce(&self, room: &Room) {
        self.crowd.store(room.serving, Ordering::Relaxed);
        if room.watchers > 0 {
            self.changed.notify_all();
        }
    }

    /// Gives a connection that was accepted its place, if need be that of the longest quiet one.
    /// `None`: all are busy. The caller counts as waiting before, and after a refusal.
    pub(crate) fn enter(&self, seat: Seat, connections: usize) -> Option<Place> {
        let mut room = self.room();
        // Those who wait for a place have been promised one.
        if room.serving + room.entering >= connections {
            if !room.evict() {
                return None;
            }
            // The one that was woken has nothing left to do but to leave.
            (room.waiting, room.entering) = (room.waiting - 1, room.entering + 1);
            let until = Instant::now() + PATIENCE;
            while room.serving >= connections && Instant::now() < until {
                room = self.watch(room, until.saturating_duration_since(Instant::now()));
            }
            (room.waiting, room.entering) = (room.waiting + 1, room.entering - 1);
            if room.serving >= connections {
                return None;
            }
        }
        let seat = Arc::new(seat);
        let index = room.seat(Arc::clone(&seat));
        room.waiting -= 1;
        let starts_successor = room.waiting == 0 && !room.queue_is_empty;
        if starts_successor {
            room.waiting += 1;
        }
        self.announce(&room);
        Some(Place { seat, index, starts_successor })
    }

    /// A connection is over. True if its thread is to accept again, false if it is to end.
    pub(crate) fn leave(&self, place: &Place, requests: u64) -> bool {
        self.requests.fetch_add(requests, Ordering::Relaxed);
        let mut room = self.room();
        room.seats[place.index] = None;
        room.free.push(place.index);
        room.serving -= 1;
        let stays = room.waiting < SPARE && !room.leaving;
        if stays {
            room.waiting += 1;
        }
        self.announce(&room);
        stays
    }

    /// The place is given back unused, and the successor that could not be started is not counted.
    pub(crate) fn leave_unserved(&self, place: &Place) {
        let mut room = self.room();
        room.seats[place.index] = None;
        room.free.push(place.index);
        room.serving -= 1;
        room.connections -= 1;
        self.announce(&room);
    }

    /// A connection was refused. True if its thread is to accept again, false if it is to end: a burst
    /// of newcomers leaves more threads waiting than are needed.
    pub(crate) fn refused(&self) -> bool {
        let mut room = self.room();
        if !std::mem::replace(&mut room.refused, true) {
            self.needed.notify_all();
        }
        // In a drain the last one stays: others may have come behind whom it refused.
        let stays = room.waiting <= if room.leaving { 1 } else { SPARE };
        if !stays {
            room.waiting -= 1;
            self.announce(&room);
        }
        stays
    }

    /// The system is short of something that connections hold: the longest quiet one gives it back.
    /// False if none is quiet.
    pub(crate) fn shed(&self) -> bool {
        self.room().evict()
    }

    /// In a drain: a thread was woken to end. False if it is the last one that waits; that one has
    /// still to see to it that the queue is empty.
    pub(crate) fn may_end(&self) -> bool {
        let mut room = self.room();
        room.leaving = true;
        let others_wait = room.waiting > 1;
        if others_wait {
            room.waiting -= 1;
            self.announce(&room);
        }
        others_wait
    }

    /// A thread stops waiting for connections.
    pub(crate) fn stop_waiting(&self, queue_is_empty: bool) {
        let mut room = self.room();
        room.waiting -= 1;
        room.leaving |= queue_is_empty;
        room.queue_is_empty |= queue_is_empty;
        self.announce(&room);
    }
}

impl Room {
    fn seat(&mut self, seat: Arc<Seat>) -> usize {
        self.serving += 1;
        self.connections += 1;
        match self.free.pop() {
            Some(index) => {
                self.seats[index] = Some(seat);
                index
            }
            None => {
                self.seats.push(Some(seat));
                self.seats.len() - 1
            }
        }
    }

    pub(crate) fn seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        self.seats.iter().flatten()
    }

    /// Takes the place of the longest quiet connection. A look-up gives several, so that a flood of
    /// newcomers does not look through all seats for each.
    fn evict(&mut self) -> bool {
        let now = Instant::now();
        if self.take_longest(now) {
            return true;
        }
        let quiet = |(index, seat): (usize, &Option<Arc<Seat>>)| {
            Some((seat.as_ref()?.quiet_since(now)?, index))
        };
        let mut quiet: Vec<_> = self.seats.iter().enumerate().filter_map(quiet).collect();
        if quiet.len() > LOOKED_UP {
            quiet.select_nth_unstable(LOOKED_UP);
            quiet.truncate(LOOKED_UP);
        }
        quiet.sort_unstable_by(|a, b| b.cmp(a));
        self.longest = quiet;
        self.take_longest(now)
    }

    /// Takes one of those looked up that has been quiet ever since.
    fn take_longest(&mut self, now: Instant) -> bool {
        while let Some((since, index)) = self.longest.pop() {
            let seat = self.seats[index].as_ref();
            if seat.is_some_and(|seat| seat.quiet_since(now) == Some(since) && seat.take_quiet(now))
            {
                return true;
            }
        }
        false
    }
}

//! A connection's place in the server, and the one moment at which it may be closed for another.
//!
//! Between two requests a connection is idle, and whoever needs its place (the drain, or a newcomer
//! at the cap) may take it; likewise that of one which has come and sends nothing. Whether it was
//! still quiet is decided by one compare-and-swap: only the winner ends its reads, so no request that
//! has begun is ever cut.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::transport::Interrupt;

/// No byte has come yet.
const FRESH: u8 = 0;
/// Between two requests.
const IDLE: u8 = 1;
/// A request has begun.
const BUSY: u8 = 2;
/// Its place was taken while it was idle or fresh.
const WOKEN: u8 = 3;

/// How long a new connection may be silent before its place may be taken.
const FRESH_GRACE: Duration = Duration::from_secs(1);

/// One connection's place.
pub(crate) struct Seat {
    state: AtomicU8,
    /// Since when it is fresh or idle: the time after `epoch`, as [`Seat::ticks`].
    since: AtomicU64,
    epoch: Instant,
    interrupt: OnceLock<Arc<dyn Interrupt>>,
    /// Everything was ended.
    cut: AtomicBool,
}

impl Seat {
    /// The place of a connection that has just come.
    pub(crate) fn new(epoch: Instant, now: Instant, interrupt: Option<Arc<dyn Interrupt>>) -> Self {
        let seat = Self {
            state: AtomicU8::new(FRESH),
            since: AtomicU64::new(0),
            epoch,
            interrupt: OnceLock::new(),
            cut: AtomicBool::new(false),
        };
        if let Some(interrupt) = interrupt {
            let _ = seat.interrupt.set(interrupt);
        }
        seat.since.store(seat.ticks(now), Ordering::Relaxed);
        seat
    }

    /// The first byte of a request has come. False if the place was taken before.
    #[inline]
    pub(crate) fn begin(&self) -> bool {
        let busy =
            |from| self.state.compare_exchange(from, BUSY, Ordering::AcqRel, Ordering::Acquire);
        busy(IDLE).is_ok() || busy(FRESH).is_ok() || self.state.load(Ordering::Acquire) == BUSY
    }

    /// A response is written, and the connection waits for the next request.
    #[inline]
    pub(crate) fn go_idle(&self, now: Instant) {
        self.since.store(self.ticks(now), Ordering::Relaxed);
        // Sequentially consistent, like the phase: of a connection that goes idle and a drain that
        // begins, at least one sees the other. One that was idle already may have been taken.
        let _ = self.state.compare_exchange(BUSY, IDLE, Ordering::SeqCst, Ordering::Acquire);
    }

    /// The time after the epoch in one word, in order: seconds above, nanoseconds in the low 30 bits.
    #[inline]
    fn ticks(&self, now: Instant) -> u64 {
        let time = now.saturating_duration_since(self.epoch);
        time.as_secs() << 30 | u64::from(time.subsec_nanos())
    }

    fn since(&self) -> Instant {
        let ticks = self.since.load(Ordering::Relaxed);
        self.epoch
            + Duration::from_secs(ticks >> 30)
            + Duration::from_nanos(ticks & ((1 << 30) - 1))
    }

    /// Since when the connection is quiet: idle, or fresh and silent for longer than [`FRESH_GRACE`].
    /// `None` if it is not.
    pub(crate) fn quiet_since(&self, now: Instant) -> Option<u64> {
        let since = self.since.load(Ordering::Relaxed);
        match self.state.load(Ordering::Acquire) {
            IDLE => Some(since),
            FRESH if self.grace_left(now).is_none() => Some(since),
            _ => None,
        }
    }

    /// What a connection has left to send its first byte before it counts as quiet; `None` if its
    /// grace is over, or it is not fresh.
    pub(crate) fn grace_left(&self, now: Instant) -> Option<Duration> {
        let left = FRESH_GRACE.saturating_sub(now.saturating_duration_since(self.since()));
        (self.state.load(Ordering::Acquire) == FRESH && !left.is_zero()).then_some(left)
    }

    /// Takes the place of a quiet connection and ends its reads. False if it is not quiet.
    pub(crate) fn take_quiet(&self, now: Instant) -> bool {
        self.take(IDLE) || (self.grace_left(now).is_none() && self.take(FRESH))
    }

    fn take(&self, from: u8) -> bool {
        let Some(interrupt) = self.interrupt.get() else { return false };
        let taken =
            self.state.compare_exchange(from, WOKEN, Ordering::SeqCst, Ordering::Acquire).is_ok();
        if taken {
            interrupt.end_reads();
        }
        taken
    }

    /// Whether the place was taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.state.load(Ordering::Acquire) == WOKEN
    }

    /// Whether everything was ended.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Ends everything: reads give the end, writes fail.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        if let Some(interrupt) = self.interrupt.get() {
            interrupt.cut();
        }
    }
}

/// What a server is doing, as a health check wants to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// It accepts connections and keeps them.
    Ready,
    /// It still accepts, but is about to go: health checks should fail, and every response says
    /// `Connection: close`.
    LameDuck,
    /// It accepts no more, and finishes what it has begun.
    Draining,
}

/// The state of the server, shared by all threads.
pub(crate) struct Phase(AtomicU8);

impl Phase {
    pub(crate) fn ready() -> Self {
        Self(AtomicU8::new(0))
    }

    #[inline]
    pub(crate) fn get(&self) -> State {
        match self.0.load(Ordering::SeqCst) {
            0 => State::Ready,
            1 => State::LameDuck,
            _ => State::Draining,
        }
    }

    pub(crate) fn set(&self, state: State) {
        let number = match state {
            State::Ready => 0,
            State::LameDuck => 1,
            State::Draining => 2,
        };
        self.0.store(number, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_comes_late_is_not_taken_for_one_that_was_always_silent() {
        let epoch = Instant::now();
        let now = epoch + Duration::from_secs(3600);
        let seat = Seat::new(epoch, now, None);
        assert_eq!((seat.grace_left(now), seat.quiet_since(now)), (Some(FRESH_GRACE), None));
        let later = now + FRESH_GRACE;
        assert!(seat.grace_left(later).is_none() && seat.quiet_since(later).is_some());
    }
}

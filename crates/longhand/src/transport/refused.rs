//! Connections that were turned away and are still open, so that their answer is not lost.
//!
//! Closing a socket while the peer's request lies unread in it sends a reset, and a reset throws the
//! answer away on the peer's side. A thread cannot wait for each of thousands of peers; so one thread
//! looks after all of them, without blocking, until each has ended, fallen silent, or had its time.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::stream::Stream;

/// How many are kept; for one more, the oldest is closed.
const PLACES: usize = 256;

/// Silence after which one is closed, and its time altogether.
const SILENCE: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(5);

/// How often they are looked after while there are any.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Refused<S>(Mutex<VecDeque<Leaving<S>>>);

/// One that is on its way out.
#[derive(Debug)]
struct Leaving<S> {
    stream: Arc<S>,
    since: Instant,
    heard: Instant,
}

impl<S> Default for Refused<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Stream> Refused<S> {
    /// Answers, ends the sending side, and keeps the stream for [`tend`](Self::tend).
    pub(super) fn turn_away(&self, stream: Arc<S>, answer: &[u8]) {
        // The send buffer of a fresh socket is empty: a short answer fits or the peer has gone.
        let sent =
            stream.set_blocking(false).and_then(|()| stream.send(&[io::IoSlice::new(answer)]));
        if sent.is_err() {
            return;
        }
        let _ = stream.end(Shutdown::Write);
        let now = Instant::now();
        let mut ring = self.ring();
        let oldest = if ring.len() == PLACES { ring.pop_front() } else { None };
        ring.push_back(Leaving { stream, since: now, heard: now });
        drop(ring);
        if let Some(mut oldest) = oldest {
            oldest.hear(&mut [0; 4096]);
        }
    }

    /// Reads what has come, and closes those that are done. Gives when to look again, if any is left.
    pub(super) fn tend(&self) -> Option<Duration> {
        let mut ring = self.ring();
        if ring.is_empty() {
            return None;
        }
        let mut scrap = vec![0; 64 << 10];
        ring.retain_mut(|leaving| leaving.hear(&mut scrap));
        (!ring.is_empty()).then_some(AGAIN)
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Leaving<S>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Stream> Leaving<S> {
    /// Reads without waiting and not without end. False when it is time to close.
    fn hear(&mut self, scrap: &mut [u8]) -> bool {
        let now = Instant::now();
        for _ in 0..16 {
            match self.stream.receive(scrap) {
                Ok(1..) => self.heard = now,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(0) | Err(_) => return false,
            }
        }
        now.duration_since(self.heard) < SILENCE && now.duration_since(self.since) < TIME
    }
}

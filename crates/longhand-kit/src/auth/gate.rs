//! A gate for work that takes a whole core: few at once, some wait, the rest is sent away.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Two: with one, a single slow guess would hold up everybody; with more, guesses would take the
/// cores that answer everybody else.
const AT_ONCE: usize = 2;

/// Threads that wait, each with its connection: what can be served while they are patient, and a
/// small part of all connections.
const WAITING: usize = 32;

#[derive(Default)]
pub(super) struct Gate {
    counts: Mutex<Counts>,
    freed: Condvar,
}

#[derive(Default)]
struct Counts {
    inside: usize,
    waiting: usize,
}

/// A place inside, free again when it is dropped.
pub(super) struct Pass<'g>(&'g Gate);

impl Gate {
    /// Waits for a place for at most as long as `patience`; `None` if there is none, or too many
    /// wait already.
    pub(super) fn enter(&self, patience: Duration) -> Option<Pass<'_>> {
        let mut counts = self.counts();
        if counts.inside >= AT_ONCE {
            if counts.waiting >= WAITING {
                return None;
            }
            counts.waiting += 1;
            (counts, _) = self
                .freed
                .wait_timeout_while(counts, patience, |counts| counts.inside >= AT_ONCE)
                .unwrap_or_else(PoisonError::into_inner);
            counts.waiting -= 1;
            if counts.inside >= AT_ONCE {
                return None;
            }
        }
        counts.inside += 1;
        Some(Pass(self))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.counts().inside -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    // For the tests of others as well.
    impl Gate {
        /// Fills every place inside and every place to wait, for good.
        pub(in crate::auth) fn shut(&self) {
            *self.counts() = Counts { inside: AT_ONCE, waiting: WAITING };
        }

        fn numbers(&self) -> (usize, usize) {
            let counts = self.counts();
            (counts.inside, counts.waiting)
        }
    }

    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn whoever_finds_no_place_in_time_is_sent_away() {
        let gate = Gate::default();
        let first = gate.enter(Duration::ZERO).unwrap();
        let second = gate.enter(Duration::ZERO).unwrap();
        assert!(gate.enter(Duration::ZERO).is_none());
        assert!(gate.enter(Duration::from_millis(1)).is_none());
        drop(first);
        let third = gate.enter(Duration::ZERO).unwrap();
        assert!(gate.enter(Duration::ZERO).is_none());
        drop((second, third));
        assert_eq!(gate.numbers(), (0, 0));
    }

    #[test]
    fn those_who_wait_come_in_and_never_more_than_two_are_inside() {
        let gate = Gate::default();
        let passes = [(); AT_ONCE].map(|()| gate.enter(Duration::ZERO).unwrap());
        thread::scope(|scope| {
            let threads: Vec<_> = (0..WAITING)
                .map(|_| {
                    scope.spawn(|| {
                        let pass = gate.enter(LONG).unwrap();
                        assert!(gate.numbers().0 <= AT_ONCE);
                        drop(pass);
                    })
                })
                .collect();
            while gate.numbers().1 < WAITING {
                thread::yield_now();
            }
            // One too many does not even wait.
            assert!(gate.enter(LONG).is_none());
            drop(passes);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(gate.numbers(), (0, 0));
    }

    #[test]
    fn a_panic_inside_frees_its_place() {
        let gate = Gate::default();
        for _ in 0..AT_ONCE + 1 {
            let panics = || {
                let _pass = gate.enter(Duration::ZERO).unwrap();
                panic!("while it verified");
            };
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        }
        assert!(gate.enter(Duration::ZERO).is_some());
    }
}

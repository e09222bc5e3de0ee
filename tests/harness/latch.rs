//! A door that is closed until somebody opens it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::client::NEVER;

/// A door for any number of threads: those who come before it is open wait.
#[derive(Clone, Debug, Default)]
pub struct Latch(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    open: bool,
    /// How many more may pass while it is closed.
    admitted: usize,
    waiting: usize,
}

impl Latch {
    /// Opens it for good.
    pub fn open(&self) {
        self.state().open = true;
        self.0.1.notify_all();
    }

    /// Lets so many through, and stays closed.
    pub fn admit(&self, count: usize) {
        self.state().admitted += count;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    ///
    /// # Panics
    /// If nobody opens it.
    pub fn pass(&self) {
        let mut state = self.state();
        state.waiting += 1;
        self.0.1.notify_all();
        let wait =
            self.0.1.wait_timeout_while(state, NEVER, |state| !state.open && state.admitted == 0);
        let (mut state, waited) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "nobody opens the door");
        state.waiting -= 1;
        if !state.open {
            state.admitted -= 1;
        }
    }

    /// Waits until so many wait at it.
    ///
    /// # Panics
    /// If they do not come.
    pub fn wait_for(&self, waiting: usize) {
        let state = self.state();
        let wait = self.0.1.wait_timeout_while(state, NEVER, |state| state.waiting < waiting);
        let waited = wait.unwrap_or_else(PoisonError::into_inner).1;
        assert!(!waited.timed_out(), "they do not come");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opened when dropped, so that a test that fails lets go of those who wait.
#[derive(Debug)]
pub struct OpensAtLast(pub Latch);

impl Drop for OpensAtLast {
    fn drop(&mut self) {
        self.0.open();
    }
}

//! The one read buffer of a connection: small at first, grown for a head that needs it.
//!
//! Everything that arrives goes through it or straight into a body's reader, so pipelined bytes are
//! never lost: what one request leaves is where the next begins.

use std::io;
use std::time::{Duration, Instant};

use crate::link::Link;

/// What most heads fit in; with its stack, this is most of what an idle connection costs.
const SMALL: usize = 2 << 10;

/// What stands behind a head for its body to be read through.
pub(crate) const BEHIND: usize = 2 << 10;

/// Bytes received and not used yet: `bytes[start..end]`.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; SMALL], start: 0, end: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether all there is are empty lines before a request, or a beginning of them (RFC 9112 section 2.2).
    pub(crate) fn is_blank(&self) -> bool {
        b"\r\n\r\n".starts_with(self.filled())
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The first `head` bytes, to be shared, and all that is behind them, to be written to.
    pub(crate) fn split(&mut self, head: usize) -> (&[u8], &mut [u8]) {
        let (front, behind) = self.bytes.split_at_mut(self.start + head);
        (&front[self.start..], behind)
    }

    /// How many bytes have arrived behind the first `head` ones.
    pub(crate) fn behind(&self, head: usize) -> usize {
        self.end - self.start - head
    }

    /// What is left after a message: `from..to` behind its head.
    pub(crate) fn leave(&mut self, head: usize, from: usize, to: usize) {
        (self.start, self.end) = (self.start + head + from, self.start + head + to);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Makes room for `more` bytes behind the first `head` ones, by moving what is filled to the
    /// front and, if that is not enough, by growing.
    pub(crate) fn reserve(&mut self, head: usize, more: usize) {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.bytes.len() < head + more {
            self.bytes.resize((head + more).max(self.bytes.len() * 2), 0);
        }
    }

    /// Reads once, behind what is filled; makes room first if there is none. Nothing may be gathered that
    /// the peer waits for.
    #[inline(always)]
    pub(crate) fn fill(
        &mut self,
        link: &mut Link<'_>,
        now: Instant,
        left: Duration,
    ) -> io::Result<usize> {
        if self.end == self.bytes.len() {
            self.reserve(self.end - self.start, 1);
        }
        let count = link.read(&mut self.bytes[self.end..], now, left)?;
        self.end += count;
        Ok(count)
    }

    /// Gives memory back that an idle connection does not need.
    pub(crate) fn shrink(&mut self) {
        // Four times as much is kept: the next head is likely as large.
        if self.is_empty() && self.bytes.len() > 4 * SMALL {
            *self = Self::new();
        }
    }
}

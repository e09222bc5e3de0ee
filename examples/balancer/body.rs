//! Bodies on their way: a request's, which may have to be sent twice, and a response's.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use longhand::Request;
use longhand::transport::Transport;

use crate::backend::{Backend, Upstream};

/// The longest body that is sent again.
const KEPT: usize = 64 << 10;

/// The body of a request. It streams: what was read is kept while it is short, and where it may be sent
/// again at all.
pub(crate) struct Replay<'r, 'c> {
    request: &'r mut Request<'c>,
    /// All that was read, if it is still there; the first `at` of it have been sent.
    kept: Option<Vec<u8>>,
    at: usize,
}

impl<'r, 'c> Replay<'r, 'c> {
    pub(crate) fn new(request: &'r mut Request<'c>, again: bool) -> Self {
        Self { request, kept: again.then(Vec::new), at: 0 }
    }

    /// Begins anew, if it may and can.
    pub(crate) fn rewind(&mut self) -> bool {
        self.at = 0;
        self.kept.is_some()
    }
}

impl Read for Replay<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let again = self.kept.as_ref().map_or(&[][..], |kept| &kept[self.at..]).read(into)?;
        self.at += again;
        if again > 0 {
            return Ok(again);
        }
        let count = self.request.body().read(into)?;
        self.kept = self.kept.take().filter(|kept| kept.len() + count <= KEPT);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&into[..count]);
            self.at = kept.len();
        }
        Ok(count)
    }
}

/// The body of a response. Whole, it leaves its connection to the next request; one that breaks off is an
/// error, by which the client is cut off too.
pub(crate) struct Incoming {
    pub(crate) upstream: Option<Upstream>,
    pub(crate) backend: &'static Backend,
    /// It counts as a request of its backend as long as this lives.
    pub(crate) _flight: Arc<()>,
    pub(crate) patience: Duration,
    /// Its request was sent whole, and the connection may be used again.
    pub(crate) keeps: bool,
}

impl Incoming {
    /// Whether all of it has come.
    pub(crate) fn is_over(&mut self) -> bool {
        match self.upstream.take_if(|upstream| upstream.is_over()) {
            Some(upstream) if self.keeps && upstream.may_persist() => self.backend.keep(upstream),
            _ => {}
        }
        self.upstream.is_none()
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(upstream) = &mut self.upstream else { return Ok(0) };
        upstream.source().set_read_deadline(Instant::now(), Some(self.patience));
        let read = upstream.read(into).inspect_err(|_| self.backend.failed());
        self.is_over();
        read
    }
}

#[cfg(test)]
mod tests {
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    use super::*;

    #[test]
    fn a_short_body_is_there_again_and_a_long_one_or_one_for_once_is_not() {
        for (length, again, expected) in
            [(0, true, true), (KEPT, true, true), (KEPT + 1, true, false), (1, false, false)]
        {
            let head = format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
            let mut peer = Scripted::new().send(head).send("x".repeat(length)).end();
            serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
                let mut replay = Replay::new(request, again);
                let mut first = [0; 7];
                assert_eq!(replay.read(&mut first)?, length.min(7));
                assert_eq!(replay.rewind(), again, "so far it is short");
                let mut all = Vec::new();
                replay.read_to_end(&mut all)?;
                assert_eq!(all.len(), if again { length } else { 0 });
                assert_eq!(replay.rewind(), expected, "{length} {again}");
                io::Result::Ok(Response::text("done"))
            });
            assert!(peer.output_text().contains(" 200 OK"), "{}", peer.output_text());
        }
    }
}

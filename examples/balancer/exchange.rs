//! One request with one backend: its head and body there, the answer's head and body back.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use longhand::transport::Transport;
use longhand::wire::{Framing, Status, Version, encode_chunk_size};
use longhand::{FieldValue, IntoResponse, Response};

use crate::backend::{Backend, Upstream};
use crate::fields::{Outgoing, passing};

/// Bytes of a request's body that are sent at once.
const PIECE: usize = 32 << 10;
/// How long a body waits for the 100 that its client asked for.
const EXPECTED: Duration = Duration::from_secs(1);
/// How often one that waits for an answer looks whether the backend still answers its checks: one that is
/// cut off the network does not even refuse.
const LOOK: Duration = Duration::from_millis(250);

/// The head of an answer, and the length that its body has, or would have if this were no HEAD.
struct Answer {
    status: Status,
    fields: Vec<(String, FieldValue)>,
    length: Option<u64>,
}

impl Outgoing<'_, '_> {
    /// Asks one, over a kept connection first if the request may be sent again.
    pub(crate) fn ask(&mut self, backend: &'static Backend) -> io::Result<Response> {
        if let Some(kept) = self.again.then(|| backend.kept()).flatten() {
            match self.over(kept, backend) {
                // It was closing while it was asked, which is nobody's fault.
                Err(error) if is_end(&error) && !backend.health().silent => {}
                heard => return heard,
            }
        }
        self.sent = false;
        self.over(backend.connect()?, backend)
    }

    /// Sends the request and reads the head of its answer, whose body is read when the client gets it.
    fn over(&mut self, mut upstream: Upstream, backend: &'static Backend) -> io::Result<Response> {
        self.sent = true;
        let (flight, patience) = (Arc::clone(&backend.flight), backend.times.answer);
        // One that takes no more may have said why: the failure is in what it answers.
        let mut takes = upstream.source().write_all(&self.begin).is_ok();
        let expected = self.expects.then(|| self.next_answer(&mut upstream, EXPECTED));
        let mut answer = expected.transpose()?.flatten();
        let mut whole = !self.streams;
        let mut piece = vec![0; if whole { 0 } else { PIECE }];
        // Who is refused before all was sent sends no more (RFC 9112 section 9.5).
        let refuses = |answer: &Answer| answer.status >= Status::MULTIPLE_CHOICES;
        while takes && !whole && !answer.as_ref().is_some_and(refuses) {
            let count = match self.request.body().read(&mut piece) {
                Ok(count) => count,
                // No backend's fault.
                Err(error) => return Ok(error.into_response()),
            };
            whole = count == 0;
            takes = upstream.source().write_all(&framed(self.framing, &piece[..count])).is_ok();
            if answer.is_none() && !(upstream.buffered().is_empty() && upstream.source().is_quiet())
            {
                answer = self.next_answer(&mut upstream, LOOK)?;
            }
        }
        let since = Instant::now();
        let answer = loop {
            if let Some(answer) = answer {
                break answer;
            }
            let left = patience.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            // Who can be asked elsewhere waits no longer.
            if self.again && backend.health().silent {
                return Err(ErrorKind::ConnectionAborted.into());
            }
            answer = self.next_answer(&mut upstream, left.min(LOOK))?;
        };
        backend.answered();
        let (upstream, whole) = (Some(upstream), whole && takes);
        let incoming = Incoming { upstream, backend, _flight: flight, whole };
        let response = Response::reader("", incoming, answer.length).without_field("Content-Type");
        let add = |response: Response, (name, value)| response.add_field(name, value);
        Ok(answer.fields.into_iter().fold(response.status(answer.status), add))
    }

    /// The next head, if it is a final one; `None` is an interim one, which goes no further, or none so far.
    fn next_answer(&self, upstream: &mut Upstream, left: Duration) -> io::Result<Option<Answer>> {
        upstream.source().set_read_deadline(Instant::now(), Some(left));
        let head = match upstream.head(self.method) {
            Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(None),
            head => head?,
        };
        if head.status == Status::SWITCHING_PROTOCOLS {
            return Err(io::Error::new(ErrorKind::InvalidData, "it switches protocols unasked"));
        }
        if head.status.is_interim() {
            return Ok(None);
        }
        let length = match Framing::of_response(&head, "GET")? {
            Some(Framing::Length(length)) => Some(length),
            _ => None,
        };
        let number = if head.version == Version::Http10 { "1.0" } else { "1.1" };
        let via = format!("{number} {}", self.via);
        let fields = passing(head.fields).chain([("Via", via.as_bytes())]);
        let field = |(name, value): (&str, &[u8])| Ok((name.to_owned(), FieldValue::new(value)?));
        let fields = fields.map(field).collect::<io::Result<_>>()?;
        Ok(Some(Answer { status: head.status, fields, length }))
    }
}

// ABNF: chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF             (RFC 9112 section 7.1)
/// A piece of a body as it goes out. The empty one is the last chunk and no trailers, or nothing.
fn framed(framing: Framing, piece: &[u8]) -> Vec<u8> {
    let (mut size, mut end) = (Vec::new(), "");
    if framing == Framing::Chunked {
        encode_chunk_size(piece.len(), &mut size);
        end = "\r\n";
    }
    [&size, piece, end.as_bytes()].concat()
}

/// Whether it says that a connection ended.
pub(crate) fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

/// The body of a response. One that breaks off is an error, by which the client is cut off too. It does not
/// count against the backend, who may have waited too long for that client.
struct Incoming {
    upstream: Option<Upstream>,
    backend: &'static Backend,
    /// It counts as a request of its backend as long as this lives.
    _flight: Arc<()>,
    /// Its request was sent whole.
    whole: bool,
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(upstream) = &mut self.upstream else { return Ok(0) };
        upstream.source().set_read_deadline(Instant::now(), Some(self.backend.times.answer));
        upstream.read(into)
    }
}

/// Where nothing is left to come, the next request may have the connection.
impl Drop for Incoming {
    fn drop(&mut self) {
        let upstream = self.upstream.take().filter(|upstream| self.whole && upstream.may_persist());
        upstream.into_iter().for_each(|upstream| self.backend.keep(upstream));
    }
}

//! One sequence, carried out.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use longhand::transport::{Happened, Scripted};
use longhand::wire::Violation;
use longhand::{Request, Response, Why, serve_connection};

use crate::events::{Act, Deed, limits};

/// In which pieces the bytes of a sequence come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Each event's at once.
    AsSent,
    /// All between two pauses at once.
    Joined,
    /// One by one.
    Bytes,
}

/// How much the peer reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    All,
    Only(usize),
}

/// What a handler saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) deed: Deed,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    /// Whether it read to the end of the body.
    pub(crate) whole: bool,
    pub(crate) failure: Option<Failure>,
}

/// How a body failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// By a rule, which has this status.
    Rule(u16),
    /// With the connection.
    Transport,
}

/// What came of a sequence.
pub(crate) struct Run {
    pub(crate) calls: Vec<Call>,
    pub(crate) output: Vec<u8>,
    pub(crate) happened: Vec<(Duration, Happened)>,
    pub(crate) why: Why,
    pub(crate) elapsed: Duration,
    /// A handler was called for which there is no deed.
    pub(crate) wants_deed: bool,
    /// How many responses still hold what they took.
    pub(crate) held: usize,
}

impl Run {
    pub(crate) fn new(acts: &[Act], deeds: &[Deed], cut: Cut, takes: Takes) -> Self {
        let mut peer = peer(acts, cut);
        if let Takes::Only(bytes) = takes {
            peer = peer.takes_only(bytes);
        }
        let (calls, wants_deed) = (RefCell::new(Vec::new()), Cell::new(false));
        let held = Rc::new(());
        let why = serve_connection(&mut peer, &limits(), |request: &mut Request<'_>| {
            let number = calls.borrow().len();
            let Some(deed) = deeds.get(number).filter(|_| !wants_deed.get()) else {
                wants_deed.set(true);
                return Ok(Response::text("").close());
            };
            let (call, read) = read(*deed, request);
            calls.borrow_mut().push(call);
            // Whether a handler passes a failure on or hides it makes no difference, so one of them does.
            if *deed == Deed::All {
                read?;
            }
            Ok::<_, io::Error>(answer(*deed, number, Rc::clone(&held)))
        });
        Self {
            calls: calls.into_inner(),
            output: peer.output(),
            happened: peer.happened().to_vec(),
            why,
            elapsed: peer.elapsed(),
            wants_deed: wants_deed.get(),
            held: Rc::strong_count(&held) - 1,
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, output, why, elapsed, .. } = self;
        write!(f, "{why:?} after {elapsed:?}: {calls:?}\n\"{}\"", output.escape_ascii())?;
        for (at, what) in &self.happened {
            match what {
                Happened::Wrote(bytes) => write!(f, "\n{at:?} Wrote({})", bytes.len())?,
                other => write!(f, "\n{at:?} {other:?}")?,
            }
        }
        Ok(())
    }
}

fn peer(acts: &[Act], cut: Cut) -> Scripted {
    let mut peer = Scripted::new();
    let mut gathered = Vec::new();
    for act in acts {
        match cut {
            Cut::AsSent => peer = peer.send(act.bytes()),
            Cut::Joined => gathered.extend_from_slice(act.bytes()),
            Cut::Bytes => peer = act.bytes().iter().fold(peer, |peer, octet| peer.send([*octet])),
        }
        if act.bytes().is_empty() {
            peer = peer.send(std::mem::take(&mut gathered));
        }
        peer = match (act, act.pause()) {
            (_, Some(pause)) => peer.wait(pause),
            (Act::End, _) => peer.end(),
            (Act::Reset, _) => peer.reset(),
            _ => peer,
        };
    }
    peer.send(gathered)
}

fn read(deed: Deed, request: &mut Request<'_>) -> (Call, io::Result<usize>) {
    let mut body = Vec::new();
    let read = match deed {
        Deed::Some | Deed::ReadsAndPanics => request.body().take(3).read_to_end(&mut body),
        Deed::All | Deed::Stream | Deed::StreamPanics | Deed::ReadsAndUpgrades => {
            request.body().read_to_end(&mut body)
        }
        _ => Ok(0),
    };
    let failure = read.as_ref().err().map(|error| {
        Violation::of(error)
            .map_or(Failure::Transport, |violation| Failure::Rule(violation.status().code()))
    });
    // Of three bytes, a body with fewer shows its end.
    let ended = match deed {
        Deed::Some | Deed::ReadsAndPanics => body.len() < 3,
        Deed::All | Deed::Stream | Deed::StreamPanics | Deed::ReadsAndUpgrades => true,
        _ => false,
    };
    let whole = read.is_ok() && ended;
    let (method, path) = (request.method().to_owned(), request.path().to_owned());
    let call = Call { deed, method, path, body, whole, failure };
    if deed == Deed::ReadsAndPanics {
        return (call, Ok(0));
    }
    (call, read)
}

/// What a deed answers with: the number of its call, so that order shows.
fn answer(deed: Deed, number: usize, held: Rc<()>) -> Response {
    let text = number.to_string();
    match deed {
        Deed::None | Deed::Some | Deed::All => Response::text(text),
        Deed::Closes => Response::text(text).close(),
        Deed::Panics | Deed::ReadsAndPanics => resume_unwind(Box::new("planned")),
        Deed::Short => {
            let source = Holding { left: text.into_bytes(), held };
            Response::reader("text/plain", source, Some(5))
        }
        Deed::Stream | Deed::StreamFails | Deed::StreamPanics => {
            Response::stream("text/plain", move |out| {
                let _held = held;
                out.write_all(text.as_bytes())?;
                out.flush()?;
                match deed {
                    Deed::StreamFails => Err(ErrorKind::Other.into()),
                    Deed::StreamPanics => resume_unwind(Box::new("planned")),
                    _ => Ok(()),
                }
            })
        }
        Deed::Upgrades | Deed::ReadsAndUpgrades => Response::upgrade("echo", move |mut stream| {
            let _held = held;
            let mut four = [0; 4];
            let mut filled = 0;
            while filled < four.len() {
                match stream.read(&mut four[filled..])? {
                    0 => break,
                    count => filled += count,
                }
            }
            stream.write_all(&four[..filled])
        }),
    }
}

/// A source that holds something.
struct Holding {
    left: Vec<u8>,
    held: Rc<()>,
}

impl Read for Holding {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(Rc::strong_count(&self.held) > 1);
        let count = self.left.as_slice().read(into)?;
        self.left.drain(..count);
        Ok(count)
    }
}

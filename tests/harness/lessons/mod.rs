//! What learners' servers trip over, as checks of any server over a socket.
//!
//! An address enters; out comes one [`Report`] for each check: what was sent, what was wanted and why,
//! and what came back, taken apart by `wire::explain_response`. The server may be written in any
//! language. What it must offer is little: `GET /` is answered with 200, `POST /echo` with the body,
//! and `GET /slow` takes a second. Where a check needs more, it says so, and is left out for a server
//! that has not got it.
//!
//! Every wait has an end: [`Patience`] is for one answer, and for all checks together.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::client::{Event, Stop, Talk};

mod checks;
mod client;
mod report;

/// A rule that a server keeps, and how to find out.
#[derive(Debug)]
pub struct Check {
    /// `S5b`: the lesson, and which of its checks.
    pub name: &'static str,
    /// What holds.
    pub title: &'static str,
    /// How somebody who uses the server reports that it does not.
    pub symptom: &'static str,
    /// What is wanted on the wire.
    pub expected: &'static str,
    /// Why that is so.
    pub why: &'static str,
    /// Where it stands.
    pub section: &'static str,
    /// What the server must offer for it.
    pub needs: &'static str,
    run: fn(&mut Talk) -> Result<(), Stop>,
}

/// All of them, in the order in which they are run.
pub const CHECKS: &[Check] = &[
    Check {
        name: "S1",
        title: "a head that comes in pieces is one request",
        symptom: "from a slow network, some visits get 404 or nothing for an address that works",
        expected: "silence until the head is whole, then one 200",
        why: "TCP carries bytes, not messages: a read ends anywhere, also between CR and LF, and only \
              the empty line ends a head",
        section: "RFC 9112 section 2.2",
        needs: "GET / answered with 200",
        run: checks::pieces,
    },
    Check {
        name: "S2",
        title: "a body belongs to its request",
        symptom: "the first note comes back, the next one on the same connection gets nonsense",
        expected: "both bodies come back, byte for byte",
        why: "a request ends where its body ends; what is left in the pipe is read as the next request",
        section: "RFC 9112 section 6.3",
        needs: "POST /echo answered with the body, on a connection that stays open",
        run: checks::bodies,
    },
    Check {
        name: "S3",
        title: "an answer says where it ends",
        symptom: "the page is there, but the browser's wheel turns for ever and curl does not return",
        expected: "an answer with a length or in chunks, or a connection that closes behind it",
        why: "without a length an answer runs until the connection closes, and the client can only wait",
        section: "RFC 9112 section 6.3",
        needs: "GET / answered with 200",
        run: checks::ending,
    },
    Check {
        name: "S4",
        title: "whoever is refused can read why",
        symptom: "who sends a file that is too large sees a reset connection instead of the reason",
        expected: "413, all 4,000,000 bytes taken off the wire, and an end that is no reset",
        why: "closing with bytes unread resets the connection, and a reset may destroy the answer; close \
              the writing side first, and read on for a while",
        section: "RFC 9112 section 9.6",
        needs: "POST /echo to refuse a body of 4,000,000 bytes by its length",
        run: checks::refusal,
    },
    Check {
        name: "S5a",
        title: "who connects and says nothing stops nobody",
        symptom: "now and then the server hangs for everybody, while one browser does nothing",
        expected: "200 while eight other connections have sent no byte",
        why: "browsers open connections before they need them; each waits on its own, or all wait",
        section: "RFC 9112 section 9.4",
        needs: "GET / answered with 200",
        run: checks::idle,
    },
    Check {
        name: "S5b",
        title: "a server can be its own client",
        symptom: "it hangs when somebody saves the address of the server itself",
        expected: "a redirect, after the server has asked itself",
        why: "while one request waits for another one of the same server, that one must be served",
        section: "RFC 9110 section 3.3",
        needs: "a bookmark server: POST / with longuri and shortname fetches longuri, then redirects",
        run: checks::itself,
    },
    Check {
        name: "S6a",
        title: "two requests that take long overlap",
        symptom: "there are several workers, but two slow pages take twice as long as one",
        expected: "both answers of a second each, within 1.9 seconds",
        why: "a worker that holds the queue's lock while it works keeps all others from working",
        section: "RFC 9112 section 9.4",
        needs: "GET /slow answered with 200 after a second",
        run: checks::overlap,
    },
    Check {
        name: "S7",
        title: "a request with two lengths is the last one",
        symptom: "behind a proxy, somebody gets the answer to somebody else's request",
        expected: "one answer, best a 400, then the end of the connection",
        why: "Content-Length and Transfer-Encoding together mean that two servers in a row may see the \
              end in two places, and a stranger's request in between",
        section: "RFC 9112 section 6.1",
        needs: "",
        run: checks::two_lengths,
    },
    // The last, because some servers do not survive it.
    Check {
        name: "S6b",
        title: "who connects and leaves breaks nothing",
        symptom: "after a port scan, or a morning of browsers, nobody gets an answer any more",
        expected: "200 after ten connections that ended without a byte",
        why: "a client may close at any byte, also before the first; that is the end of one connection, \
              not of a worker",
        section: "RFC 9112 section 9.5",
        needs: "GET / answered with 200",
        run: checks::leaving,
    },
];

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one answer.
    pub answer: Duration,
    /// When all must be over.
    pub until: Instant,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not: what was seen instead.
    Failed(String),
    /// No connection can be made.
    Unreachable(String),
    /// The server has not got what the check needs.
    LeftOut(String),
}

/// One check of one server.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub check: &'static Check,
    /// What was found.
    pub outcome: Outcome,
    events: Vec<Event>,
}

impl Check {
    /// Checks the server at `address`.
    #[must_use]
    pub fn of(&'static self, address: SocketAddr, patience: Patience) -> Report {
        let mut talk = Talk { address, patience, events: Vec::new() };
        let outcome = match (self.run)(&mut talk) {
            Ok(()) => Outcome::Passed,
            Err(Stop::Failed(why)) => Outcome::Failed(why),
            Err(Stop::Unreachable(why)) => Outcome::Unreachable(why),
            Err(Stop::Missing(why)) => Outcome::LeftOut(why),
        };
        Report { check: self, outcome, events: talk.events }
    }
}

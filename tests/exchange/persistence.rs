//! Which connections persist (RFC 9112 section 9.3), as a table over everything that decides it.

use std::io::{self, Read};

use harness::talk::talk;
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Why};

use crate::{GET, request};

/// How much of its body a handler reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    Nothing,
    Some,
    All,
}

/// How the body of a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    NotAtAll,
    Known,
    Large,
    Chunked,
    /// Of known length, announced by `Expect: 100-continue`.
    Expecting,
    ExpectingChunked,
}

const READS: [Reads; 3] = [Reads::Nothing, Reads::Some, Reads::All];
const COMES: [Comes; 6] = [
    Comes::NotAtAll,
    Comes::Known,
    Comes::Large,
    Comes::Chunked,
    Comes::Expecting,
    Comes::ExpectingChunked,
];

/// Connection fields, and whether the client lets the connection go on: on 1.0, on 1.1.
const CONNECTIONS: [(&str, bool, bool); 9] = [
    ("", false, true),
    ("Connection: close\r\n", false, false),
    ("Connection: keep-alive\r\n", true, true),
    ("Connection: Keep-Alive\r\n", true, true),
    ("Connection: keep-alive, close\r\n", false, false),
    ("Connection: close\r\nConnection: keep-alive\r\n", false, false),
    ("Connection: , x ,CLOSE\r\n", false, false),
    ("Connection: x\r\n", false, true),
    ("Connection: closed\r\n", false, true),
];

/// The drain of these tests: less than the large body leaves unread.
const DRAIN: usize = 100;

impl Comes {
    fn fields(self) -> String {
        match self {
            Self::NotAtAll => String::new(),
            Self::Known => "Content-Length: 10\r\n".to_owned(),
            Self::Large => format!("Content-Length: {}\r\n", 2 * DRAIN),
            Self::Chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
            Self::Expecting => format!("Expect: 100-continue\r\n{}", Self::Known.fields()),
            Self::ExpectingChunked => format!("Expect: 100-continue\r\n{}", Self::Chunked.fields()),
        }
    }

    fn body(self) -> String {
        match self {
            Self::NotAtAll => String::new(),
            Self::Known | Self::Expecting => "0123456789".to_owned(),
            Self::Large => "a".repeat(2 * DRAIN),
            Self::Chunked | Self::ExpectingChunked => {
                "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n".to_owned()
            }
        }
    }

    /// Whether a connection goes on behind it by what the design says of bodies: an unread one of
    /// known length up to the drain is read and dropped, everything else closes.
    fn lets_go_on(self, reads: Reads, newer: bool) -> bool {
        match (self, reads) {
            (Self::NotAtAll, _) | (_, Reads::All) => true,
            (Self::Known, _) | (Self::Expecting, Reads::Some) => true,
            // HTTP/1.0 knows no expectations: nobody waits.
            (Self::Expecting, Reads::Nothing) => !newer,
            (Self::Large | Self::Chunked | Self::ExpectingChunked, _) => false,
        }
    }
}

fn read(request: &mut Request<'_>, reads: Reads) -> io::Result<Response> {
    match reads {
        Reads::Nothing => {}
        Reads::Some => {
            // A body that does not come has no three bytes.
            let _ = request.body().take(3).read_to_end(&mut Vec::new())?;
        }
        Reads::All => {
            let _ = request.body().read_all()?;
        }
    }
    Ok(Response::text("answer"))
}

#[test]
fn the_persistence_table() {
    let limits = Limits { drain: DRAIN as u64, ..Limits::default() };
    let mut rows = 0;
    for newer in [false, true] {
        for (connection, old, new) in CONNECTIONS {
            for comes in
                COMES.into_iter().filter(|comes| newer || !comes.fields().contains("chunked"))
            {
                for reads in READS {
                    rows += 1;
                    let line = if newer { "POST / HTTP/1.1" } else { "POST / HTTP/1.0" };
                    let fields = format!("{connection}{}", comes.fields());
                    let first = request(line, &fields, &comes.body());
                    let row = format!("{first:?}, of which the handler reads {reads:?}");
                    let client = if newer { new } else { old };
                    let goes_on = client && comes.lets_go_on(reads, newer);

                    let peer = Scripted::new().send(&first).send(GET).end();
                    let talk =
                        talk(peer, &limits, |request: &mut Request<'_>| read(request, reads));
                    let finals: Vec<_> = talk.answers.iter().filter(|a| a.status != 100).collect();
                    assert_eq!(
                        finals.len(),
                        if goes_on { 2 } else { 1 },
                        "{row}: {:?}",
                        talk.answers
                    );
                    assert!(finals.iter().all(|answer| answer.status == 200), "{row}");
                    assert_eq!(finals[0].closes(), !goes_on, "{row}: every close is announced");
                    let kept = finals[0].field("connection") == Some("keep-alive");
                    assert_eq!(kept, goes_on && !newer, "{row}: said to HTTP/1.0 alone");
                    let why = match (goes_on, client) {
                        (true, _) => Why::PeerClosed,
                        (false, true) => Why::ServerAsked,
                        (false, false) => Why::PeerAsked,
                    };
                    assert_eq!(talk.why, why, "{row}");
                }
            }
        }
    }
    assert_eq!(rows, 9 * 3 * (6 + 4));
}

#[test]
fn a_response_that_closes_closes_whatever_the_client_wants() {
    for fields in ["", "Connection: keep-alive\r\n", "Connection: close\r\n"] {
        for version in ["HTTP/1.0", "HTTP/1.1"] {
            let first = request(&format!("GET / {version}"), fields, "");
            let peer = Scripted::new().send(first).send(GET).end();
            let talk = talk(peer, &Limits::default(), |_| Response::text("bye").close());
            assert!(talk.only().closes());
        }
    }
}

#[test]
fn a_higher_minor_version_is_served_as_http_1_1() {
    let peer = Scripted::new().send(request("GET / HTTP/1.7", "", "")).send(GET).end();
    let talk = talk(peer, &Limits::default(), |request: &mut Request<'_>| {
        Response::text(format!("{:?}", request.version()))
    });
    assert_eq!(talk.texts(), ["Http11", "Http11"]);
    assert!(talk.peer.output().starts_with(b"HTTP/1.1 "));
}

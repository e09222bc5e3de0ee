//! A whole conversation: what a connection makes of the bytes of its peer.
//!
//! The first byte chooses what the handler does; the rest is what the peer sends before it ends. The
//! parser that explains is asked which requests there are, and the connection may neither leave one out
//! nor make one up.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::time::Duration;

use longhand::transport::{Happened, Scripted};
use longhand::wire::{Parsed, Part, RequestHead, Verdict, explain};
use longhand::{Limits, Request, Response, Status, Why, serve_connection};

use super::wire::{message_end, part_bytes};
use super::{pieces, random_of, setting};
use crate::answer::{Answer, Extent, answers};
use crate::talk::Narrow;

/// What was seen of a request by its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    method: String,
    target: String,
    expects: bool,
    body: Vec<u8>,
    /// Whether the body was read to its end; else there may be more of it.
    whole: bool,
    failed: bool,
}

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    calls: Vec<Call>,
    output: Vec<u8>,
    why: Why,
}

/// A setting, and the bytes that a peer sends.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let (setting, wire) = setting(bytes);
    let limits = limits(setting);
    let mut random = random_of(bytes);
    let whole = serve(setting, wire, &[wire.len()], usize::MAX, &limits);
    let small = if wire.len() <= 600 { 1 } else { 24 };
    for largest in [small, 1 + wire.len() / 2] {
        let cut = pieces(wire.len(), largest, &mut random);
        let found = serve(setting, wire, &cut, usize::MAX, &limits);
        assert_eq!(found, whole, "the same in pieces: {cut:?}");
    }
    let most = 1 + whole.output.len() / (2 + random.below(30));
    let found = serve(setting, wire, &[wire.len()], most, &limits);
    assert_eq!(found, whole, "the same by {most} bytes at once");
    check_calls(wire, &limits, &whole);
    check_answers(wire, &limits, &whole);
}

fn limits(setting: u8) -> Limits {
    match setting & 0x40 {
        0 => Limits { drain: 40, ..Limits::default() },
        _ => Limits {
            target: 40,
            head: 200,
            fields: 6,
            body: 60,
            body_overhead: 20,
            drain: 0,
            ..Limits::default()
        },
    }
}

/// Serves a peer that sends the bytes in these pieces, over a road on which at most so many `bytes`
/// travel at once.
fn serve(setting: u8, wire: &[u8], pieces: &[usize], bytes: usize, limits: &Limits) -> Outcome {
    let mut peer = Scripted::new();
    let mut rest = wire;
    // Half a second altogether is less than any deadline, and the Date stays the same.
    let pauses = Duration::from_millis(if setting & 0x80 == 0 { 0 } else { 500 });
    let pause = pauses / u32::try_from(pieces.len() + 1).unwrap_or(u32::MAX);
    for piece in pieces {
        let (now, later) = rest.split_at(*piece);
        (peer, rest) = (peer.wait(pause).send(now), later);
    }
    let mut road = Narrow { peer: peer.end(), bytes };
    let calls = RefCell::new(Vec::new());
    let why = serve_connection(&mut road, limits, |request: &mut Request<'_>| {
        let number = u8::try_from(calls.borrow().len() % 251).unwrap_or(0);
        let (call, result) = take(setting.wrapping_add(number), request);
        calls.borrow_mut().push(call);
        result.map(|()| answer(setting.wrapping_add(number) >> 2))
    });
    let peer = road.peer;
    assert!(peer.elapsed() <= pauses, "a peer that ends costs no time but its own");
    let read = peer.happened().iter().map(|(_, happened)| match happened {
        Happened::Read(count) => *count,
        _ => 0,
    });
    assert!(read.sum::<usize>() <= wire.len());
    Outcome { calls: calls.into_inner(), output: peer.output(), why }
}

/// Reads none, some or all of the body, or all of it byte by byte.
fn take(how: u8, request: &mut Request<'_>) -> (Call, io::Result<()>) {
    let mut body = Vec::new();
    let read = match how & 3 {
        0 => Ok(0),
        1 => request.body().take(5).read_to_end(&mut body),
        2 => request.body().read_to_end(&mut body),
        _ => one_by_one(request, &mut body),
    };
    let call = Call {
        method: request.method().to_owned(),
        target: request.path().to_owned(),
        expects: request.field("expect").is_some(),
        whole: read.is_ok() && how & 2 == 2,
        failed: read.is_err(),
        body,
    };
    (call, read.map(drop))
}

fn one_by_one(request: &mut Request<'_>, body: &mut Vec<u8>) -> io::Result<usize> {
    let mut octet = [0];
    while request.body().read(&mut octet)? > 0 {
        body.push(octet[0]);
    }
    Ok(body.len())
}

fn answer(how: u8) -> Response {
    match how & 7 {
        0 => Response::text("hello"),
        // From 16 KiB on, a body is not gathered.
        1 => Response::bytes("text/plain", vec![b'x'; (16 << 10) - 1 + usize::from(how & 8 > 0)]),
        2 => Response::new(Status::NO_CONTENT),
        3 => Response::text("bye").close(),
        4 => Response::stream("text/plain", |out| {
            out.write_all(b"a")?;
            out.flush()?;
            out.trailer("Sum", "1");
            out.write_all(b"bc")
        }),
        5 => Response::reader("text/plain", &b"read"[..], None),
        6 => Response::reader("text/plain", &b"read"[..], Some(4)),
        _ => Response::new(Status::NOT_MODIFIED),
    }
}

/// That each call has its request: the messages that lie in the bytes, one behind the other.
fn check_calls(wire: &[u8], limits: &Limits, outcome: &Outcome) {
    let mut rest = wire;
    for (number, call) in outcome.calls.iter().enumerate() {
        let mut lines = Vec::new();
        let parsed = RequestHead::parse(rest, limits, &mut lines);
        let Ok(Parsed::Complete { value: head, .. }) = parsed else {
            panic!("call {number} has no request: {call:?}, {parsed:?}");
        };
        assert_eq!((head.method, head.target.path()), (&call.method[..], &call.target[..]));
        let explained = explain(rest, limits);
        let mut body = part_bytes(rest, &explained.spans, Part::Body);
        body.extend(part_bytes(rest, &explained.spans, Part::ChunkData));
        assert!(body.starts_with(&call.body), "call {number}: {call:?}");
        assert!(!call.whole || (body == call.body && explained.verdict == Verdict::Accepted));
        assert!(call.body.len() as u64 <= limits.body);
        if call.failed {
            let is_bad = explained.verdict != Verdict::Accepted || body.len() as u64 > limits.body;
            assert!(is_bad, "call {number}: a good body failed");
        }
        if number + 1 < outcome.calls.len() {
            assert_eq!(explained.verdict, Verdict::Accepted, "nothing is parsed behind {number}");
            rest = &rest[message_end(&explained)..];
        }
    }
}

/// That each request has one answer, in order, and that a close is announced.
fn check_answers(wire: &[u8], limits: &Limits, outcome: &Outcome) {
    let mut methods: Vec<&str> = outcome.calls.iter().map(|call| &call.method[..]).collect();
    if refuses_head_request(wire, limits, outcome) {
        methods.push("HEAD");
    }
    let answers = answers(&outcome.output, &methods);
    let finals: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 100).collect();
    let refusals = finals.len().checked_sub(outcome.calls.len()).expect("each call is answered");
    assert!(refusals <= 1, "an answer without a request");
    for (number, answer) in finals.iter().enumerate() {
        let is_last = number + 1 == finals.len();
        assert!(is_last || answer.extent == Extent::Whole, "answer {number} is cut");
        assert!(is_last || !answer.closes(), "answer {number} closes, and another follows");
    }
    let announced = finals.last().is_some_and(|answer| answer.closes());
    match outcome.why {
        Why::PeerClosed | Why::Failed => assert!(!announced, "{:?}", outcome.why),
        Why::ServerAsked | Why::PeerAsked => assert!(announced, "a close without notice"),
        other => panic!("ended as {other:?}"),
    }
    if refusals == 1 {
        let refusal = finals.last().expect("one");
        assert!(refusal.status >= 400 && refusal.closes(), "{refusal:?}");
    }
    check_interims(&answers, &outcome.calls);
}

/// Whether what is left behind the last request that was answered is a HEAD that is refused.
fn refuses_head_request(wire: &[u8], limits: &Limits, outcome: &Outcome) -> bool {
    let mut rest = wire;
    for _ in &outcome.calls {
        let explained = explain(rest, limits);
        if explained.verdict != Verdict::Accepted {
            return false;
        }
        rest = &rest[message_end(&explained)..];
    }
    let at = explain(rest, limits).violation().map_or(rest.len(), |violation| violation.at());
    rest[..at].trim_ascii_start().starts_with(b"HEAD ")
}

/// That a 100 stands once, before the final answer to a request that expects it.
fn check_interims(answers: &[Answer], calls: &[Call]) {
    let (mut calls, mut interims) = (calls.iter(), 0);
    for answer in answers {
        if answer.status == 100 {
            interims += 1;
            continue;
        }
        let expects = calls.next().is_some_and(|call| call.expects);
        assert!(interims <= usize::from(expects), "a 100 that nobody expects");
        interims = 0;
    }
    assert_eq!(interims, 0, "a 100 without a final answer");
}

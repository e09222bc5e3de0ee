//! How clients behave: one function a manner, which is one visit.

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::crowd::{Ended, Line, Visitor, is_end};

type Visit = fn(&mut Visitor<'_>) -> Result<(), Ended>;

/// A manner, how many clients have it, and a visit of theirs.
pub(crate) const ALL: [(&str, usize, Visit); 14] = [
    ("normal", 4, normal),
    ("idle", 140, idle),
    ("silent", 10, silent),
    ("slow head", 8, slow_head),
    ("slow body", 6, slow_body),
    ("slow reader", 8, slow_reader),
    ("no reader", 4, no_reader),
    ("abort", 12, abort),
    ("pipeline", 6, pipeline),
    ("upload", 6, upload),
    ("stream", 6, stream),
    ("newcomer", 10, newcomer),
    ("burst", 1, burst),
    ("panic", 2, panics),
];

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HELLO: &[u8] = b"Hello, World!";
const SIXTEEN: &[u8] = b"0123456789abcdef";

/// A request every few milliseconds over a connection that is kept for a while; timed.
fn normal(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut begun = Instant::now();
    let mut line = visitor.connect()?;
    for _ in 0..200 {
        let answer = visitor.ask(&mut line, GET, 200)?;
        visitor.took(begun.elapsed());
        expect(visitor, &answer.body, HELLO)?;
        visitor.rest(20);
        begun = Instant::now();
    }
    Ok(())
}

/// Asks once, and then rests until it or the server has enough.
fn idle(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    visitor.ask(&mut line, GET, 200)?;
    let patience = Duration::from_millis(500 + visitor.random.below(6_000) as u64);
    line.client.stream.set_read_timeout(Some(patience)).expect("a timeout can be set");
    is_quiet(visitor, &mut line)?;
    visitor.rest(500);
    Ok(())
}

/// Connects and says nothing. It is told nothing either, or 503.
fn silent(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    match line.client.rest() {
        Ok(rest) if rest.is_empty() => Ok(()),
        Ok(rest) if rest.starts_with(b"HTTP/1.1 503 ") => Err(Ended::TurnedAway),
        Err(error) if is_end(&error) => Ok(()),
        other => Err(visitor.wrong(&format!("said nothing and was told {other:?}"))),
    }
}

/// A head a byte at a time, in time or not.
fn slow_head(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    let in_time = visitor.random.below(2) == 0;
    let (head, status) = if in_time { (GET, 200) } else { (&GET[..26], 408) };
    for &byte in head {
        line.send(&[byte]);
        if !visitor.wait(if in_time { 20 } else { 140 }) {
            return Ok(());
        }
    }
    visitor.hear(&mut line, status).map(drop)
}

/// A body that comes slower than bodies may.
fn slow_body(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    line.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    for _ in 0..25 {
        line.send(b"x");
        if !visitor.wait(100) {
            return Ok(());
        }
    }
    visitor.hear(&mut line, 408).map(drop)
}

/// Reads a megabyte in small sips, and gets it whole.
fn slow_reader(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    line.send(b"GET /1m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let (mut sip, mut drunk) = ([0; 8 << 10], Vec::new());
    loop {
        match line.client.stream.read(&mut sip) {
            Ok(0) => break,
            Ok(count) => drunk.extend_from_slice(&sip[..count]),
            Err(error) => return Err(visitor.wrong(&format!("{} bytes: {error}", drunk.len()))),
        }
        if !visitor.wait(10) {
            return Ok(());
        }
    }
    if drunk.starts_with(b"HTTP/1.1 503 ") {
        return Err(Ended::TurnedAway);
    }
    let body = drunk.len().checked_sub(1 << 20).map(|head| &drunk[head..]);
    expect(visitor, body.unwrap_or(&drunk), &SIXTEEN.repeat(1 << 16))
}

/// Asks for megabytes and reads none of them.
fn no_reader(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    line.send(&b"GET /1m HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16));
    visitor.wait(4_000);
    Ok(())
}

/// Hangs up in the middle of something. What has come unread makes it a reset.
fn abort(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    let sayings: &[&[u8]] = &[
        b"GET / HT",
        GET,
        b"GET /1m HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        b"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
        b"GET /sleep?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"junk\r\n\r\n",
    ];
    let said = *visitor.random.pick::<&[u8]>(sayings);
    line.send(said);
    visitor.rest(100);
    if visitor.random.below(3) == 0 {
        let _ = line.client.stream.shutdown(Shutdown::Write);
        visitor.rest(100);
    }
    Ok(())
}

/// Sixteen requests in one write, again and again.
fn pipeline(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    let kilo = SIXTEEN.repeat(64);
    let both = [GET, b"GET /1k HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    for _ in 0..20 {
        line.send(&both.repeat(8));
        for _ in 0..8 {
            let answer = visitor.hear(&mut line, 200)?;
            expect(visitor, &answer.body, HELLO)?;
            let answer = visitor.hear(&mut line, 200)?;
            expect(visitor, &answer.body, &kilo)?;
        }
        visitor.rest(200);
    }
    Ok(())
}

/// Uploads in either framing, asked for or not, and gets the same back.
fn upload(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    for _ in 0..10 {
        let length = visitor.random.below(100_000);
        let body = visitor.random.octets(length);
        let mut head = b"POST /echo HTTP/1.1\r\nHost: x\r\n".to_vec();
        let coded = if visitor.random.below(2) == 0 {
            head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            let mut coded = Vec::new();
            for chunk in body.chunks(1 + visitor.random.below(20_000)) {
                coded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(b"\r\n");
            }
            [&coded[..], b"0\r\nX-Trailer: 1\r\n\r\n"].concat()
        } else {
            head.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
            body.clone()
        };
        if visitor.random.below(2) == 0 && !coded.is_empty() {
            visitor.ask(&mut line, &[&head[..], b"Expect: 100-continue\r\n\r\n"].concat(), 100)?;
            line.send(&coded);
        } else {
            line.send(&[&head[..], b"\r\n", &coded].concat());
        }
        let answer = visitor.hear(&mut line, 200)?;
        expect(visitor, &answer.body, &body)?;
        visitor.rest(300);
    }
    Ok(())
}

/// Reads chunks, and answers that close.
fn stream(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    let mut line = visitor.connect()?;
    for _ in 0..20 {
        let answer = visitor.ask(&mut line, b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", 200)?;
        expect(visitor, &answer.body, b"part-1\npart-2\npart-3\n")?;
        visitor.rest(100);
    }
    visitor.ask(&mut line, b"GET /close HTTP/1.1\r\nHost: x\r\n\r\n", 200)?;
    ends(visitor, &mut line)
}

/// A connection for each request.
fn newcomer(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    visitor.rest(100);
    let mut line = visitor.connect()?;
    let last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = visitor.ask(&mut line, last, 200)?;
    expect(visitor, &answer.body, HELLO)?;
    ends(visitor, &mut line)
}

/// More than there are places for, all at once, who all have something to do: who rests makes room,
/// and for the others there is none.
fn burst(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    if !visitor.wait(4_000) {
        return Ok(());
    }
    let mut lines = Vec::new();
    for _ in 0..250 {
        let mut line = visitor.connect()?;
        line.send(b"GET /sleep?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n");
        lines.push(line);
    }
    let mut turned_away = false;
    for mut line in lines {
        match visitor.hear(&mut line, 200) {
            Err(Ended::TurnedAway) => turned_away = true,
            other => drop(other?),
        }
    }
    if turned_away { Err(Ended::TurnedAway) } else { Ok(()) }
}

/// Asks for a panic, and is told 500.
fn panics(visitor: &mut Visitor<'_>) -> Result<(), Ended> {
    visitor.rest(2_000);
    let mut line = visitor.connect()?;
    visitor.ask(&mut line, b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n", 500)?;
    ends(visitor, &mut line)
}

fn expect(visitor: &Visitor<'_>, found: &[u8], wanted: &[u8]) -> Result<(), Ended> {
    if found == wanted {
        return Ok(());
    }
    let (found_length, wanted_length) = (found.len(), wanted.len());
    let shown = found[..found_length.min(80)].escape_ascii();
    let what = format!("wanted {wanted_length} bytes, found {found_length} others: {shown}");
    Err(visitor.wrong(&what))
}

/// Nothing more comes, and the connection ends.
fn ends(visitor: &Visitor<'_>, line: &mut Line) -> Result<(), Ended> {
    if is_quiet(visitor, line)? { Ok(()) } else { Err(visitor.wrong("it does not end")) }
}

/// Nothing more comes. Whether the connection has ended by the time that a read of it may take.
fn is_quiet(visitor: &Visitor<'_>, line: &mut Line) -> Result<bool, Ended> {
    match line.client.stream.read(&mut [0; 64]) {
        Ok(0) => Ok(true),
        Ok(count) => Err(visitor.wrong(&format!("{count} bytes that nobody asked for"))),
        Err(error) if is_end(&error) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(visitor.wrong(&error.to_string())),
    }
}

//! What each check does on the wire.
//!
//! None of them sleeps. Where a check must see that nothing comes, it waits for something to come; a
//! server that is right is never too slow for that, and one that is wrong answers at once.

use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use super::client::{End, Stop, Talk};
use super::report::shown;

/// How long a client waits to see that nothing comes.
const PAUSE: Duration = Duration::from_millis(400);
/// Two answers that take a second each, one after the other, take longer than this.
const OVERLAPPING: Duration = Duration::from_millis(1900);
/// The body of a file that is too large.
const TOO_LARGE: usize = 4_000_000;
/// So much of it comes last, in 64 pieces.
const LAST_PIECES: usize = 64 << 10;

pub(super) fn pieces(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    let pieces =
        ["GET / HTTP/1.1\r", "\nHost: check\r\nConnection", ": close\r\n\r\n"].map(str::as_bytes);
    let mut sent = 0;
    for piece in &pieces[..2] {
        talk.send(&mut line, piece)?;
        sent += piece.len();
        let end = talk.receive(&mut line, "GET", PAUSE);
        if !matches!(end, End::Silent) || !line.received.is_empty() {
            let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
            let found = match talk.answer(&mut line, "GET").1.status {
                0 => end.to_string(),
                status => format!("{status}"),
            };
            return failed(format!("{found} after {sent} of the {whole} bytes of the head"));
        }
    }
    talk.send(&mut line, pieces[2])?;
    talk.expect(&mut line, "GET", 200).map(|_| ())
}

pub(super) fn bodies(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    for (nth, body) in ["first", "and second"].into_iter().enumerate() {
        let sent = talk.send(&mut line, &post("/echo", body.len(), body));
        if nth == 0 {
            sent?;
        }
        let (end, answer) = talk.answer(&mut line, "POST");
        if nth == 0 && answer.status >= 400 {
            return missing(format!("it answers POST /echo with {}", answer.status));
        }
        if nth == 1 && answer.status == 0 && end != End::Silent {
            return missing(
                "it closes behind each answer, so there is no second request".to_owned(),
            );
        }
        if answer.status != 200 || answer.body != body.as_bytes() {
            let got = shown(&answer.body).join(" ");
            return failed(match answer.status {
                0 => end.to_string(),
                status => format!("{status} with the body {got:?}, where {body:?} was sent"),
            });
        }
    }
    Ok(())
}

pub(super) fn ending(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    talk.send(&mut line, &get("/"))?;
    let (end, answer) = talk.answer(&mut line, "GET");
    match end {
        End::Whole => Ok(()),
        End::Closed if answer.until_close => Ok(()),
        End::Silent if answer.until_close => failed(
            "the head names no length, the connection stays open, and nothing more comes"
                .to_owned(),
        ),
        end => failed(end.to_string()),
    }
}

/// The body is sent as a simple client sends it, without looking for an answer. Only its last pieces
/// wait: a reset that is on its way has come by then, and the server that sent it is found out each
/// time, however large the buffers in between.
pub(super) fn refusal(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    talk.send(&mut line, &post("/echo", TOO_LARGE, ""))?;
    let (mut sent, mut broken) = (0, None);
    while sent < TOO_LARGE && broken.is_none() && Instant::now() < talk.patience.until {
        let last = TOO_LARGE.saturating_sub(LAST_PIECES);
        let piece = match sent {
            sent if sent < last => (last - sent).min(64 << 10),
            _ => {
                if sent == last {
                    talk.receive(&mut line, "POST", PAUSE);
                }
                thread::park_timeout(PAUSE / 64);
                (TOO_LARGE - sent).min(LAST_PIECES / 64)
            }
        };
        match line.stream.write(&vec![b'a'; piece]) {
            Ok(count) => sent += count,
            Err(error) => broken = Some(error),
        }
    }
    talk.note(format!("{sent} bytes of the body, each an a"));
    // Where this fails, the connection is gone, which is found out below.
    let _ = line.stream.shutdown(Shutdown::Write);
    let (end, answer) = talk.answer(&mut line, "POST");
    match (broken, answer.status) {
        (Some(error), _) => failed(format!("after {sent} bytes of the body: {error}")),
        (None, status @ 200..400) => missing(format!("it took the body, and answered {status}")),
        (None, 400..) if end == End::Whole || answer.until_close => {
            match talk.receive(&mut line, "POST", PAUSE) {
                End::Broken(error) => failed(format!("the answer came, and then: {error}")),
                _ => Ok(()),
            }
        }
        (None, _) => failed(end.to_string()),
    }
}

pub(super) fn idle(talk: &mut Talk) -> Result<(), Stop> {
    talk.note("eight connections, and not a byte on them; then on a ninth:");
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(talk.connect()?);
    }
    let got = talk.get("/", 200);
    // They end as they should: what becomes of those that do not is a check of its own.
    for line in &mut idle {
        let _ = line.stream.write_all(&get("/"));
    }
    let until = Instant::now() + PAUSE;
    for line in &mut idle {
        talk.receive(line, "GET", until.saturating_duration_since(Instant::now()));
    }
    got.map(|_| ())
}

pub(super) fn itself(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    let form = format!("longuri=http://{}/&shortname=check", talk.address);
    talk.send(&mut line, &post("/", form.len(), &form))?;
    let (end, answer) = talk.answer(&mut line, "POST");
    match answer.status {
        0 => failed(end.to_string()),
        301..=303 => Ok(()),
        status => missing(format!("it answers that form with {status}")),
    }
}

pub(super) fn overlap(talk: &mut Talk) -> Result<(), Stop> {
    let began = Instant::now();
    let mut lines = [talk.connect()?, talk.connect()?];
    for line in &mut lines {
        talk.send(line, &get("/slow"))?;
    }
    talk.note("both at once, on two connections");
    for line in &mut lines {
        let (end, answer) = talk.answer(line, "GET");
        match answer.status {
            200 => {}
            0 => return failed(end.to_string()),
            status => return missing(format!("it answers GET /slow with {status}")),
        }
    }
    let took = began.elapsed();
    let seconds = took.as_secs_f32();
    if took < Duration::from_millis(900) {
        return missing(format!("both answers came within {seconds:.1} seconds"));
    }
    if took > OVERLAPPING {
        return failed(format!("both answers took {seconds:.1} seconds: one after the other"));
    }
    Ok(())
}

pub(super) fn leaving(talk: &mut Talk) -> Result<(), Stop> {
    for _ in 0..10 {
        drop(talk.connect()?);
    }
    talk.note("ten connections that ended without a byte; then on another:");
    talk.get("/", 200).map(|_| ())
}

pub(super) fn two_lengths(talk: &mut Talk) -> Result<(), Stop> {
    let mut line = talk.connect()?;
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: check\r\n\r\n";
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked", hidden.len());
    talk.send(
        &mut line,
        format!("POST /echo HTTP/1.1\r\nHost: check\r\n{both}\r\n\r\n{hidden}").as_bytes(),
    )?;
    let (end, answer) = talk.answer(&mut line, "POST");
    if answer.status == 0 {
        return failed(end.to_string());
    }
    // Where the connection is over by now, this fails, which is right.
    let _ = talk.send(&mut line, &get("/after"));
    match talk.answer(&mut line, "GET") {
        (End::Silent, next) if next.status == 0 => {
            failed("the connection stays open behind it".to_owned())
        }
        (_, next) if next.status == 0 => Ok(()),
        (_, next) => failed(format!(
            "after {} it went on, and answered {} to what may be a stranger's request",
            answer.status, next.status
        )),
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: check\r\n\r\n").into_bytes()
}

fn post(path: &str, length: usize, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: check\r\nContent-Length: {length}\r\n\r\n{body}").into()
}

fn failed<T>(why: String) -> Result<T, Stop> {
    Err(Stop::Failed(why))
}

fn missing<T>(why: String) -> Result<T, Stop> {
    Err(Stop::Missing(why))
}

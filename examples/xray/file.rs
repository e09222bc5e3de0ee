//! The bytes of a file, explained: one message after the other, requests or responses.

use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use longhand::transport::{Scripted, Transport};
use longhand::wire::{Verdict, explain, explain_response};
use longhand::{Limits, Reply, Request, serve_connection};

use crate::exchange::{Connection, Message, Refusal};
use crate::recorder::Log;
use crate::refusal;
use crate::style::Style;
use crate::tape::Tee;
use crate::terminal::Terminal;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted = 0,
    Refused = 1,
    Unfinished = 2,
}

/// Reads a file, or standard input if its name is `-`.
pub(crate) fn read(name: &str) -> io::Result<Vec<u8>> {
    if name != "-" {
        return fs::read(name);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All messages drawn, up to the first that is refused or not whole. Bytes that begin with `HTTP/` are
/// responses, to GET.
pub(crate) fn explained(name: &str, bytes: &[u8], style: Style, reveal: bool) -> (String, Outcome) {
    let limits = Limits::default();
    let is_response = bytes.starts_with(b"HTTP/");
    let kind = if is_response { "response" } else { "request" };
    let explain = |bytes: &[u8]| match is_response {
        true => explain_response(bytes, "GET", &limits),
        false => explain(bytes, &limits),
    };
    let mut terminal = Terminal::new(style);
    let (mut text, mut rest, mut outcome) = (String::new(), bytes.to_vec(), Outcome::Unfinished);
    let (mut number, mut before) = (0, None);
    while !rest.is_empty() {
        number += 1;
        let name = if name == "-" { "input" } else { name };
        let place = format!("{name}, {kind} {number}");
        let mut message = Message::new();
        rest = message.take(&rest, 1, Duration::ZERO, usize::MAX, explain);
        // A file has no reads to tell of.
        message.edges.clear();
        if reveal {
            message.reveal();
        }
        text += &terminal.message((0, number, 0), &place, &message, Duration::ZERO, true);
        outcome = match message.verdict {
            Verdict::Accepted => Outcome::Accepted,
            Verdict::Unfinished if message.ends_by_close() => Outcome::Accepted,
            Verdict::Unfinished => Outcome::Unfinished,
            Verdict::Refused(violation) => {
                let refusal = Refusal { violation, at: violation.at() };
                let answer = match is_response {
                    true => "a client closes the connection".to_owned(),
                    false => refusal::answered(None, refusal),
                };
                let note =
                    refusal::behind(before.as_ref().filter(|_| !is_response), &message, refusal);
                let notes: Vec<_> = note.into_iter().chain([answer]).collect();
                text += &refusal::text(&place, &message, refusal, &notes, style);
                Outcome::Refused
            }
        };
        before = Some(message);
    }
    (text, outcome)
}

/// The connection of a client that keeps to a script, with the answers of `handler`. Its clock is the
/// script's, so it is the same each time.
pub(crate) fn played<'s>(
    client: Scripted,
    reveal: bool,
    handler: impl Fn(&mut Request<'_>) -> Reply<'s>,
) -> Connection {
    let limits = Limits::default();
    let log = Log::new(client.now(), limits.clone(), reveal);
    let mut tape = Tee::new(client, &log);
    serve_connection(&mut tape, &limits, handler);
    drop(tape);
    let log = Arc::into_inner(log).expect("the tape is over");
    let mut connection = log.into_connections().remove(0);
    connection.closed = Some((connection.opened, "the client had sent all"));
    connection
}

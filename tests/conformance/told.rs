//! What longhand answers to the bytes of a case, in words.
//!
//! A request goes to `serve_connection` twice: once the peer falls silent behind it, once it ends its
//! side. Where both are answered alike, the case is settled; where not, longhand waits for more.

use std::io;
use std::time::Duration;

use harness::answer::{Answer, Extent};
use harness::golden::escape;
use harness::talk::{Talk, talk_of};
use longhand::transport::{Happened, Scripted};
use longhand::wire::{Explained, Kind, Part, Status, Verdict, explain};
use longhand::{Limits, Request, Response, Why};

/// Bodies that are longer are told by their length.
const SHOWN: usize = 64;

/// What came of a case.
#[derive(Default)]
pub(crate) struct Told {
    /// For the index: `400`, `200, 200`, `waits`.
    pub(crate) short: String,
    /// In sentences.
    pub(crate) long: String,
    /// The refusal's own words, line by line, but the help, which is the error index's.
    pub(crate) words: Vec<String>,
    /// The rule that is broken.
    pub(crate) rule: Option<Kind>,
    /// The byte at fault, counted from the first.
    pub(crate) at: Option<usize>,
}

fn echo(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::bytes("application/octet-stream", request.body().read_all()?))
}

/// What a request is answered by a server whose handler reads its body and sends it back.
pub(crate) fn request(bytes: &[u8], limits: &Limits) -> Told {
    let methods: &[&str] = if bytes.starts_with(b"HEAD ") { &["HEAD"] } else { &[] };
    let peer = || Scripted::new().send(bytes);
    let silent = talk_of(peer(), methods, limits, echo);
    let ended = talk_of(peer().end(), methods, limits, echo);
    let mut told = if silent.statuses() == ended.statuses() && !silent.answers.is_empty() {
        settled(&silent, with_body)
    } else {
        waiting(&silent, &ended)
    };
    told.at = told.rule.and_then(|rule| at_fault(bytes, limits, rule));
    told
}

/// What a response is to a client or a proxy that reads it with `wire`.
pub(crate) fn response(explained: &Explained) -> Told {
    match explained.verdict {
        Verdict::Accepted => Told {
            short: "accepted".to_owned(),
            long: "It is accepted.".to_owned(),
            ..Told::default()
        },
        Verdict::Unfinished => Told {
            short: "waits".to_owned(),
            long: "Nothing of it is wrong, and its end has not come.".to_owned(),
            ..Told::default()
        },
        Verdict::Refused(violation) => Told {
            short: "refused".to_owned(),
            long: "It is **refused**.".to_owned(),
            words: vec![
                format!("{}: {violation}", violation.name()),
                violation.kind().text().to_owned(),
            ],
            rule: Some(violation.kind()),
            at: Some(violation.at()),
        },
    }
}

/// Statuses, and what becomes of the connection.
pub(crate) fn settled(talk: &Talk, name: fn(&Answer) -> String) -> Told {
    let answers = &talk.answers;
    let statuses: Vec<String> = answers.iter().map(|answer| answer.status.to_string()).collect();
    let named: Vec<String> = answers.iter().map(name).collect();
    let last = answers.last().expect("an answer");
    let then = match last.status {
        101 => "; what follows is the other protocol's",
        _ if last.extent == Extent::Cut => ", which breaks off with the connection",
        _ if talk.why == Why::PeerClosed => ", and the connection is kept until the peer ends it",
        _ if last.closes() => ", and the connection is closed",
        _ => ", and the connection is kept",
    };
    let rule = Kind::named(&last.rule());
    Told {
        short: statuses.join(", "),
        long: format!("{}{then}.", named.join(", then ")),
        words: if rule.is_some() { words(last) } else { Vec::new() },
        rule,
        at: None,
    }
}

/// What is answered at once, and what becomes of a peer that falls silent or ends.
fn waiting(silent: &Talk, ended: &Talk) -> Told {
    let both = silent.answers.iter().zip(&ended.answers);
    let at_once: Vec<&Answer> =
        both.take_while(|(a, b)| a.status == b.status).map(|(a, _)| a).collect();
    let mut long = String::new();
    for answer in &at_once {
        long += &format!("{}. ", with_body(answer));
    }
    let then = |talk: &Talk| match talk.answers.get(at_once.len()) {
        Some(answer) => format!("{} (`{}`)", status(answer.status), answer.rule()),
        None => "the connection is closed without an answer".to_owned(),
    };
    long += &format!(
        "It waits for more. After {} s of silence: {}. Where the peer ends instead: {}.",
        silence(silent).as_secs(),
        then(silent),
        then(ended),
    );
    Told { short: "waits".to_owned(), long, ..Told::default() }
}

/// How long the peer was silent before the server had enough of it.
fn silence(talk: &Talk) -> Duration {
    let timed_out = |(_, happened): &&(Duration, Happened)| *happened == Happened::TimedOut;
    talk.peer.happened().iter().find(timed_out).map_or(talk.peer.elapsed(), |(at, _)| *at)
}

fn words(refusal: &Answer) -> Vec<String> {
    let text = refusal.text();
    text.lines().take_while(|line| !line.starts_with("Help: ")).map(str::to_owned).collect()
}

/// The status, and the body that was sent back: what the handler has read.
fn with_body(answer: &Answer) -> String {
    let named = status(answer.status);
    match &answer.body[..] {
        _ if answer.status != 200 => named,
        [] => named,
        body if body.len() <= SHOWN => format!("{named} with `{}`", escape(body)),
        body => format!("{named} with {} bytes", body.len()),
    }
}

/// `**400 Bad Request**`.
pub(crate) fn status(code: u16) -> String {
    let reason = Status::new(code).expect("a status").reason();
    format!("**{}**", format!("{code} {reason}").trim_end())
}

/// Where a rule is broken, in whichever of the messages.
fn at_fault(bytes: &[u8], limits: &Limits, rule: Kind) -> Option<usize> {
    let mut start = 0;
    loop {
        let explained = explain(&bytes[start..], limits);
        match (explained.verdict, explained.spans.last()) {
            (Verdict::Refused(violation), _) if violation.kind() == rule => {
                return Some(start + violation.at());
            }
            (Verdict::Accepted, Some((Part::Next, next))) => start += next.start,
            _ => return None,
        }
    }
}

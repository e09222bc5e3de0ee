//! The terminal's view: each line of HTTP when it is whole, or when no more of it has come for a while.
//!
//! What happened to one connection is printed in one piece, so lines of several never mix.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use longhand::wire::{Part, Verdict};

use crate::exchange::{Connection, Exchange, Message};
use crate::part::waiting;
use crate::refusal;
use crate::rows::rows;
use crate::style::{Style, Tone};

/// How long a line that is not whole is waited for before it is drawn as far as it has come.
const A_WHILE: Duration = Duration::from_secs(1);

/// How long a connection may be silent before that is worth a word.
const SILENT: Duration = Duration::from_secs(10);

/// What has been drawn so far.
pub(crate) struct Terminal {
    style: Style,
    drawn: BTreeMap<(u32, u32, usize), Drawn>,
    /// Connections of which it was said that they are open, silent, or closed.
    said: BTreeMap<u32, Said>,
}

#[derive(Clone, Copy, Default)]
struct Drawn {
    /// Bytes of whole lines.
    whole: usize,
    /// Bytes altogether.
    bytes: usize,
    refusal: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Open,
    Silent,
}

impl Terminal {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, drawn: BTreeMap::new(), said: BTreeMap::new() }
    }

    /// What is new about a connection; nothing, if nothing is.
    pub(crate) fn news(&mut self, connection: &Connection, now: Duration) -> String {
        let number = connection.number;
        let mut text = self.silence(connection, now);
        let place = format!("conn {number}");
        let over = connection.closed.is_some();
        let mut before = None;
        for exchange in &connection.exchanges {
            text += &self.exchange(&place, number, exchange, before, now, over);
            before = Some(&exchange.request);
        }
        let oldest = connection.exchanges.first().map_or(0, |exchange| exchange.number);
        self.drawn.retain(|key, _| key.0 != number || key.1 >= oldest);
        if let Some((at, why)) = connection.closed {
            let open = (at - connection.opened).as_secs_f32();
            let silent = if connection.reads == 0 { " without a byte" } else { "" };
            let line = format!("conn {number} closed after {open:.1} s{silent}: {why}\n\n");
            text += &self.style.paint(Tone::Quiet, &line);
            self.said.remove(&number);
            self.drawn.retain(|key, _| key.0 != number);
        }
        text
    }

    fn silence(&mut self, connection: &Connection, now: Duration) -> String {
        let Connection { number, peer, opened, reads, .. } = connection;
        let open = now.saturating_sub(*opened);
        let (said, what) = if *reads == 0 && open >= SILENT {
            let silence = "no byte yet: browsers do this, to have one ready";
            (Said::Silent, format!(" {} s, {silence}", open.as_secs()))
        } else {
            (Said::Open, peer.map_or_else(String::new, |peer| format!(" from {peer}")))
        };
        if self.said.get(number).is_some_and(|before| *before >= said) {
            return String::new();
        }
        self.said.insert(*number, said);
        self.style.paint(Tone::Quiet, &format!("conn {number} open{what}\n\n"))
    }

    /// What is new about an exchange. The refusal stands last, where somebody who types finds it: the
    /// answer that says it too is drawn before.
    fn exchange(
        &mut self,
        place: &str,
        connection: u32,
        exchange: &Exchange,
        before: Option<&Message>,
        now: Duration,
        over: bool,
    ) -> String {
        let request = format!("{place}, request {}", exchange.number);
        let key = (connection, exchange.number, 0);
        // A server that has refused reads no more.
        let ended = over || exchange.refusal().is_some();
        let mut text = self.message(key, &request, &exchange.request, now, ended);
        for (index, response) in exchange.responses.iter().enumerate() {
            let place = format!("{place}, response {}", exchange.number);
            let key = (connection, exchange.number, index + 1);
            text += &self.message(key, &place, response, now, over);
        }
        let drawn = self.drawn.entry(key).or_default();
        let is_answered = over || exchange.response().is_some();
        if let Some(refusal) = exchange.refusal().filter(|_| is_answered && !drawn.refusal) {
            drawn.refusal = true;
            let answer = refusal::answered(exchange.response(), refusal);
            let note = refusal::behind(before, &exchange.request, refusal);
            let notes: Vec<_> = note.into_iter().chain([answer]).collect();
            text += &refusal::text(&request, &exchange.request, refusal, &notes, self.style);
            text.push('\n');
        }
        text
    }

    /// The lines of a message that have not been drawn yet, and what it waits for.
    pub(crate) fn message(
        &mut self,
        key: (u32, u32, usize),
        place: &str,
        message: &Message,
        now: Duration,
        over: bool,
    ) -> String {
        let drawn = self.drawn.entry(key).or_default();
        let settled = over || message.verdict != Verdict::Unfinished;
        let quiet = now.saturating_sub(message.latest()) >= A_WHILE;
        let lines = message.lines();
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let last = message.spans.get(line.spans.end - 1).map(|span| span.0);
            let is_whole = settled
                || index + 1 < lines.len()
                || matches!(last, Some(Part::Crlf | Part::EndOfHead | Part::Blank));
            let is_new = line.bytes.start >= drawn.whole;
            if !is_new || !(is_whole || (quiet && line.bytes.end > drawn.bytes)) {
                continue;
            }
            text += &rows(message, line, self.style);
            drawn.bytes = line.bytes.end;
            drawn.whole = if is_whole { line.bytes.end } else { drawn.whole };
        }
        if text.is_empty() {
            return text;
        }
        let (tone, outcome) = outcome(message, over);
        let mut block = self.style.paint(Tone::Heading, place);
        let _ = writeln!(block, "{}", self.style.paint(Tone::Quiet, &came(message)));
        block + &text + &self.style.paint(tone, &self.style.wrap("         ", &outcome)) + "\n"
    }
}

/// How much of a message has come, in how many reads, in what time.
fn came(message: &Message) -> String {
    let many = |count: u64, noun| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let bytes = many(message.bytes.len() as u64 + message.missed, "byte");
    let Some(first) = message.edges.first() else { return format!(": {bytes}") };
    let noun = if message.is_response() { "write" } else { "read" };
    let pieces = many(message.edges.len() as u64, noun);
    let passed = (message.latest() - first.time).as_secs_f32();
    format!(": {bytes}, {pieces}, {passed:.1} s")
}

fn outcome(message: &Message, over: bool) -> (Tone, String) {
    match message.verdict {
        Verdict::Accepted => (Tone::Good, "whole".to_owned()),
        Verdict::Refused(violation) => (Tone::Bad, format!("refused: {}", violation.name())),
        Verdict::Unfinished if over && message.ends_by_close() => {
            (Tone::Good, "whole: it ends with the connection".to_owned())
        }
        Verdict::Unfinished if over => {
            (Tone::Bad, format!("cut off: it waited for {}", waiting(message)))
        }
        Verdict::Unfinished => (Tone::Plain, format!("waits for {}", waiting(message))),
    }
}

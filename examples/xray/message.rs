//! The bytes of a message, each one named by the parser, and the lines that they make.

use std::ops::Range;
use std::time::Duration;

use longhand::wire::{Explained, Part, Verdict};

use crate::part;

/// Fields whose values are secrets: people project this program on a wall.
const SECRET: [&str; 4] = ["cookie", "set-cookie", "authorization", "proxy-authorization"];

/// Where the bytes of a read begin; in a response, of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// In the message. Zero may lie within a read: the message before it may have shared it.
    pub(crate) at: usize,
    /// Of the read, counted from one on the connection.
    pub(crate) number: usize,
    pub(crate) time: Duration,
}

/// The bytes of a request or a response, each one named.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) edges: Vec<Edge>,
    /// In order, without gap or overlap, up to the end of `bytes`.
    pub(crate) spans: Vec<(Part, Range<usize>)>,
    pub(crate) verdict: Verdict,
    /// Bytes that came and were not kept.
    pub(crate) missed: u64,
    /// Where secrets stand in `bytes`.
    secrets: Vec<Range<usize>>,
}

/// A line as HTTP has it, or a piece of a body: a run of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) title: &'static str,
    /// Where the RFC tells of it; empty if nowhere.
    pub(crate) section: &'static str,
    /// Which spans.
    pub(crate) spans: Range<usize>,
    /// Which bytes.
    pub(crate) bytes: Range<usize>,
}

impl Message {
    /// A message of which no byte has come.
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            edges: Vec::new(),
            spans: Vec::new(),
            verdict: Verdict::Unfinished,
            missed: 0,
            secrets: Vec::new(),
        }
    }

    /// Takes what came in one read, up to `most` bytes altogether, and has it explained. Gives back
    /// what belongs to the next message.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        number: usize,
        time: Duration,
        most: usize,
        explain: impl Fn(&[u8]) -> Explained,
    ) -> Vec<u8> {
        let (kept, beyond) = bytes.split_at(bytes.len().min(most - self.bytes.len()));
        let mut next = Vec::new();
        if !kept.is_empty() {
            self.edges.push(Edge { at: self.bytes.len(), number, time });
            self.bytes.extend_from_slice(kept);
            Explained { spans: self.spans, verdict: self.verdict } = explain(&self.bytes);
            if let Some((Part::Next, at)) = self.spans.last().cloned() {
                self.spans.pop();
                next = self.bytes.split_off(at.start);
            }
            self.secrets = secrets(&self.bytes);
        }
        if self.verdict == Verdict::Accepted || beyond.is_empty() {
            next.extend_from_slice(beyond);
            return next;
        }
        // The end of a body that is not kept is known where the head tells its length; a chunked one
        // is lost from sight, and the rest of the connection with it.
        let Some(left) = self.left() else {
            self.missed += beyond.len() as u64;
            return next;
        };
        let own = usize::try_from(left).map_or(beyond.len(), |left| left.min(beyond.len()));
        self.missed += own as u64;
        if own as u64 == left {
            self.verdict = Verdict::Accepted;
        }
        beyond[own..].to_vec()
    }

    /// Bytes of the body that are still to come, where the head tells its length.
    pub(crate) fn left(&self) -> Option<u64> {
        // The parser has read the length too, and has found it to be one.
        if self.verdict != Verdict::Unfinished {
            return None;
        }
        let came = (self.bytes.len() - self.head_end()?) as u64 + self.missed;
        Some(self.declared()?.saturating_sub(came))
    }

    /// The byte there, unless it is part of a secret.
    pub(crate) fn shown(&self, at: usize) -> Option<u8> {
        let is_secret = self.secrets.iter().any(|secret| secret.contains(&at));
        self.bytes.get(at).copied().filter(|_| !is_secret)
    }

    /// Shows secrets too.
    pub(crate) fn reveal(&mut self) {
        self.secrets.clear();
    }

    /// When the last byte came.
    pub(crate) fn latest(&self) -> Duration {
        self.edges.last().map_or(Duration::ZERO, |edge| edge.time)
    }

    /// The bytes of the first span that is this part; none if there is none.
    pub(crate) fn part(&self, part: Part) -> &[u8] {
        let found = self.spans.iter().find(|span| span.0 == part);
        found.map_or(&[], |(_, at)| &self.bytes[at.clone()])
    }

    /// The method of a request that has come as far as that.
    pub(crate) fn method(&self) -> String {
        String::from_utf8_lossy(self.part(Part::Method)).into_owned()
    }

    /// Where the head ends, if it has.
    pub(crate) fn head_end(&self) -> Option<usize> {
        self.spans.iter().find(|span| span.0 == Part::EndOfHead).map(|(_, at)| at.end)
    }

    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let mut named = false;
        self.spans.iter().find_map(|(part, at)| {
            let bytes = &self.bytes[at.clone()];
            if *part == Part::Name {
                named = bytes.eq_ignore_ascii_case(name.as_bytes());
            }
            (named && *part == Part::Value).then_some(bytes)
        })
    }

    /// The body's length as the head tells it.
    pub(crate) fn declared(&self) -> Option<u64> {
        std::str::from_utf8(self.field("content-length")?).ok()?.parse().ok()
    }

    /// Whether it begins as a response.
    pub(crate) fn is_response(&self) -> bool {
        self.spans.first().is_some_and(|span| span.0 == Part::Version)
    }

    /// Whether nothing but the end of the connection ends the body of this response.
    pub(crate) fn ends_by_close(&self) -> bool {
        let framed =
            ["content-length", "transfer-encoding"].iter().any(|name| self.field(name).is_some());
        self.is_response() && self.head_end().is_some() && !framed
    }

    /// The spans as lines: a new one only where HTTP has one.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let (mut ended, mut chunked) = (true, false);
        for (index, (part, at)) in self.spans.iter().enumerate() {
            match lines.last_mut() {
                Some(line) if !ended => {
                    line.spans.end = index + 1;
                    line.bytes.end = at.end;
                }
                _ => {
                    let (spans, bytes) = (index..index + 1, at.clone());
                    let (title, section) = match part {
                        Part::Name | Part::EndOfHead if chunked => part::TRAILERS,
                        _ => part::line(*part),
                    };
                    lines.push(Line { title, section, spans, bytes });
                }
            }
            chunked |= *part == Part::LastChunk;
            ended = matches!(part, Part::Crlf | Part::EndOfHead | Part::Blank | Part::Body);
        }
        lines
    }
}

/// Where the values of secret fields stand: by lines and not by spans, so that one is hidden also
/// before it is whole, behind the byte that is refused, and in a body that quotes a head.
fn secrets(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut at, mut goes_on, mut bare) = (0, false, false);
    // CR alone ends no line of HTTP, but people send it for one.
    for line in bytes.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
        if line == b"\n" {
            (at, bare) = (at + 1, false);
            continue;
        }
        let text = line.trim_ascii_end();
        let colon = line.iter().position(|byte| *byte == b':');
        // A folded line goes on with the value before it.
        let folded = goes_on && (bare || line.starts_with(b" ") || line.starts_with(b"\t"));
        bare = line.ends_with(b"\r");
        goes_on = folded
            || colon.is_some_and(|colon| {
                let name = line[..colon].trim_ascii();
                SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
            });
        if goes_on {
            let from = if folded { 0 } else { colon.map_or(0, |colon| colon + 1) };
            let blanks = line[from..].len() - line[from..].trim_ascii_start().len();
            if from + blanks < text.len() {
                found.push(at + from + blanks..at + text.len());
            }
        }
        at += line.len();
    }
    found
}

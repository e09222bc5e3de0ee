//! Responses, taken apart by longhand's own parser.
//!
//! The bytes that a client received enter; out come the answers in them, in order. Each is read by
//! `wire::explain_response`, so every answer that a test looks at was also accepted by the parser
//! that clients and proxies are built on. Bytes that it refuses are a panic: the server would have
//! sent something that is not HTTP.

use std::ops::Range;

use longhand::Limits;
use longhand::wire::{Explained, Part, Verdict, explain_response};

/// One response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its field lines, the names in lower case.
    pub fields: Vec<(String, String)>,
    /// Its body without framing. Of a 101: all that followed, which is another protocol's.
    pub body: Vec<u8>,
    /// Its trailer section, the names in lower case.
    pub trailers: Vec<(String, String)>,
    /// How much of it is there.
    pub extent: Extent,
}

/// How much of a response is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it, by its own framing.
    Whole,
    /// It runs until the connection closes: nobody can tell.
    UntilClose,
    /// It ends before its end.
    Cut,
}

impl Answer {
    /// The value of the first field line of this name, which is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether it says that the connection closes behind it.
    #[must_use]
    pub fn closes(&self) -> bool {
        let options = self.field("connection").unwrap_or_default();
        options.split(',').any(|option| option.trim() == "close")
    }

    /// Its body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The stable name of the rule that it refuses by: the first word of its body.
    #[must_use]
    pub fn rule(&self) -> String {
        self.text().split(':').next().unwrap_or_default().to_owned()
    }
}

/// All answers in `bytes`, to requests of these methods; `GET` where there are more answers than
/// methods. An interim one uses up no method.
///
/// # Panics
/// If the parser refuses one of them, or one that is not the last is cut.
#[must_use]
pub fn answers(bytes: &[u8], methods: &[&str]) -> Vec<Answer> {
    let mut methods = methods.iter();
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let interim = rest.starts_with(b"HTTP/1.1 100 ");
        let method = if interim { "GET" } else { methods.next().copied().unwrap_or("GET") };
        let (answer, length) = first(rest, method);
        rest = &rest[length..];
        found.push(answer);
    }
    found
}

/// The answer at the front of `bytes`, and its length.
///
/// # Panics
/// If the parser refuses it.
#[must_use]
pub fn first(bytes: &[u8], method: &str) -> (Answer, usize) {
    let explained = explain_response(bytes, method, &Limits::default());
    if let Verdict::Refused(violation) = explained.verdict {
        panic!("{violation}\n{}", bytes.escape_ascii());
    }
    let head = Head::of(bytes, &explained);
    let length = match explained.spans.last() {
        // What follows a 101 is not HTTP, and belongs to it here.
        Some((Part::Next, at)) if head.status != 101 => at.start,
        _ => bytes.len(),
    };
    let extent = match explained.verdict {
        Verdict::Accepted => Extent::Whole,
        _ if head.framed || !head.ended => Extent::Cut,
        _ => Extent::UntilClose,
    };
    let data = [Part::Body, Part::ChunkData, Part::Next];
    let body = explained.spans.iter().filter(|(part, at)| data.contains(part) && at.end <= length);
    let body = body.flat_map(|(_, at)| bytes[at.clone()].iter().copied()).collect();
    let Head { status, fields, trailers, .. } = head;
    (Answer { status, fields, body, trailers, extent }, length)
}

/// What the head says.
#[derive(Default)]
struct Head {
    status: u16,
    fields: Vec<(String, String)>,
    trailers: Vec<(String, String)>,
    ended: bool,
    framed: bool,
}

impl Head {
    fn of(bytes: &[u8], explained: &Explained) -> Self {
        let text = |at: &Range<usize>| String::from_utf8_lossy(&bytes[at.clone()]).into_owned();
        let mut head = Self::default();
        for (part, at) in &explained.spans {
            let lines = if head.ended { &mut head.trailers } else { &mut head.fields };
            match part {
                Part::Status => head.status = text(at).parse().unwrap_or_default(),
                Part::Name => lines.push((text(at).to_ascii_lowercase(), String::new())),
                Part::Value => {
                    if let Some((_, value)) = lines.last_mut() {
                        *value = text(at);
                    }
                }
                Part::EndOfHead => head.ended = true,
                _ => {}
            }
        }
        let framing = ["content-length", "transfer-encoding"];
        head.framed = head.fields.iter().any(|(name, _)| framing.contains(&name.as_str()));
        head
    }
}

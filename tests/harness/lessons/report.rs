//! A report as text: what went over the wire, line by line, each with the names of its parts.

use std::fmt::{self, Display};
use std::ops::Range;

use longhand::Limits;
use longhand::wire::{Part, explain_response};

use super::client::Event;
use super::{Outcome, Report};

/// Longer lines are shown by their two ends.
const WIDEST: usize = 100;
/// More lines are counted.
const MOST: usize = 30;

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = self.check;
        let (word, found) = match &self.outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(why) | Outcome::Unreachable(why) => ("FAILED", Some(why)),
            Outcome::LeftOut(why) => ("left out", Some(why)),
        };
        writeln!(f, "{} {word}: {}", check.name, check.title)?;
        if word == "FAILED" {
            row(f, "reported", check.symptom)?;
        }
        for event in &self.events {
            match event {
                Event::Sent(bytes) => rows(f, "sent", shown(bytes))?,
                Event::Note(text) => row(f, "sent", &format!("({text})"))?,
                Event::Received(_, bytes, end) if bytes.is_empty() => {
                    row(f, "came back", &format!("nothing: {end}"))?;
                }
                Event::Received(method, bytes, _) => {
                    rows(f, "came back", explained(bytes, method))?;
                }
            }
        }
        if let Some(found) = found {
            row(f, "found", found)?;
        }
        if let Outcome::LeftOut(_) = self.outcome {
            row(f, "needs", check.needs)?;
        }
        row(f, "expected", check.expected)?;
        row(f, "because", &format!("{} ({})", check.why, check.section))
    }
}

fn row(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    writeln!(f, "  {label:<10} {text}")
}

fn rows(f: &mut fmt::Formatter<'_>, label: &str, lines: Vec<String>) -> fmt::Result {
    for (index, line) in lines.iter().take(MOST).enumerate() {
        row(f, if index == 0 { label } else { "" }, line)?;
    }
    match lines.len().checked_sub(MOST) {
        Some(more) if more > 0 => row(f, "", &format!("… {more} lines more")),
        _ => Ok(()),
    }
}

/// Bytes as lines that are safe to print: CR LF as `␍␊`, other controls by their pictures, from 80
/// hex on as `\xe2`.
pub(super) fn shown(bytes: &[u8]) -> Vec<String> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(line).collect()
}

fn line(bytes: &[u8]) -> String {
    if bytes.len() > WIDEST {
        let (start, end) = (&bytes[..WIDEST / 2], &bytes[bytes.len() - WIDEST / 4..]);
        let between = bytes.len() - start.len() - end.len();
        return format!("{} … {between} bytes … {}", line(start), line(end));
    }
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            0..0x20 => text.extend(char::from_u32(0x2400 + u32::from(byte))),
            0x7f => text.push('␡'),
            0x80.. => text.push_str(&format!("\\x{byte:02x}")),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// The lines of an answer, each with the names of its parts.
fn explained(bytes: &[u8], method: &str) -> Vec<String> {
    let explained = explain_response(bytes, method, &Limits::default());
    let mut lines = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut start = 0;
    for (index, (part, at)) in explained.spans.iter().enumerate() {
        names.push(name(*part));
        let next = explained.spans.get(index + 1);
        if ends_a_line(*part, next.map(|(part, _)| *part)) {
            lines.extend(annotated(bytes, start..at.end, &names.join(" ")));
            names.clear();
            start = at.end;
        }
    }
    if let Some(violation) = explained.violation() {
        lines.push(format!("refused: {violation}"));
        lines.push(format!("help: {}", violation.help()));
    }
    lines
}

/// The names stand behind the first line; a body may have more.
fn annotated(bytes: &[u8], at: Range<usize>, names: &str) -> Vec<String> {
    let mut lines = shown(&bytes[at]);
    if let Some(first) = lines.first_mut() {
        let width = 40_usize.saturating_sub(first.chars().count());
        *first = format!("{first}{:width$}  : {names}", "");
    }
    lines
}

fn ends_a_line(part: Part, next: Option<Part>) -> bool {
    let block = |part| {
        matches!(part, Part::Body | Part::ChunkData | Part::Next | Part::Pending | Part::Refused)
    };
    next.is_none_or(block) || block(part) || matches!(part, Part::Crlf | Part::EndOfHead)
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Sp => "sp",
        Part::Version => "version",
        Part::Crlf => "crlf",
        Part::Name => "name",
        Part::Colon => "colon",
        Part::Ows => "blank",
        Part::Value => "value",
        Part::EndOfHead => "end of head",
        Part::Status => "status",
        Part::Reason => "reason",
        Part::Body => "body",
        Part::ChunkSize => "chunk size",
        Part::ChunkExt => "chunk extension",
        Part::ChunkData => "chunk data",
        Part::LastChunk => "last chunk",
        Part::Pending => "unfinished",
        Part::Refused => "not read",
        Part::Next => "the next answer",
        _ => "?",
    }
}

//! Every byte of a request, named, as the guide shows it: one line for each line that HTTP has, the
//! bytes in hexadecimal under their characters, and what they are under both.

use std::ops::Range;

use longhand::Limits;
use longhand::wire::{Explained, Part, Verdict, Whose, explain};

/// Bytes in a row.
const ROW: usize = 24;

pub(crate) fn look(bytes: &[u8]) -> Vec<String> {
    let explained = explain(bytes, &Limits::default());
    let mut shown = Vec::new();
    for line in lines(&explained, bytes.len()) {
        for start in line.clone().step_by(ROW) {
            rows(bytes, &explained, start..line.end.min(start + ROW), &mut shown);
        }
    }
    shown.extend(verdict(&explained, bytes.len()));
    shown
}

/// Where the lines of the message are: each ends with CR LF, or where something else begins.
fn lines(explained: &Explained, length: usize) -> Vec<Range<usize>> {
    let ends = [Part::Blank, Part::Crlf, Part::EndOfHead, Part::Body];
    let mut lines = Vec::new();
    let mut start = 0;
    for (part, at) in &explained.spans {
        if ends.contains(part) || at.end == length {
            lines.push(start..at.end);
            start = at.end;
        }
    }
    lines
}

fn rows(bytes: &[u8], explained: &Explained, at: Range<usize>, shown: &mut Vec<String>) {
    let (mut text, mut hex, mut names) = (format!("{:4} ", at.start), " ".repeat(5), " ".repeat(5));
    for (part, span) in &explained.spans {
        let here = span.start.max(at.start)..span.end.min(at.end);
        if here.is_empty() {
            continue;
        }
        for &byte in &bytes[here.clone()] {
            text += &format!(" {}  ", character(byte));
            hex += &format!("{byte:02x}  ");
        }
        names += &bracket(name(*part), 4 * here.len() - 1);
        names.push(' ');
    }
    shown.extend([text, hex, names].map(|row| row.trim_end().to_owned()));
}

fn character(byte: u8) -> char {
    match byte {
        b' ' => '␠',
        0..0x20 => char::from_u32(0x2400 + u32::from(byte)).unwrap_or('·'),
        0x21..0x7f => char::from(byte),
        _ => '·',
    }
}

/// A name under its bytes: `└name───┘` where there is room, cut where there is not.
fn bracket(name: &str, width: usize) -> String {
    if width <= name.len() + 1 {
        return format!("{:width$}", &name[..name.len().min(width)]);
    }
    let line = "─".repeat(width - 2 - name.len());
    format!("└{name}{line}┘")
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Blank => "blank",
        Part::Method => "method",
        Part::Sp => "sp",
        Part::Target => "target",
        Part::Version => "version",
        Part::Crlf => "crlf",
        Part::Name => "name",
        Part::Colon => "col",
        Part::Ows => "ows",
        Part::Value => "value",
        Part::EndOfHead => "end",
        Part::Body => "body",
        Part::ChunkSize => "size",
        Part::ChunkExt => "ext",
        Part::ChunkData => "data",
        Part::LastChunk => "last",
        Part::Pending => "pending",
        Part::Refused => "refused",
        Part::Next => "next",
        _ => "other",
    }
}

/// What became of it, in one line or three.
fn verdict(explained: &Explained, length: usize) -> Vec<String> {
    match explained.verdict {
        Verdict::Accepted => {
            let next = explained.spans.last().filter(|(part, _)| *part == Part::Next);
            let end = next.map_or(length, |(_, at)| at.start);
            vec![format!("accepted: {end} bytes")]
        }
        Verdict::Unfinished => vec![format!("unfinished after {length} bytes")],
        Verdict::Refused(violation) => {
            let whose = match violation.kind().whose() {
                Whose::Rfc => "the RFC forbids it".to_owned(),
                Whose::Choice => "the RFC lets a server choose; longhand refuses".to_owned(),
                Whose::Limit(field) => format!("a limit of longhand: {field}"),
            };
            vec![
                format!("refused: {}: {violation}", violation.name()),
                format!("whose rule: {whose}"),
            ]
        }
    }
}

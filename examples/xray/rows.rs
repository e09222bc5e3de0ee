//! A line of HTTP as rows of text: characters, hexadecimal digits under them, names under those.
//!
//! ```text
//!        0▏G  E  T  ␠  /  h  i  ␠  H  T  T  P  /  1  .  1  ␍  ␊
//!   +0.0 s 47 45 54 20 2f 68 69 20 48 54 54 50 2f 31 2e 31 0d 0a
//!          └method┘ sp └target┘ sp └version──────────────┘ crlf
//! ```
//!
//! `▏` stands before the first byte of each read, and the time of the read in the margin.

use std::ops::Range;

use longhand::wire::Part;

use crate::exchange::{Line, Message};
use crate::part;
use crate::style::{Style, Tone};

/// Columns of the margin.
const MARGIN: usize = 8;

/// Columns of a byte: what stands before it, and two.
const BYTE: usize = 3;

/// Spans longer than this are folded, down to `FOLDED` bytes.
const LONGEST: usize = 256;
const FOLDED: usize = 24;

/// The rows of one line.
pub(crate) fn rows(message: &Message, line: &Line, style: Style) -> String {
    let mut rows = Rows { message, style, text: String::new(), row: Row::default() };
    let section = Some(line.section).filter(|section| !section.is_empty());
    let section = section.map_or_else(String::new, |section| format!(" ({section})"));
    let (first, at) = &message.spans[line.spans.start];
    let note = part::note(*first, &message.bytes[at.clone()]);
    let note = note.map_or_else(String::new, |note| format!(": {note}"));
    let title = format!("{:MARGIN$} {}{note}{section}\n", "", line.title);
    rows.text.push_str(&style.paint(Tone::Heading, &title));
    for (part, at) in &message.spans[line.spans.clone()] {
        let shown = if at.len() > LONGEST { at.start + FOLDED } else { at.end };
        rows.span(*part, at, shown);
        if shown < at.end {
            rows.end_row();
            let text = format!("{:MARGIN$} ({} bytes more are not drawn)\n", "", at.end - shown);
            rows.text.push_str(&style.paint(Tone::Quiet, &text));
        }
    }
    rows.end_row();
    rows.text
}

struct Rows<'m> {
    message: &'m Message,
    style: Style,
    text: String,
    row: Row,
}

/// The row that is being filled: three texts of the same width, and what stands in the margin.
#[derive(Default)]
struct Row {
    glyphs: String,
    digits: String,
    names: String,
    width: usize,
    offset: usize,
    time: String,
}

impl Rows<'_> {
    /// A span up to `shown`, on as many rows as it needs.
    fn span(&mut self, part: Part, at: &Range<usize>, shown: usize) {
        let (room, name) = (self.style.columns - MARGIN, part::name(part).len());
        // A name stands whole under its bytes, or the bytes begin a new row.
        let needed = (name + 3).min(at.len() * BYTE).max(name + 1);
        if self.row.width + needed > room {
            self.end_row();
        }
        let mut start = at.start;
        while start < shown {
            let fits = ((room - self.row.width) / BYTE).max(1);
            let end = shown.min(start + fits);
            self.piece(part, at, start..end);
            start = end;
            if start < shown {
                self.end_row();
            }
        }
    }

    /// What one row holds of the span at `whole`.
    fn piece(&mut self, part: Part, whole: &Range<usize>, at: Range<usize>) {
        if self.row.width == 0 {
            self.row.offset = at.start;
        }
        let inner = at.len() * BYTE - 1;
        let (first, last) = (at.start == whole.start, at.end == whole.end);
        let name = if first { part::name(part) } else { "" };
        // A bracket where it fits, the bare name where that does, or room for the name.
        let bracket = if first && last && name.len() + 2 > inner {
            format!("{name:<inner$}")
        } else {
            let (open, close) = (if first { "└" } else { "" }, if last { "┘" } else { "" });
            let taken = usize::from(first) + usize::from(last) + name.len();
            format!("{open}{name}{}{close}", "─".repeat(inner.saturating_sub(taken)))
        };
        let tone = if part == Part::Refused { Tone::Bad } else { Tone::Good };
        let width = bracket.chars().count();
        for index in at.clone() {
            let shown = self.message.shown(index);
            let edge = self.message.edges.iter().find(|edge| edge.at == index);
            if let Some(edge) = edge.filter(|_| self.row.time.is_empty()) {
                let first = self.message.edges[0].time;
                let passed = edge.time.saturating_sub(first).as_secs_f32();
                self.row.time = format!("+{passed:.1} s");
            }
            self.row.glyphs.push(if edge.is_some() { '▏' } else { ' ' });
            self.row.glyphs.push(part::glyph(shown));
            let digits = shown.map_or_else(|| "••".to_owned(), |byte| format!("{byte:02x}"));
            self.row.digits.push_str(&format!(" {digits}"));
            self.row.glyphs.push(' ');
        }
        let padding = " ".repeat(width - inner);
        self.row.glyphs.push_str(&padding);
        self.row.digits.push_str(&padding);
        self.row.names.push(' ');
        self.row.names.push_str(&self.style.paint(tone, &bracket));
        self.row.width += width + 1;
    }

    fn end_row(&mut self) {
        let Row { glyphs, digits, names, width, offset, time } = std::mem::take(&mut self.row);
        if width == 0 {
            return;
        }
        let mut push = |tone, margin: String, row: &str| {
            self.text.push_str(&self.style.paint(Tone::Quiet, &margin));
            self.text.push_str(&self.style.paint(tone, row.trim_end()));
            self.text.push('\n');
        };
        push(Tone::Plain, format!("{offset:>MARGIN$}"), &glyphs);
        push(Tone::Quiet, format!("{time:>MARGIN$}"), &digits);
        push(Tone::Plain, format!("{:MARGIN$}", ""), &names);
    }
}

//! The bytes of a message as they lie: one row for each line of HTTP, a cell for each byte, its
//! character over its hexadecimal digits, a name under each run.
//!
//! A run is one link to its row in the ledger, so that it lights up as a whole and a keyboard gets
//! there. What it is called aloud stands in its label.

use std::ops::Range;

use longhand::wire::Part;
use longhand_kit::html::Html;

use crate::exchange::Message;
use crate::part;

/// Spans longer than this are folded, down to `FOLDED` bytes.
const LONGEST: usize = 256;
const FOLDED: usize = 48;

/// Spans up to this stay on one row: they fit on the narrowest screen.
const UNBROKEN: usize = 10;

/// Where links lead: `page` is empty for this one; `ids` tells its messages apart.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) page: &'a str,
    pub(crate) ids: &'a str,
}

/// The rows.
pub(crate) fn rows(message: &Message, place: Place<'_>) -> Html {
    let mut tape = Html::new();
    tape.raw("<div class=\"tape\">\n");
    let mut title = "";
    for line in message.lines() {
        if line.title != title {
            title = line.title;
            tape.raw("<h4>").text(title).raw(" ").piece(&rule(line.section)).raw("</h4>\n");
        }
        tape.raw("<p><span>").text(line.bytes.start).raw("</span>");
        for index in line.spans {
            span(&mut tape, message, index, place);
        }
        tape.raw("</p>\n");
    }
    tape.raw("</div>\n");
    tape
}

fn span(tape: &mut Html, message: &Message, index: usize, place: Place<'_>) {
    let (part, at) = message.spans[index].clone();
    let last = index + 1 == message.spans.len();
    let Place { page, ids } = place;
    let shown = folded(&at);
    tape.raw(" <a");
    if page.is_empty() {
        tape.attribute("id", format_args!("{ids}{index}"));
    }
    tape.attribute("href", format_args!("{page}#{ids}{index}r")).attribute(
        "class",
        format_args!("{}{}", class(part), if at.len() > UNBROKEN { "" } else { " o" }),
    );
    let reads = if message.is_response() { "write" } else { "read" };
    let begun = message.edges.iter().filter(|edge| edge.at > 0 && at.contains(&edge.at));
    let begun: String =
        begun.map(|edge| format!(", {reads} {} begins at byte {}", edge.number, edge.at)).collect();
    let (name, words) = (part::name(part), spoken(part));
    let words = if name == words { String::new() } else { format!(", {words}") };
    let seen = seen(message, &shown);
    // What is seen comes first: people who speak to their computer say what they see.
    let visible = if name == ":" || seen.trim().is_empty() { "" } else { &seen };
    let folds = if shown.end < at.end { more(&at, &shown) } else { String::new() };
    let visible = format!("{name} {visible}{folds}");
    let label =
        format!("{}{words}, {}{}{begun}", visible.trim_end(), spoken_place(&at), spelt(&seen));
    tape.attribute("aria-label", label).raw(">");
    match name {
        // The glyph says it.
        ":" => {}
        name if name.len() <= 4 * at.len() || last => drop(tape.raw("<b>").text(name).raw(" </b>")),
        name => drop(tape.raw("<b class=l>").text(name).raw(" </b>")),
    }
    for byte in shown.clone() {
        let edge = byte > 0 && message.edges.binary_search_by_key(&byte, |edge| edge.at).is_ok();
        cell(tape, message.shown(byte), edge);
    }
    if shown.end < at.end {
        tape.raw("<small>").text(more(&at, &shown)).raw("</small>");
    }
    tape.raw("</a>");
}

fn cell(tape: &mut Html, shown: Option<u8>, edge: bool) {
    // The commonest have their style by their digits.
    let control = shown.is_some_and(|byte| !matches!(byte, b'!'..=b'~' | b' ' | b'\r' | b'\n'));
    tape.raw("<i data-x=");
    match shown {
        Some(byte) => tape.text(format_args!("{byte:02x}")),
        None => tape.text("••"),
    };
    match (control, edge) {
        (false, false) => {}
        (true, false) => drop(tape.raw(" class=k")),
        (false, true) => drop(tape.raw(" class=e")),
        (true, true) => drop(tape.raw(" class=\"k e\"")),
    }
    tape.raw(">").text(glyph(shown)).raw("</i>");
}

/// What is shown of a run.
pub(crate) fn folded(at: &Range<usize>) -> Range<usize> {
    if at.len() > LONGEST { at.start..at.start + FOLDED } else { at.clone() }
}

fn more(at: &Range<usize>, shown: &Range<usize>) -> String {
    format!("{} bytes more", at.end - shown.end)
}

/// `byte 3` or `bytes 5 to 7`.
fn spoken_place(at: &Range<usize>) -> String {
    match at.len() {
        1 => format!("byte {}", at.start),
        _ => format!("bytes {} to {}", at.start, at.end - 1),
    }
}

/// A run as its cells show it.
fn seen(message: &Message, at: &Range<usize>) -> String {
    if at.clone().all(|at| message.shown(at).is_none()) {
        return "hidden".to_owned();
    }
    at.clone().map(|at| glyph(message.shown(at))).collect()
}

/// Short words letter by letter.
fn spelt(seen: &str) -> String {
    let letters: Vec<_> = seen.chars().map(String::from).collect();
    match letters.len() {
        2..=8 if seen.is_ascii() && seen != "CRLF" => format!(", {}", letters.join(" ")),
        _ => String::new(),
    }
}

/// The names of control codes that people know; others have their digits.
pub(crate) fn glyph(shown: Option<u8>) -> String {
    match shown {
        Some(b' ') => " ",
        Some(b'\r') => "CR",
        Some(b'\n') => "LF",
        Some(b'\t') => "HT",
        Some(0) => "NUL",
        Some(0x1b) => "ESC",
        Some(0x7f) => "DEL",
        shown => return part::glyph(shown).to_string(),
    }
    .to_owned()
}

/// A part by its whole name.
pub(crate) fn spoken(part: Part) -> &'static str {
    match part {
        Part::Blank => "empty line",
        Part::Sp => "space",
        Part::Crlf => "line end",
        Part::Name => "field name",
        Part::Colon => "colon",
        Part::Ows => "blank",
        Part::Value => "field value",
        Part::EndOfHead => "end of the head",
        Part::ChunkSize => "chunk size",
        Part::ChunkExt => "chunk extension",
        Part::ChunkData => "chunk data",
        Part::LastChunk => "last chunk",
        other => part::name(other),
    }
}

/// How a run looks: kinds of words, of punctuation, of content.
pub(crate) fn class(part: Part) -> &'static str {
    match part {
        Part::Method | Part::Status => "m",
        Part::Target => "t",
        Part::Version | Part::Reason => "v",
        Part::Name => "n",
        Part::Value => "p",
        Part::ChunkSize | Part::ChunkExt | Part::LastChunk => "f",
        Part::Body | Part::ChunkData => "d",
        Part::Pending => "w",
        Part::Refused => "x",
        _ => "s",
    }
}

/// `RFC 9112 section 5` as a link to it; nothing of nothing.
pub(crate) fn rule(section: &'static str) -> Html {
    let mut link = Html::new();
    let parts = section.strip_prefix("RFC ").and_then(|rest| rest.split_once(" section "));
    if let Some((number, section)) = parts {
        let uri = format_args!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}");
        link.raw("<a").attribute("href", uri).raw(">RFC ").text(number);
        link.raw(" §").text(section).raw("</a>");
    }
    link
}

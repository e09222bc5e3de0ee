//! What is worth knowing of a message, in four levels, of which one is praise; and a refusal, with
//! its byte, the rule, whose it is and the way out.

use longhand::wire::{Part, Verdict};
use longhand_kit::html::Html;

use super::bytes::{glyph, rule};
use crate::exchange::{Exchange, Message, Refusal};
use crate::{part, refusal};

/// How a note is meant.
#[derive(Clone, Copy)]
enum Level {
    Good,
    Note,
    Odd,
    Bad,
}

/// The notes on a request or response, as a list.
pub(crate) fn notes(message: &Message) -> Html {
    let mut list = Html::new();
    list.raw("<ul class=\"notes\">\n");
    for (level, words) in found(message) {
        let (class, name) = match level {
            Level::Good => ("good", "good"),
            Level::Note => ("note", "note"),
            Level::Odd => ("odd", "odd"),
            Level::Bad => ("bad", "bad"),
        };
        list.raw("<li").attribute("class", class).raw("><b>").text(name).raw("</b> ").text(words);
        list.raw("</li>\n");
    }
    list.raw("</ul>\n");
    list
}

fn found(message: &Message) -> Vec<(Level, String)> {
    let lines = message.lines().len();
    let count = message.bytes.len() as u64 + message.missed;
    let mut notes = vec![match message.verdict {
        Verdict::Accepted => {
            (Level::Good, format!("Every rule holds in {count} bytes, {lines} lines and pieces."))
        }
        Verdict::Refused(violation) => {
            let rest = count.saturating_sub(violation.at() as u64);
            let (at, name) = (violation.at(), violation.name());
            (
                Level::Bad,
                format!("{name}: of {count} bytes, the {rest} from byte {at} on were not read."),
            )
        }
        Verdict::Unfinished if message.ends_by_close() => {
            (Level::Odd, "No length, no chunks: only the end of the connection ends it.".to_owned())
        }
        Verdict::Unfinished => {
            (Level::Odd, format!("Not whole: it waits for {}.", part::waiting(message)))
        }
    }];
    if message.verdict == Verdict::Accepted
        && !message.is_response()
        && message.field("host").is_some()
    {
        notes.push((Level::Good, "Host is there, once.".to_owned()));
    }
    notes.extend(framing(message));
    notes.extend(pieces(message));
    if (0..message.bytes.len()).any(|at| message.shown(at).is_none()) {
        let words =
            "Secrets are drawn as dots, as long as they are. The server read them all the same.";
        notes.push((Level::Note, words.to_owned()));
    }
    notes
}

/// How the end of the message is known.
fn framing(message: &Message) -> Option<(Level, String)> {
    message.head_end().filter(|_| message.verdict == Verdict::Accepted)?;
    let data = |part| -> usize {
        message.spans.iter().filter(|span| span.0 == part).map(|span| span.1.len()).sum()
    };
    if let Some(length) = message.declared() {
        let came = data(Part::Body) as u64 + message.missed;
        return Some(match (length == came, length) {
            (true, 0) => (
                Level::Good,
                "Content-Length 0: nothing comes behind the empty line, and that is said."
                    .to_owned(),
            ),
            (true, _) => (Level::Good, format!("Content-Length said {length}, and {length} came.")),
            (false, _) => (
                Level::Note,
                format!(
                    "Content-Length says {length}: what GET would have been sent. HEAD has no body."
                ),
            ),
        });
    }
    if message.field("transfer-encoding").is_some() {
        let (chunks, bytes) = (
            message.spans.iter().filter(|span| span.0 == Part::ChunkSize).count(),
            data(Part::ChunkData),
        );
        let around = message.bytes.len() - message.head_end()? - bytes;
        return Some((
            Level::Good,
            format!("{chunks} chunks hold {bytes} bytes of body, in {around} bytes of framing."),
        ));
    }
    let words = match message.is_response() {
        true => "A response of this status has no body, whatever its fields say.",
        false => {
            "No Content-Length and no Transfer-Encoding: no body, and the next byte begins the next request."
        }
    };
    Some((Level::Note, words.to_owned()))
}

/// In how many reads or writes it came.
fn pieces(message: &Message) -> Option<(Level, String)> {
    let first = message.edges.first()?;
    let passed = (message.latest() - first.time).as_secs_f32();
    let words = match (message.is_response(), message.edges.len()) {
        (false, 1) => {
            "It came in one read. Nothing promises that: TCP has bytes, and no messages.".to_owned()
        }
        (false, reads) => {
            format!("It came in {reads} reads over {passed:.1} s: a bar stands where each begins.")
        }
        (true, 1) => "It left in one write.".to_owned(),
        (true, writes) => format!(
            "It left in {writes} writes over {passed:.1} s: a bar stands where each begins."
        ),
    };
    Some((Level::Note, words))
}

/// Reads or writes and when they came, if they were several.
pub(crate) fn edges(message: &Message) -> Html {
    let mut list = Html::new();
    let (Some(first), true) = (message.edges.first(), message.edges.len() > 1) else { return list };
    let noun = if message.is_response() { "writes" } else { "reads" };
    list.raw("<details><summary>")
        .text(message.edges.len())
        .raw(" ")
        .text(noun)
        .raw("</summary>\n<ol class=\"edges\">");
    for edge in &message.edges {
        let after = edge.time.saturating_sub(first.time).as_secs_f32();
        list.raw("<li>from byte ")
            .text(edge.at)
            .raw(format(after))
            .text(format_args!("{after:.1} s"))
            .raw("</li>\n");
    }
    list.raw("</ol></details>\n");
    list
}

fn format(after: f32) -> &'static str {
    if after > 0.0 { ", +" } else { ", " }
}

/// A refusal, as rustc would tell it.
pub(crate) fn refused(exchange: &Exchange, refusal: Refusal) -> Html {
    let Refusal { violation, at } = refusal;
    let (kind, message) = (violation.kind(), &exchange.request);
    let at = at.min(message.bytes.len());
    let before = &message.bytes[..at];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
    let end = message.bytes[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(message.bytes.len(), |lf| at + lf + 1);
    let came = violation.found().map(refusal::name);

    let mut block = Html::new();
    block.raw("<div class=\"refusal\">\n<p><strong>").text(kind.name()).raw("</strong> ");
    if let Some(came) = &came {
        block.raw("found ").text(came).raw(", ");
    }
    block.raw("expected ").text(kind.expected()).raw("</p>\n<pre tabindex=\"0\">");
    let from = start.max(at.saturating_sub(56));
    let glyphs = |range: std::ops::Range<usize>| -> String {
        let glyph = |at| match message.shown(at) {
            Some(byte @ b' '..=b'~') => char::from(byte),
            None => part::glyph(None),
            _ => '·',
        };
        range.map(glyph).collect()
    };
    let cut = if from > start { "…" } else { "" };
    let left = format!("{line:>3} │ {cut}{}", glyphs(from..at));
    block.text(&left);
    if at < end {
        let rest = glyphs(at + 1..end.min(at + 24));
        block.raw("<mark>").text(glyph(message.shown(at))).raw("</mark>").text(rest);
    }
    let indent = " ".repeat(left.chars().count() - 6);
    block.raw("\n    │ ").text(indent).raw("^ byte ").text(at).raw("</pre>\n<dl>\n");
    let mut row = |term: &'static str, words: &str, section| {
        block
            .raw("<div><dt>")
            .raw(term)
            .raw("</dt><dd>")
            .text(words)
            .raw(" ")
            .piece(&rule(section))
            .raw("</dd></div>\n");
    };
    row("Rule", kind.text(), kind.section());
    row("Whose", &kind.whose().to_string(), "");
    row("Why", kind.why(), "");
    row("Help", violation.help(), "");
    let answer = refusal::answered(exchange.response(), refusal);
    row("Answer", answer.trim_start_matches("answered "), "");
    block.raw("</dl>\n</div>\n");
    block
}

//! The ledger: a row for each run of bytes, with what it means; and the dump, as `xxd` has it.

use std::ops::Range;

use longhand_kit::html::Html;

use super::bytes::{Place, class, folded, glyph, rule, spoken};
use super::meaning::meaning;
use crate::exchange::Message;
use crate::part;

/// Digits of so many bytes stand in a row: the dump has all.
const DIGITS: usize = 8;

/// Bytes in the dump, at most.
const DUMPED: usize = 1024;

/// The table.
pub(crate) fn ledger(message: &Message, place: Place<'_>) -> Html {
    let mut table = Html::new();
    table.raw("<table class=\"ledger\">\n<caption>The ledger: each run of bytes, and what it means</caption>\n");
    table.raw("<thead><tr><th scope=\"col\">Bytes</th><th scope=\"col\">Text</th><th scope=\"col\">Hex</th>");
    table.raw("<th scope=\"col\">What it is</th></tr></thead>\n<tbody>\n");
    for (index, (part, at)) in message.spans.iter().enumerate() {
        let Place { ids, .. } = place;
        table.raw("<tr").attribute("id", format_args!("{ids}{index}r"));
        table.attribute("class", class(*part)).raw("><th scope=\"row\"><a");
        table.attribute("href", format_args!("#{ids}{index}")).raw(">").text(at.start);
        if at.len() > 1 {
            table.raw("–").text(at.end - 1);
        }
        table.raw("</a></th><td>").text(text(message, at)).raw("</td><td>");
        table.text(digits(message, at)).raw("</td><td><b>").text(spoken(*part)).raw("</b>");
        let (words, section) = meaning(message, index);
        if !words.is_empty() {
            table.raw(" ").text(words);
        }
        if !section.is_empty() {
            table.raw(" ").piece(&rule(section));
        }
        table.raw("</td></tr>\n");
    }
    table.raw("</tbody>\n</table>\n");
    table
}

/// Bytes as text, folded.
fn text(message: &Message, at: &Range<usize>) -> String {
    let shown = folded(at);
    let glyphs = shown.clone().map(|at| match message.shown(at) {
        Some(b' ') if shown.len() == 1 => "␣".to_owned(),
        Some(b'\r') => "CR ".to_owned(),
        shown => glyph(shown),
    });
    let mut text: String = glyphs.collect();
    if shown.end < at.end {
        text += &format!("… ({} bytes)", at.len());
    }
    text
}

fn digits(message: &Message, at: &Range<usize>) -> String {
    let end = at.end.min(at.start + DIGITS);
    let digits: Vec<_> = (at.start..end).map(|at| hex(message, at)).collect();
    digits.join(" ") + if end < at.end { " …" } else { "" }
}

fn hex(message: &Message, at: usize) -> String {
    message.shown(at).map_or_else(|| "••".to_owned(), |byte| format!("{byte:02x}"))
}

/// Sixteen bytes a row.
pub(crate) fn dump(message: &Message) -> Html {
    let mut dump = Html::new();
    let end = message.bytes.len().min(DUMPED);
    dump.raw("<details><summary>The same, sixteen bytes a row</summary>\n<pre tabindex=\"0\">");
    for from in (0..end).step_by(16) {
        let row = from..end.min(from + 16);
        let digits: Vec<_> = row.clone().map(|at| hex(message, at)).collect();
        let glyphs: String = row.map(|at| plain(message.shown(at))).collect();
        dump.text(format_args!("{from:06x}  {:<47}  {glyphs}\n", digits.join(" ")));
    }
    if end < message.bytes.len() {
        dump.text(format_args!("{} bytes more\n", message.bytes.len() - end));
    }
    dump.raw("</pre></details>\n");
    dump
}

fn plain(shown: Option<u8>) -> char {
    match shown {
        Some(b' ') => ' ',
        None => part::glyph(None),
        Some(byte @ b'!'..=b'~') => char::from(byte),
        Some(_) => '.',
    }
}

//! A refusal, with the line it is about and a mark under the byte: what came, what was wanted, whose
//! rule it is, and the way out.

use longhand::wire::{Kind, Part, Whose};

use crate::exchange::{Message, Refusal};
use crate::part::glyph;
use crate::style::{Style, Tone};

/// Columns kept free beside the quoted line, for its number and for what stands beside the mark.
const BESIDE: usize = 28;

/// The whole text. `place` names the message; `notes` tell what is known beside the rule.
pub(crate) fn text(
    place: &str,
    message: &Message,
    refusal: Refusal,
    notes: &[String],
    style: Style,
) -> String {
    let Refusal { violation, at } = refusal;
    let kind = violation.kind();
    let came = violation.found().map(name);
    let found = came.as_ref().map_or_else(String::new, |found| format!("found {found}, "));

    let before = &message.bytes[..at.min(message.bytes.len())];
    let number = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |lf| lf + 1);
    let rest = &message.bytes[start..];
    let end = start + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |lf| lf + 1);
    let column = before.len() - start;
    let read = message.edges.iter().rev().find(|edge| edge.at <= before.len());

    // Of a long line, what stands around the byte.
    let room = style.columns.saturating_sub(BESIDE).max(16);
    let from = start + column.saturating_sub(room * 2 / 3);
    let to = end.min(from + room);
    let quoted: String = (from..to).map(|at| glyph(message.shown(at))).map(space).collect();
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let indent = " ".repeat(start + column - from + usize::from(from > start));

    let headline = format!("error[{}]: {found}expected {}", kind.name(), kind.expected());
    let mut text = style.paint(Tone::Bad, &style.wrap("", &headline));
    let mut plain = format!("  {place}, byte {at} (line {number}, column {})", column + 1);
    plain += &read.map_or_else(String::new, |edge| format!(", in read {}", edge.number));
    plain += &format!(
        "\n     |\n{number:>4} | {}{quoted}{}\n     | {indent}",
        cut(from > start),
        cut(to < end)
    );
    text += &style.paint(Tone::Plain, &plain);
    text += &style.paint(Tone::Bad, &format!("^ {}\n", came.as_deref().unwrap_or("here")));
    let rule = format!("{} ({})", kind.text(), whose(kind));
    let mut last = style.wrap("     = rule: ", &rule);
    last += &style.wrap("     = help: ", violation.help());
    notes.iter().for_each(|note| last += &style.wrap("     = ", note));
    text + &style.paint(Tone::Plain, &last)
}

/// A head that breaks a rule in its first line may be none, but the rest of the body `before` it.
pub(crate) fn behind(
    before: Option<&Message>,
    message: &Message,
    refusal: Refusal,
) -> Option<String> {
    let read = &message.bytes[..refusal.at.min(message.bytes.len())];
    let before = before.filter(|_| !read.trim_ascii_start().contains(&b'\n'))?;
    match before.declared() {
        Some(length) => Some(format!(
            "note: the body before these bytes took {length}, as its Content-Length said: if they \
             belong to it, that was too small; if their first letters are missing, too large"
        )),
        None if before.field("transfer-encoding").is_none() => Some(
            "note: the request before these bytes had no Content-Length: if they are its body, it \
             lacks one"
                .to_owned(),
        ),
        None => None,
    }
}

/// `answered 400 Bad Request, then closed`, from what was written.
pub(crate) fn answered(response: Option<&Message>, refusal: Refusal) -> String {
    let Some(response) = response else {
        return format!("a server answers {}, and closes", refusal.violation.status());
    };
    let text = |part| String::from_utf8_lossy(response.part(part)).into_owned();
    let closes = response.field("connection").is_some_and(|value| value == b"close");
    let then = if closes { ", then closed" } else { "" };
    format!("answered {} {}{then}", text(Part::Status), text(Part::Reason))
}

fn whose(kind: Kind) -> String {
    let section = kind.section();
    match kind.whose() {
        Whose::Rfc => section.to_owned(),
        Whose::Choice => format!("{section}; longhand's choice"),
        Whose::Limit(name) => format!("{section}; longhand's limit, `Limits::{name}`"),
    }
}

/// A byte by the name people know it by, and by its digits.
pub(crate) fn name(byte: u8) -> String {
    match byte {
        b'\n' => "LF (0a)".to_owned(),
        b'\r' => "CR (0d)".to_owned(),
        b'\t' => "HTAB (09)".to_owned(),
        b' ' => "SP (20)".to_owned(),
        0 => "NUL (00)".to_owned(),
        b'!'..=b'~' => format!("{} ({byte:02x})", char::from(byte)),
        _ => format!("byte {byte:02x}"),
    }
}

/// In a quoted line a space may be a space.
fn space(glyph: char) -> char {
    if glyph == '␠' { ' ' } else { glyph }
}

//! `/try`: bytes typed into a form, read by the parser as if they had come over a connection. No tool
//! is needed but a browser.

use std::time::Duration;

use longhand::Limits;
use longhand::wire::{Kind, explain, explain_response};
use longhand_kit::form::Form;
use longhand_kit::html::Html;

use super::{begin, end, whole};
use crate::exchange::{Exchange, Message};

/// What the form holds at first.
const FIRST: &str = r"GET /hi HTTP/1.1\r\n
Host: localhost\r\n
\r\n";

/// The mistakes that people make most.
const SAMPLES: [&str; 15] = [
    "bare-lf",
    "host-missing",
    "target-octet",
    "version-syntax",
    "name-space",
    "obs-fold",
    "field-indented",
    "host-repeated",
    "length-digits",
    "lengths-differ",
    "length-and-coding",
    "chunk-size",
    "chunk-data-end",
    "method-octet",
    "tls-hello",
];

/// The form, and what became of the bytes that were typed into it.
pub(crate) fn tried(typed: Option<&str>, limits: &Limits) -> Html {
    let mut page = begin(
        "Try",
        "Type the bytes of a request. The parser of this server reads them; nothing is sent on.",
    );
    page.raw(
        "<form action=\"/try\" method=\"get\">\n<p><label for=\"bytes\">Bytes</label>\n\
         <textarea id=\"bytes\" name=\"bytes\" rows=\"6\" spellcheck=\"false\" autocapitalize=\"off\" \
         aria-describedby=\"how\">",
    );
    page.text(typed.unwrap_or(FIRST)).raw("</textarea></p>\n<p id=\"how\">");
    page.raw("<code>\\r</code> <code>\\n</code> <code>\\t</code> <code>\\xff</code> <code>\\\\</code> are one byte each. \
              A line break of the box itself is none: it is there for your eyes. Bytes that begin with \
              <code>HTTP/</code> are read as a response.</p>\n<p><button>Read them</button></p>\n</form>\n");
    if let Some(typed) = typed {
        let bytes = unescape(typed);
        let is_response = bytes.starts_with(b"HTTP/");
        let (mut rest, mut number) = (bytes, 0);
        while !rest.is_empty() && number < 8 {
            number += 1;
            let mut message = Message::new();
            rest = message.take(&rest, 1, Duration::ZERO, 64 << 10, |bytes| match is_response {
                true => explain_response(bytes, "GET", limits),
                false => explain(bytes, limits),
            });
            message.edges.clear();
            message.reveal();
            let exchange = Exchange { number, request: message, responses: Vec::new(), told: None };
            page.raw("<section>\n<h2>").raw("Message ").text(number).raw("</h2>\n");
            page.piece(&whole(&exchange, &format!("e{number}"))).raw("</section>\n");
        }
        if number == 0 {
            page.raw("<p>No byte was typed: the parser waits for the first.</p>\n");
        }
    }
    page.raw("<section>\n<h2>Fifteen that are refused</h2>\n<p>Guess the byte, then look.</p>\n<ul class=\"samples\">\n");
    for kind in SAMPLES.iter().filter_map(|name| Kind::named(name)) {
        let query = Form::from_iter([("bytes", escape(kind.sample().bytes))]).encode();
        page.raw("<li><a")
            .attribute("href", format_args!("/try?{query}"))
            .raw(">")
            .text(kind.name());
        page.raw("</a> ").text(kind.text()).raw("</li>\n");
    }
    page.raw("</ul>\n</section>\n");
    end(&mut page);
    page
}

/// Bytes of a text with escapes; what is none stands for itself.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, ..] = rest {
        let (byte, length) = match rest {
            [b'\\', b'r', ..] => (Some(b'\r'), 2),
            [b'\\', b'n', ..] => (Some(b'\n'), 2),
            [b'\\', b't', ..] => (Some(b'\t'), 2),
            [b'\\', b'0', ..] => (Some(0), 2),
            [b'\\', b'\\', ..] => (Some(b'\\'), 2),
            [b'\\', b'x', high, low, ..] if hex(*high, *low).is_some() => (hex(*high, *low), 4),
            [b'\r' | b'\n', ..] => (None, 1),
            _ => (Some(*first), 1),
        };
        bytes.extend(byte);
        rest = &rest[length..];
    }
    bytes
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The text that stands for bytes, a line for each of theirs.
fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\r' => text.push_str(r"\r"),
            b'\n' => text.push_str("\\n\n"),
            b'\t' => text.push_str(r"\t"),
            b'\\' => text.push_str(r"\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_comes_back_and_line_breaks_of_the_box_do_not() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&escape(&all)), all);
        assert_eq!(unescape("a\r\nb\\q\\x4\\"), b"ab\\q\\x4\\");
    }
}

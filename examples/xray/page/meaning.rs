//! What a run of bytes means, in a sentence or two, and where the RFC tells of it.
//!
//! Punctuation is told of once in a message: a second colon is no news.

use longhand::wire::Part;

use crate::exchange::Message;
use crate::part;

/// What is said of a span: in words, and with the section behind them; either may be empty.
pub(crate) type Meaning = (String, &'static str);

/// What the span of this index means in its message.
pub(crate) fn meaning(message: &Message, index: usize) -> Meaning {
    let (part, at) = &message.spans[index];
    let bytes = &message.bytes[at.clone()];
    let text = String::from_utf8_lossy(bytes);
    let seen = message.spans[..index].iter().any(|span| span.0 == *part);
    let (words, section) = match part {
        Part::Method => method(bytes),
        Part::Target => (target(bytes), "RFC 9112 section 3.2"),
        Part::Version => (VERSION, "RFC 9110 section 2.5"),
        Part::Status => return (status(message, bytes), "RFC 9110 section 15"),
        Part::Name => return name(bytes),
        Part::Value => return (value(message, index), ""),
        Part::Body => return (body(message, bytes.len()), "RFC 9112 section 6.3"),
        Part::ChunkSize => {
            let size =
                u64::from_str_radix(&text, 16).map_or_else(|_| "?".into(), |n| n.to_string());
            let words = match seen {
                true => format!("{text} in hexadecimal is {size}: so many bytes of data follow."),
                false => format!(
                    "{text} in hexadecimal is {size}: so many bytes of data follow the line. The \
                     length of the whole need not be known beforehand."
                ),
            };
            return (words, if seen { "" } else { "RFC 9112 section 7.1" });
        }
        Part::Refused => return (refused(message), ""),
        Part::Pending => {
            return (
                format!("Begun, and not whole: the parser waits for {}.", part::waiting(message)),
                "",
            );
        }
        _ if seen => ("", ""),
        Part::Reason => {
            ("For people alone: a client goes by the three digits.", "RFC 9112 section 4")
        }
        Part::Blank => (
            "An empty line before a request. Old clients sent one behind a body; a server skips it.",
            "RFC 9112 section 2.2",
        ),
        Part::Sp => {
            ("Exactly one space stands between the words of the first line.", "RFC 9112 section 3")
        }
        Part::Crlf => (
            "Carriage return and line feed end every line. Enter sends only the second.",
            "RFC 9112 section 2.2",
        ),
        Part::Colon => ("Ends the name. No blank may stand before it.", "RFC 9112 section 5.1"),
        Part::Ows => {
            ("Blanks around a value are no part of it: one, none, or many.", "RFC 9112 section 5.1")
        }
        Part::EndOfHead => (
            "An empty line ends the fields. It does not end the message: a body may follow.",
            "RFC 9112 section 2.1",
        ),
        Part::ChunkExt => {
            ("An extension, which a server that does not know it skips.", "RFC 9112 section 7.1.1")
        }
        Part::ChunkData => (
            "Body, as many bytes as the size said; whatever they are, they are not looked at.",
            "RFC 9112 section 7.1",
        ),
        Part::LastChunk => {
            ("Zero: no more data. Trailers may follow, then an empty line.", "RFC 9112 section 7.1")
        }
        _ => ("", ""),
    };
    (words.to_owned(), section)
}

const VERSION: &str =
    "The grammar of this message, and what its sender can do. One sent in 1.0 gets no chunks back.";

fn method(bytes: &[u8]) -> (&'static str, &'static str) {
    match bytes {
        b"GET" => {
            ("Asks for what the target names, and changes nothing.", "RFC 9110 section 9.3.1")
        }
        b"HEAD" => {
            ("Asks for the fields that GET would get, without the body.", "RFC 9110 section 9.3.2")
        }
        b"POST" => {
            ("Hands over a body to be worked on; twice may do it twice.", "RFC 9110 section 9.3.3")
        }
        b"PUT" => ("Stores the body under the target; twice is as once.", "RFC 9110 section 9.3.4"),
        b"DELETE" => ("Removes what the target names.", "RFC 9110 section 9.3.5"),
        b"CONNECT" => ("Asks a proxy for a tunnel.", "RFC 9110 section 9.3.6"),
        b"OPTIONS" => ("Asks what may be done with the target.", "RFC 9110 section 9.3.7"),
        b"TRACE" => ("Asks to have the request sent back.", "RFC 9110 section 9.3.8"),
        _ => (
            "A token of any letters: upper and lower case are two methods.",
            "RFC 9110 section 9.1",
        ),
    }
}

fn target(bytes: &[u8]) -> &'static str {
    match bytes {
        b"*" => "The server as a whole.",
        [b'/', ..] if bytes.contains(&b'?') => {
            "Path and query. A fragment (#…) never leaves the browser."
        }
        [b'/', ..] => {
            "The path, as it stands: the host is in a field of its own, and %20 is still %20."
        }
        _ => "A whole URI, as proxies are asked; its host counts, and Host does not.",
    }
}

fn status(message: &Message, digits: &[u8]) -> String {
    let class = match digits.first() {
        Some(b'1') => "1xx: an interim answer. The final one follows.",
        Some(b'2') => "2xx: done.",
        Some(b'3') => "3xx: look elsewhere, or at what you have.",
        Some(b'4') => "4xx: the request is at fault.",
        _ => "5xx: the server is at fault.",
    };
    let more = match digits {
        b"204" | b"304" => " This one never has a body.",
        b"303" if message.field("location").is_some() => {
            " See other: the client fetches Location with GET, and a reload repeats nothing."
        }
        _ => "",
    };
    format!("{class}{more}")
}

/// Fields, what they are for, and where that stands.
const FIELDS: &[(&str, &str, &str)] = &[
    ("accept", "Which media types the client can use, with weights.", "RFC 9110 section 12.5.1"),
    (
        "accept-encoding",
        "Which codings the client can undo. A server may compress, or not.",
        "RFC 9110 section 12.5.3",
    ),
    ("accept-language", "Which languages the reader prefers.", "RFC 9110 section 12.5.4"),
    ("allow", "The methods that would be taken here.", "RFC 9110 section 10.2.1"),
    ("authorization", "Who asks, and the proof.", "RFC 9110 section 11.6.2"),
    ("cache-control", "What caches may do, on both ways.", "RFC 9111 section 5.2"),
    ("connection", "About this connection only: no proxy hands it on.", "RFC 9110 section 7.6.1"),
    (
        "content-length",
        "How many bytes of body follow the empty line. The whole framing hangs on it.",
        "RFC 9112 section 6.2",
    ),
    (
        "content-security-policy",
        "What a page may load: here nothing, and its one style by its hash.",
        "",
    ),
    ("content-type", "What the body is.", "RFC 9110 section 8.3"),
    (
        "cookie",
        "What this site had asked the browser to keep. Cookies do not know ports: one set by another program on this machine comes here too.",
        "RFC 6265 section 5.4",
    ),
    ("date", "When the answer was made.", "RFC 9110 section 6.6.1"),
    ("etag", "The name of this version.", "RFC 9110 section 8.8.3"),
    (
        "expect",
        "100-continue: the client holds the body back until it is asked for.",
        "RFC 9110 section 10.1.1",
    ),
    (
        "host",
        "Which site is meant: many can live at one address. HTTP/1.1 demands it, once.",
        "RFC 9112 section 3.2",
    ),
    ("if-modified-since", "Send it only if it has changed since.", "RFC 9110 section 13.1.3"),
    ("if-none-match", "Send it only if no version is this one.", "RFC 9110 section 13.1.2"),
    ("last-modified", "When it last changed.", "RFC 9110 section 8.8.2"),
    ("location", "Where to go instead.", "RFC 9110 section 10.2.2"),
    ("origin", "Which site's page asks.", "RFC 6454 section 7"),
    ("referer", "The page that led here. One r is missing, since 1996.", "RFC 9110 section 10.1.3"),
    ("retry-after", "When to try again.", "RFC 9110 section 10.2.3"),
    (
        "sec-ch-ua",
        "The browser's brand and version, with one made up so that nobody relies on the list.",
        "",
    ),
    (
        "sec-ch-ua-mobile",
        "?0 is false, ?1 is true: not a phone, or a phone.",
        "RFC 8941 section 3.3.6",
    ),
    ("sec-ch-ua-platform", "The system that the browser runs on.", ""),
    ("sec-fetch-dest", "What the answer becomes: document is a page, image an image.", ""),
    ("sec-fetch-mode", "How it is fetched: navigate is a person going there.", ""),
    (
        "sec-fetch-site",
        "Who asks: none is the reader, same-origin this site, cross-site another.",
        "",
    ),
    ("sec-fetch-user", "?1: a person did something, such as a click.", "RFC 8941 section 3.3.6"),
    ("server", "What program answers.", "RFC 9110 section 10.2.4"),
    ("set-cookie", "Asks the browser to keep something.", "RFC 6265 section 4.1"),
    ("te", "Which transfer codings the client takes besides chunked.", "RFC 9110 section 10.1.4"),
    ("trailer", "Which fields come behind the body.", "RFC 9110 section 6.6.2"),
    (
        "transfer-encoding",
        "How the body is framed: chunked, in pieces that tell their own size.",
        "RFC 9112 section 6.1",
    ),
    ("upgrade", "Another protocol that the sender could go on in.", "RFC 9110 section 7.8"),
    ("upgrade-insecure-requests", "1: the browser would rather be sent to https.", ""),
    (
        "user-agent",
        "The program that asks. Nearly all begin with Mozilla, since servers once looked for that.",
        "RFC 9110 section 10.1.5",
    ),
    ("vary", "Which fields of the request the answer depends on.", "RFC 9110 section 12.5.5"),
    ("x-content-type-options", "nosniff: take Content-Type at its word.", ""),
];

fn name(bytes: &[u8]) -> Meaning {
    let lower = bytes.to_ascii_lowercase();
    let known = FIELDS.iter().find(|(name, ..)| name.as_bytes() == lower);
    let (_, words, section) = known.unwrap_or(&(
        "",
        "Not one that HTTP needs. Names are the sender's to choose, and any case is the same name.",
        "RFC 9110 section 5.1",
    ));
    ((*words).to_owned(), section)
}

fn value(message: &Message, index: usize) -> String {
    let named = message.spans[..index].iter().rev().find(|span| span.0 == Part::Name);
    let name = named.map_or(&[][..], |(_, at)| &message.bytes[at.clone()]);
    let value =
        String::from_utf8_lossy(&message.bytes[message.spans[index].1.clone()]).to_lowercase();
    let words = match (name.to_ascii_lowercase().as_slice(), value.as_str()) {
        (b"content-length", _) => "Decimal digits and nothing else: +5 and 5, 5.0 are refused.",
        (b"connection", "close") => "The last exchange on this connection.",
        (b"connection", "keep-alive") => "HTTP/1.1 does that without being asked; 1.0 did not.",
        (b"host", _) if value.contains(':') => "Name and port, as the reader typed them.",
        (b"transfer-encoding", "chunked") => {
            "The last coding is chunked, so the body tells its own end."
        }
        _ => "",
    };
    words.to_owned()
}

fn body(message: &Message, here: usize) -> String {
    match message.declared() {
        Some(length) if length == here as u64 + message.missed => {
            format!("{length} bytes, as Content-Length said. HTTP does not look into them.")
        }
        Some(length) => format!("{here} of the {length} bytes that Content-Length said."),
        None => "No length was told: it ends when the connection does.".to_owned(),
    }
}

fn refused(message: &Message) -> String {
    let longhand::wire::Verdict::Refused(violation) = message.verdict else { return String::new() };
    format!(
        "Here the parser stopped ({}), and looks at nothing behind it: a guess at where the next \
         request begins is what attackers hope for.",
        violation.name()
    )
}

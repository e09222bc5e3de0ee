//! The table of rules: every row does what it says, and what a stranger reads names the cure.
//!
//! The rows enter by `Kind::ALL`, the mistakes of strangers by `tests/carets.txt`; the judges are the
//! parsers and a server. The error index `crates/longhand/src/wire/errors.md` is made of the rows:
//! `GOLDEN=write cargo test -p tests --test rules` writes it anew.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use harness::answer::answers;
use harness::client::Client;
use harness::golden::{escape, rewrites, unescape};
use harness::running::run;
use harness::talk::talk;
use longhand::transport::Scripted;
use longhand::wire::{
    Kind, Part, Sample, Scene, Verdict, Violation, Whose, explain, explain_response,
};
use longhand::{Limits, Request, Response, Server};

/// The sections that the rows name, with their titles.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    ("RFC 3986", &[("2.1", "Percent-Encoding"), ("3.2.2", "Host"), ("3.2.3", "Port")]),
    ("RFC 6585", &[("5", "431 Request Header Fields Too Large")]),
    (
        "RFC 9110",
        &[
            ("4.2.1", "http URI Scheme"),
            ("4.2.4", "Deprecation of userinfo in http(s) URIs"),
            ("5.1", "Field Names"),
            ("5.5", "Field Values"),
            ("7.2", "Host and :authority"),
            ("7.4", "Rejecting Misdirected Requests"),
            ("8.6", "Content-Length"),
            ("9.3.6", "CONNECT"),
            ("10.1.1", "Expect"),
            ("15.5.9", "408 Request Timeout"),
            ("15.5.14", "413 Content Too Large"),
            ("15.5.15", "414 URI Too Long"),
            ("15.6.6", "505 HTTP Version Not Supported"),
        ],
    ),
    (
        "RFC 9112",
        &[
            ("2.2", "Message Parsing"),
            ("2.3", "HTTP Version"),
            ("3", "Request Line"),
            ("3.1", "Method"),
            ("3.2", "Request Target"),
            ("4", "Status Line"),
            ("5", "Field Syntax"),
            ("5.1", "Field Line Parsing"),
            ("5.2", "Obsolete Line Folding"),
            ("6.1", "Transfer-Encoding"),
            ("6.3", "Message Body Length"),
            ("7.1", "Chunked Transfer Coding"),
            ("7.1.1", "Chunk Extensions"),
            ("8", "Handling Incomplete Messages"),
        ],
    ),
];

#[test]
fn every_sample_breaks_its_rule_at_its_byte_and_gets_its_own_help() {
    for &kind in Kind::ALL {
        let hints = kind.hints().iter().map(|hint| (hint.sample, hint.help));
        for (sample, help) in [(kind.sample(), kind.help())].into_iter().chain(hints) {
            let place = format!("{}\n{sample}", kind.name());
            if let Some(found) = explained(&sample) {
                assert_eq!((found.kind(), found.at()), (kind, sample.at), "{place}");
                assert_eq!(found.help(), help, "{place}");
            }
            if sample.scene != Scene::Response {
                let (text, at) = (refusal(&sample, kind), told_at(&sample));
                assert!(text.starts_with(&format!("{}: {at}: ", kind.name())), "{place}{text}");
                assert!(text.contains(kind.text()), "{place}{text}");
                assert!(text.ends_with(&format!("\nHelp: {help}\n")), "{place}{text}");
            }
        }
        for hint in kind.hints() {
            assert!(hint.found.contains(&hint.sample.bytes[hint.sample.at]), "{}", hint.sample);
            for &octet in hint.found {
                let mut bytes = hint.sample.bytes.to_vec();
                bytes[hint.sample.at] = octet;
                let found = explain(&bytes, &Limits::default()).violation().expect("a refusal");
                assert_eq!(
                    (found.kind(), found.found()),
                    (kind, Some(octet)),
                    "{}",
                    escape(&bytes)
                );
                assert_eq!(found.help(), hint.help, "{}", escape(&bytes));
            }
        }
        if let Scene::Under(limit, _) = kind.sample().scene {
            assert_eq!(kind.whose(), Whose::Limit(limit));
        }
        assert_eq!(Kind::named(kind.name()), Some(kind));
    }
}

#[test]
fn a_refused_body_is_told_what_was_promised_and_what_came() {
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let says = |peer: Scripted, note: &str| {
        let text = talk(peer, &Limits::default(), echo).only().text();
        assert!(text.contains(&format!("\n{note}\nHelp: ")), "wanted: {note}\nfound:  {text}");
    };
    let length = Kind::EndedInBody.sample().bytes;
    let promised = "Content-Length promised 20 bytes, 11 came.";
    says(Scripted::new().send(length), promised);
    says(Scripted::new().send(length).end(), promised);
    let missing = "By its size, in which 10 means sixteen, 6 bytes of the chunk are missing.";
    says(Scripted::new().send(chunked).send("10\r\n0123456789"), missing);
    let last = "A chunk of size 0 and an empty line would end it.";
    says(Scripted::new().send(chunked).send("5\r\nhello\r\n").end(), last);
    says(Scripted::new().send(chunked).send("5\r\nhello\r\n0\r\n").end(), last);
}

#[test]
fn every_section_that_a_rule_names_exists_and_none_is_listed_in_vain() {
    let listed = |rfc: &&str, number: &&str| format!("{rfc} section {number}");
    let listed: Vec<String> = SECTIONS
        .iter()
        .flat_map(|(rfc, sections)| sections.iter().map(move |(number, _)| listed(rfc, number)))
        .collect();
    for kind in Kind::ALL {
        assert!(listed.iter().any(|section| section == kind.section()), "{}", kind.section());
    }
    for section in listed {
        assert!(Kind::ALL.iter().any(|kind| kind.section() == section), "{section}");
    }
}

#[test]
fn the_error_index_is_what_the_table_says() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/longhand/src/wire/errors.md");
    let index = index();
    if rewrites() {
        fs::write(&path, &index).expect("the index can be written");
    }
    let stored = fs::read_to_string(&path).expect("the index can be read");
    for (number, (stored, made)) in stored.lines().zip(index.lines()).enumerate() {
        assert_eq!(stored, made, "errors.md:{}: GOLDEN=write writes it anew", number + 1);
    }
    assert!(stored == index, "errors.md is cut, or too long: GOLDEN=write writes it anew");
}

#[test]
fn the_pages_of_all_rules_fit_a_terminal() {
    for kind in Kind::ALL {
        let page = kind.explain();
        for part in [kind.name(), "\n  sent ", "\n  rule ", "\n  whose ", "\n  why ", "\n  help "] {
            assert!(page.contains(part), "{page}");
        }
        let prose = page.lines().skip_while(|line| !line.starts_with("  rule"));
        assert!(prose.into_iter().all(|line| line.len() <= 80), "{page}");
        assert!(page.lines().all(|line| line.trim_end() == line), "{page}");
    }
}

#[test]
fn the_refusal_that_a_stranger_reads_names_the_byte_and_the_cure() {
    let server = Server::bind("127.0.0.1:0").expect("a port is free");
    let server = run(server, echo);
    let cases = carets();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    for case in cases {
        let mut client = Client::to(server.address());
        client.send(&case.bytes).end();
        let mut received = Vec::new();
        client.stream.read_to_end(&mut received).expect("the server answers, then closes");
        let all = answers(&received, &[]);
        let text = all.last().expect("an answer").text();
        let begins = format!("{}: {}: expected", case.name, case.told_at());
        assert!(text.starts_with(&begins), "{}\nwanted: {begins}\nfound:  {text}", case.title);
        for word in case.says.iter().chain([&case.section]) {
            assert!(text.contains(word), "{}\nwanted: {word}\nfound:  {text}", case.title);
        }
        let last = all.last().expect("an answer");
        assert_eq!(last.field("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(last.field("x-content-type-options"), Some("nosniff"));
        assert!(last.closes(), "{}", case.title);
    }
    let _ = server.end();
}

/// What a parser says of a sample; `None` where a connection is needed to tell.
fn explained(sample: &Sample) -> Option<Violation> {
    match sample.scene {
        Scene::Response => explain_response(sample.bytes, "GET", &sample.limits()).violation(),
        _ => explain(sample.bytes, &sample.limits()).violation(),
    }
}

fn echo(request: &mut Request<'_>) -> std::io::Result<Response> {
    Ok(Response::bytes("text/plain", request.body().read_all()?))
}

/// What a server answers to a sample.
fn refusal(sample: &Sample, kind: Kind) -> String {
    let mut peer = Scripted::new().send(sample.bytes);
    if sample.scene == Scene::Ended {
        peer = peer.end();
    }
    let talk = talk(peer, &sample.limits(), echo);
    assert_eq!(talk.only().status, kind.status().code(), "{}", kind.name());
    talk.only().text()
}

/// How a refusal names the place of a sample: what is wrong with a body is counted from its start.
fn told_at(sample: &Sample) -> String {
    place(sample.bytes, sample.at)
}

fn place(bytes: &[u8], at: usize) -> String {
    let head = explain(bytes, &Limits::default()).spans.into_iter();
    let head = head.filter(|(part, _)| *part == Part::EndOfHead).map(|(_, at)| at.end).next();
    match head {
        Some(end) if at >= end => format!("byte {} of the body", at - end),
        _ => format!("byte {at}"),
    }
}

/// A case of `tests/carets.txt`.
struct Caret {
    title: String,
    bytes: Vec<u8>,
    at: usize,
    name: String,
    section: String,
    says: Vec<String>,
}

impl Caret {
    /// The place, counted from the first byte of the message that is refused.
    fn told_at(&self) -> String {
        let mut start = 0;
        loop {
            let rest = explain(&self.bytes[start..], &Limits::default());
            match rest.spans.last() {
                Some((Part::Next, next)) if rest.verdict == Verdict::Accepted => {
                    start += next.start;
                }
                _ => return place(&self.bytes[start..], self.at - start),
            }
        }
    }
}

/// The cases: a title after `#`, lines of bytes with escapes, and under the line at fault a caret with
/// `name (section): "word" "word"`.
fn carets() -> Vec<Caret> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("carets.txt");
    let text = fs::read_to_string(&path).expect("carets.txt can be read");
    let mut cases: Vec<Caret> = Vec::new();
    let mut line_start = 0;
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| -> ! { panic!("carets.txt:{}: {what}", number + 1) };
        if let Some(title) = line.strip_prefix("# ") {
            let (title, bytes) = (title.to_owned(), Vec::new());
            let (name, section, says) = Default::default();
            cases.push(Caret { title, bytes, at: 0, name, section, says });
        } else if let (Some(case), false) = (cases.last_mut(), line.is_empty()) {
            let Some((before, told)) = line.split_once("^ ").filter(|(b, _)| b.trim().is_empty())
            else {
                line_start = case.bytes.len();
                case.bytes.extend(unescape(line).unwrap_or_else(|what| wrong(&what)));
                continue;
            };
            let under = (0..=case.bytes.len() - line_start)
                .find(|n| escape(&case.bytes[line_start..][..*n]).len() == before.len());
            case.at = line_start + under.unwrap_or_else(|| wrong("the caret is under no byte"));
            let Some((name, rest)) = told.split_once(" (") else { wrong("name (section): words") };
            let Some((section, says)) = rest.split_once("): ") else { wrong("no section") };
            (case.name, case.section) = (name.to_owned(), section.to_owned());
            case.says = says.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        }
    }
    for case in &cases {
        assert!(!case.says.is_empty(), "carets.txt: {}: no caret, or no words", case.title);
    }
    cases
}

/// The error index.
fn index() -> String {
    let mut page = INDEX.to_owned();
    let links: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("[{0}](#{0})", kind.name())).collect();
    page += &(links.join(" · ") + "\n");
    for &kind in Kind::ALL {
        let sample = kind.sample();
        page += &format!("\n## {}\n\n```text\n{sample}```\n\n", kind.name());
        if sample.scene != Scene::Request {
            page += &format!("{} ", sample.scene);
        }
        page += &format!("The answer is {}. {}\n\n", kind.status(), kind.whose());
        page += &format!("**Rule:** {} ({})\n\n", prose(kind.text()), kind.section());
        page += &format!("**Why:** {}\n\n", prose(kind.why()));
        page += &format!("**Help:** {}\n", prose(kind.help()));
        for hint in kind.hints() {
            let sent = hint.sample.bytes.escape_ascii();
            page += &format!("- If `{hint}` came, as in `{sent}`: {}\n", prose(hint.help));
        }
        page += &format!("\n```\n{}```\n", example(&sample, kind));
    }
    page
}

const INDEX: &str = "\
The error index: every rule that a message can break.

Each has bytes that break it, with a caret under the byte at fault, the rule, why it matters and what
to do. A refusal begins with the rule's name. This page is made from the table of rules by a test, and
its examples are run. `Kind::explain` gives the same as plain text.

";

/// Words that mean something in Markdown, as code.
fn prose(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_start_matches('(').trim_end_matches(['.', ',', ';', ')']);
        let special =
            bare.contains(['[', '<', '>', '*', '\\', '%', '_', '$']) || bare.contains("://");
        if special { word.replacen(bare, &format!("`{bare}`"), 1) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A doctest that breaks the rule.
fn example(sample: &Sample, kind: Kind) -> String {
    let bytes = format!("b\"{}\"", sample.bytes.escape_ascii());
    let limits = match sample.scene {
        Scene::Under(limit, most) => format!("Limits {{ {limit}: {most}, ..Limits::default() }}"),
        _ => "Limits::default()".to_owned(),
    };
    let Some(violation) = explained(sample) else {
        let end = if sample.scene == Scene::Ended { ".end()" } else { "" };
        let text = refusal(sample, kind);
        let first = text.lines().next().unwrap_or_default();
        return format!(
            "# use longhand::{{Limits, Request, Response, serve_connection, transport::Scripted}};\n\
             let mut peer = Scripted::new().send({bytes}){end};\n\
             serve_connection(&mut peer, &{limits}, |request: &mut Request<'_>| {{\n    \
             request.body().read_all().map(|_| Response::text(\"\"))\n}});\n\
             assert!(peer.output_text().contains(\"{first}\"));\n"
        );
    };
    let (function, method) = match sample.scene {
        Scene::Response => ("explain_response", "\"GET\", "),
        _ => ("explain", ""),
    };
    format!(
        "# use longhand::{{Limits, wire}};\n\
         let explained = wire::{function}({bytes}, {method}&{limits});\n\
         let refused = explained.violation().unwrap();\n\
         assert_eq!(refused.name(), \"{}\");\n\
         assert_eq!(refused.to_string(), \"{violation}\");\n",
        kind.name()
    )
}

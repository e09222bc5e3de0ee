//! The sheet as a page of Markdown, which is read on its own and in the documentation.

use std::fmt::Write;

use harness::table::{self, Then};

use crate::entries::Entry;
use crate::sections::SECTIONS;

const INTRO: &str = "\
# Conformance sheet

What longhand does with a message, case by case: the section of the RFC that decides, the bytes, the
answer, and why, in the words that the client gets. This page is made by the tests: every case is
played against the code that serves, and the page is what came of it.

- [Where servers differ](#where-servers-differ): a table, for most questions.
- [All cases by section](#all-cases-by-section): an index with the status of each answer.
- Then the cases themselves, requests first, and then [responses](#responses-that-longhand-reads), as a client
  or a proxy reads them with `longhand::wire`.

## How to read a case

Line breaks on this page are not part of a message: `\\r` is CR, `\\n` LF, `\\t` HTAB, `\\\\` a backslash, `\\xff`
any other byte, and `\\{300*ab}` is the text three hundred times. `^` stands under the byte at fault. The
limits are the defaults where nothing else is said, the handler reads the body and sends it back, and the clock
is that of the test.

The quoted words are the body of the answer, but its last line, the help: that is in the
[error index][errors], under the name with which the words begin. Of other servers this page says what the report
says that stands there; more of these are among the [past attacks][attacks].

";

const LINKS: &str = "
[errors]: src/wire/errors.md
[attacks]: src/guide/attacks.md
";

/// The whole page.
pub(crate) fn page(entries: &[Entry]) -> String {
    let mut page = INTRO.to_owned();
    page += &differ();
    page += "\n## All cases by section\n\n";
    for (is_response, headed) in [(false, ""), (true, "Responses: ")] {
        for (section, title) in SECTIONS {
            let here: Vec<&Entry> = of(entries, section, is_response).collect();
            if here.is_empty() {
                continue;
            }
            let heading = heading(section, title, is_response);
            let links: Vec<String> = here.iter().map(|entry| link(entry)).collect();
            let _ = writeln!(
                page,
                "- [{headed}{section}](#{}), {title}: {}",
                slug(&heading),
                links.join(" · ")
            );
        }
    }
    page += "\n## Requests, and what is answered\n";
    sections(&mut page, entries, false);
    page += "\n## Responses that longhand reads\n";
    sections(&mut page, entries, true);
    page + LINKS
}

/// The rows of the table, each with the case that shows its bytes.
const CASES: &[(&str, &str)] = &[
    ("a plain request", "The shortest request"),
    ("1.1 without Host", "HTTP/1.1 without Host"),
    ("two Host fields", "Two Host fields"),
    ("HTTP/1.0 plain", "A client of HTTP/1.0"),
    ("HTTP/2.0 in the line", "HTTP/2.0 in a request line"),
    ("a junk first line", "A line of junk"),
    ("lines that end in LF", "LF alone after the version"),
    ("a space before the colon", "A space before the colon"),
    ("a folded field line (obs-fold)", "A line that continues the one before"),
    ("NUL in a value", "NUL in a value"),
    ("a line without colon", "A line without a colon"),
    ("a leading CR LF", "One empty line before the request"),
    ("absolute-form", "The absolute-form"),
    ("asterisk-form", "OPTIONS with an asterisk reaches the handler"),
    ("an unknown method", "A method nobody has heard of reaches the handler"),
    ("three pipelined requests", "Three requests in one segment"),
    ("a target of 8 KiB", "A target of 8 KiB under the defaults"),
    ("a target of 9 KB", "A target of 9 KB under the defaults"),
    ("a head of 40 KB", "A head of 40 KB under the defaults"),
    ("a head of 2 MB", "A head of 2 MB under the defaults"),
    ("500 fields", "Five hundred fields under the defaults"),
    ("the end in mid-head", "A head that ends before its end"),
    ("a chunked body", "A chunked body"),
    ("a chunked body with a trailer", "One trailer"),
    ("Content-Length and Transfer-Encoding", "Length and coding"),
    ("Transfer-Encoding: xchunked", "A coding that is nearly chunked"),
    ("Transfer-Encoding in HTTP/1.0", "A coding on HTTP/1.0"),
    ("two Content-Length that differ", "Two lengths that differ"),
    ("two Content-Length that agree", "Two lengths that are equal"),
    ("Content-Length: +5", "A length with a plus sign"),
    ("Content-Length: abc", "A length in letters"),
    ("Content-Length: 10^18", "A length far beyond what arrives"),
    ("a chunk size of +5", "A size with a plus sign"),
    ("a chunk size that ends in LF", "The end of a size line is LF alone"),
    ("Expect: 100-continue", "A body that comes unasked"),
    ("Expect: tea", "Another expectation"),
    ("a body that is never read", "A body that the handler does not read"),
    ("a body that is never read, and a request", "A body that the handler does not read"),
];

/// The table of peers, which is sent over a socket by `tests/peers/table.rs`.
fn differ() -> String {
    let mut page = String::from(
        "## Where servers differ\n\nWhat servers of this kind were seen to answer in different ways, and a plain \
         request to compare. Each links to a case of its kind.\n\n\
         | sent | answered | the connection is | section |\n| --- | --- | --- | --- |\n",
    );
    for row in table::lines().iter().chain(&table::bodies()) {
        let statuses: Vec<String> = row.statuses.iter().map(u16::to_string).collect();
        let then = match row.then {
            Then::Open => "kept",
            Then::Closed => "closed",
        };
        let case = CASES.iter().find(|(name, _)| *name == row.name);
        let case = case.unwrap_or_else(|| panic!("{}: no case in conformance/page.rs", row.name)).1;
        let _ = writeln!(
            page,
            "| [{}](#{}) | {} | {then} | {} |",
            row.name,
            slug(case),
            statuses.join(", "),
            row.section,
        );
    }
    page
}

fn of<'e>(
    entries: &'e [Entry],
    section: &str,
    is_response: bool,
) -> impl Iterator<Item = &'e Entry> {
    let here = move |entry: &&Entry| entry.section == section && entry.is_response == is_response;
    entries.iter().filter(here)
}

fn heading(section: &str, title: &str, is_response: bool) -> String {
    format!("{}{section}: {title}", if is_response { "Responses, " } else { "" })
}

fn link(entry: &Entry) -> String {
    format!("[{}](#{}) {}", entry.title, slug(&entry.title), entry.told.short)
}

fn sections(page: &mut String, entries: &[Entry], is_response: bool) {
    for (section, title) in SECTIONS {
        for (index, entry) in of(entries, section, is_response).enumerate() {
            if index == 0 {
                *page += &format!("\n### {}\n", heading(section, title, is_response));
            }
            case(page, entry);
        }
    }
}

fn case(page: &mut String, entry: &Entry) {
    *page += &format!("\n#### {}\n\n", entry.title);
    if !entry.about.is_empty() {
        *page += &format!("{}\n\n", linked(&entry.about));
    }
    let sent = if entry.sent.is_empty() { "(nothing)\n" } else { &entry.sent };
    *page += &format!("```text\n{sent}```\n\n{}\n", entry.told.long);
    if !entry.told.words.is_empty() {
        let words: Vec<String> = entry.told.words.iter().map(|line| plain(line)).collect();
        *page += &format!("\n> {}\n", words.join("\\\n> "));
    }
    if !entry.answered.is_empty() {
        *page += &format!("\n```text\n{}```\n", entry.answered);
    }
}

/// The anchor of a heading, as hosts of Markdown and rustdoc make it.
pub(crate) fn slug(heading: &str) -> String {
    let letters = heading.chars().filter_map(|letter| match letter {
        _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        '-' | '_' => Some(letter),
        ' ' => Some('-'),
        _ => None,
    });
    letters.collect()
}

/// A text in which nothing means anything to Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if "\\`*_[]<>#|~&".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    // What looks like an address would become a link.
    plain.replace("://", ":\\//")
}

/// A text whose public reports are links.
fn linked(text: &str) -> String {
    let words = text
        .split(' ')
        .map(|word| word.split('\n').map(linked_word).collect::<Vec<_>>().join("\n"));
    words.collect::<Vec<_>>().join(" ")
}

fn linked_word(word: &str) -> String {
    let bare = word.trim_matches(['(', ')', ',', '.', ';', ':']);
    let report = match bare.split_once('#') {
        _ if bare.starts_with("CVE-") => format!("https://www.cve.org/CVERecord?id={bare}"),
        _ if bare.starts_with("RUSTSEC-") => format!("https://rustsec.org/advisories/{bare}.html"),
        Some((repository, number))
            if repository.contains('/') && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            format!("https://github.com/{repository}/issues/{number}")
        }
        _ => return word.to_owned(),
    };
    word.replacen(bare, &format!("[{bare}]({report})"), 1)
}

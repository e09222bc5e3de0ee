//! The guide against rot: what its chapters say is what the servers, the parser and the sources do.
//!
//! The pages enter as text; out come places where a page and the rest differ, each with its line.
//! `GOLDEN=write cargo test -p tests --test guide` writes into the pages what came back instead, to be
//! read before it is kept.
//!
//! A block of a page is one of these:
//!
//! | block | what holds it |
//! | --- | --- |
//! | `rust` | it is a doctest of the crate |
//! | `wire` | it is played against the example that its first line names |
//! | `xray` | its first line is a command, which is run again |
//! | `source` | the file that its first line names has these lines |
//! | `console`, `abnf`, `text` | nothing: it is not about what happens |
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "guide/page.rs"]
mod page;
#[path = "guide/reading.rs"]
mod reading;
#[path = "guide/replay.rs"]
mod replay;

use std::collections::HashMap;
use std::io::Write;
use std::process::Stdio;

use harness::golden::unescape;
use harness::program::{Program, command};
use page::{Page, pages, report};

/// Lines that a chapter may have, what the X-ray draws aside; and blocks of source, and lines of one.
const CHAPTER: usize = 220;
const QUOTES: usize = 3;
const QUOTE: usize = 15;

const FIVE_PARTS: [&str; 5] = ["## Do it", "## Look", "## Read", "## Why so", "## Now you"];

#[test]
fn a_chapter_has_five_parts_and_fits_in_one_sitting() {
    let mut places = Vec::new();
    for page in pages().iter().filter(|page| page.number().is_some()) {
        let parts: Vec<&str> = page.text.lines().filter(|line| line.starts_with("## ")).collect();
        if parts != FIVE_PARTS {
            places.push(page.at(1, &format!("its parts are {parts:?}")));
        }
        let drawn = page.blocks().into_iter().filter(|block| block.kind == "xray");
        let drawn: usize = drawn.map(|block| block.rest.len()).sum();
        if page.text.lines().count() - drawn > CHAPTER {
            places.push(page.at(CHAPTER, "too long"));
        }
        let quotes: Vec<_> = page.blocks().into_iter().filter(|b| b.kind == "source").collect();
        if quotes.len() > QUOTES {
            places.push(page.at(quotes[QUOTES].line, "one quote too many"));
        }
        for quote in quotes.iter().filter(|quote| quote.rest.len() > QUOTE) {
            places.push(page.at(quote.line, "a quote too long"));
        }
    }
    report(&places);
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    let mut places = Vec::new();
    for page in pages() {
        for block in page.blocks() {
            let kinds = ["rust", "wire", "xray", "source", "console", "abnf", "text"];
            if !kinds.contains(&block.kind.as_str()) {
                places.push(page.at(block.line, &format!("a block of {:?}", block.kind)));
            }
        }
    }
    report(&places);
}

#[test]
fn every_page_is_mounted() {
    let table = page::read("crates/longhand/src/guide/mod.rs");
    let missing = |page: &&Page| !table.contains(&format!("\"{}\"", page.name));
    let places: Vec<_> =
        pages().iter().filter(missing).map(|page| page.at(1, "not in guide/mod.rs")).collect();
    report(&places);
}

#[test]
fn the_words_are_those_of_the_house() {
    let mut places = Vec::new();
    for page in pages() {
        for (index, line) in page.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for word in ["invalid", "illegal", "simply", "obviously"] {
                if lower.contains(word) {
                    places.push(page.at(index + 1, &format!("says {word}")));
                }
            }
        }
    }
    report(&places);
}

#[test]
fn every_transcript_happens_again() {
    let mut servers: HashMap<String, Program> = HashMap::new();
    page::check("wire", |page, block| {
        let server = servers.entry(block.first.clone()).or_insert_with(|| {
            let mut words: Vec<&str> = block.first.split_whitespace().collect();
            let name = match words.pop() {
                Some("hello") => "hello",
                Some("probe") => "probe",
                Some("bookmark") => "bookmark",
                other => panic!("{}", page.at(block.line, &format!("no server {other:?}"))),
            };
            let settings = words.iter().map(|word| word.split_once('=').expect("NAME=value"));
            let settings: Vec<_> = settings.chain([("HOST", "127.0.0.1"), ("PORT", "0")]).collect();
            Program::start(command(name, &settings))
        });
        replay::replay(&block.rest, server.address()).unwrap_or_else(|(line, why)| {
            panic!("{}", page.at(block.line + 2 + line, &why));
        })
    });
}

#[test]
fn every_look_is_what_the_x_ray_draws() {
    page::check("xray", |page, block| {
        let typed = block.first.strip_prefix("$ printf '").and_then(|line| line.split_once("' | "));
        let Some((bytes, "cargo run -q --example xray -- --file -")) = typed else {
            panic!("{}", page.at(block.line + 1, "not: $ printf '…' | cargo run … --file -"));
        };
        let bytes = unescape(&bytes.replace("%%", "%"))
            .unwrap_or_else(|why| panic!("{}", page.at(block.line + 1, &why)));
        let mut xray = command("xray", &[]);
        xray.args(["--file", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = xray.spawn().expect("xray starts");
        running.stdin.take().unwrap().write_all(&bytes).expect("it reads all");
        let drawn = running.wait_with_output().expect("it ends").stdout;
        String::from_utf8(drawn).expect("it writes text").lines().map(str::to_owned).collect()
    });
}

#[test]
fn every_example_that_a_page_names_is_there() {
    let manifest = page::read("examples/Cargo.toml");
    let mut places = Vec::new();
    for page in pages() {
        for (index, line) in page.text.lines().enumerate() {
            for named in line.split("--example ").skip(1) {
                let name = named.split([' ', '`']).next().unwrap_or_default();
                if !manifest.contains(&format!("[[example]]\nname = \"{name}\"\n")) {
                    places.push(page.at(index + 1, &format!("no example {name}")));
                }
            }
        }
    }
    report(&places);
}

#[test]
fn every_quote_stands_in_its_file() {
    let mut places = Vec::new();
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.kind == "source") {
            let Some(file) = block.first.strip_prefix("// ") else {
                places.push(page.at(block.line, "a quote begins with: // src/…"));
                continue;
            };
            let source = page::read(&format!("crates/longhand/{file}"));
            let lines: Vec<&str> = source.lines().collect();
            let wanted = page::dedent(&block.rest.iter().map(String::as_str).collect::<Vec<_>>());
            if !lines.windows(wanted.len()).any(|lines| page::dedent(lines) == wanted) {
                places.push(page.at(block.line, &format!("not in {file}")));
            }
        }
    }
    report(&places);
}

#[test]
fn every_file_is_read_in_one_chapter() {
    report(&reading::places(&pages()));
}

#[test]
fn the_index_of_rules_and_the_sources_name_the_same_rules() {
    report(&reading::rules(&pages()));
}

#[test]
fn the_tests_that_a_page_names_are_there() {
    report(&reading::held(&pages()));
}

#[test]
fn every_promise_of_the_threat_model_is_shown_by_a_test_that_is_there() {
    report(&reading::shown(&pages()));
}

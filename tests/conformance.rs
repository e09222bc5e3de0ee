//! The conformance sheet: each case with its section of the RFC, its bytes, what longhand answers, and why.
//!
//! The cases enter: those of `tests/golden`, the table of `tests/harness/table.rs`, and conversations
//! that take time or more than one answer. Each is played against the code that serves; out comes
//! `crates/longhand/CONFORMANCE.md`, which must be what is stored.
//! `GOLDEN=write cargo test -p tests --test conformance` writes it anew, to be read before it is kept.

#[path = "conformance/entries.rs"]
mod entries;
#[path = "conformance/page.rs"]
mod page;
#[path = "conformance/play.rs"]
mod play;
#[path = "conformance/scenes.rs"]
mod scenes;
#[path = "conformance/sections.rs"]
mod sections;
#[path = "conformance/told.rs"]
mod told;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use entries::entries;
use harness::golden::{self, rewrites};
use harness::table;
use sections::SECTIONS;

#[test]
fn the_conformance_sheet_is_what_the_cases_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/longhand/CONFORMANCE.md");
    let made = page::page(entries());
    if rewrites() {
        fs::write(&path, &made).expect("the sheet can be written");
    }
    let stored = fs::read_to_string(&path).expect("the sheet can be read");
    let anew = "`GOLDEN=write cargo test -p tests --test conformance` writes it anew";
    for (number, (stored, made)) in stored.lines().zip(made.lines()).enumerate() {
        assert_eq!(stored, made, "CONFORMANCE.md:{}: {anew}", number + 1);
    }
    assert!(stored == made, "CONFORMANCE.md is cut, or too long: {anew}");
}

#[test]
fn every_case_is_on_the_sheet_once() {
    let entries = entries();
    let titles: HashSet<_> = entries.iter().map(|entry| page::slug(&entry.title)).collect();
    assert_eq!(titles.len(), entries.len(), "a title is used twice: its links would lead astray");
    for case in golden::cases() {
        assert!(titles.contains(&page::slug(&case.title)), "{}: not on the sheet", case.place());
    }
    assert!(entries.len() >= 450, "only {} cases", entries.len());
}

#[test]
fn every_section_has_a_title_and_none_is_listed_in_vain() {
    let entries = entries();
    for (section, _) in SECTIONS {
        assert!(entries.iter().any(|entry| entry.section == *section), "no case: {section}");
    }
    for row in table::lines().iter().chain(&table::bodies()) {
        let listed = SECTIONS.iter().any(|(section, _)| *section == row.section);
        assert!(listed, "{}: {} has no title", row.name, row.section);
    }
}

#[test]
fn every_link_within_the_sheet_leads_somewhere() {
    let page = page::page(entries());
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchors: HashSet<String> =
        headings.map(|line| page::slug(line.trim_start_matches('#').trim())).collect();
    let mut links = 0;
    for link in page.split("](#").skip(1) {
        let anchor = link.split(')').next().unwrap_or_default();
        assert!(anchors.contains(anchor), "#{anchor} is no heading");
        links += 1;
    }
    assert!(links > 450, "only {links} links");
}

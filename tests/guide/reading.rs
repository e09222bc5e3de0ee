//! Which chapter reads which file, and which function reads which rule of the grammar.
//!
//! A chapter reads the files that its part *Read* names in backticks: `` `src/wire/scan.rs` ``, or a
//! folder and all in it, `` `src/wire/rules/` ``.

use crate::page::{Page, read, sources};

/// The chapter after which every file has been read.
const LAST: u8 = 11;

/// Files read twice, files that are not there, and, once the last chapter is, files never read.
pub(crate) fn places(pages: &[Page]) -> Vec<String> {
    let sources = sources();
    let mut readers: Vec<Vec<&str>> = vec![Vec::new(); sources.len()];
    let mut places = Vec::new();
    for page in pages.iter().filter(|page| page.number().is_some()) {
        let named = page.part("## Read").split('`').skip(1).step_by(2);
        for name in named.filter(|name| name.starts_with("src/")) {
            let is_read =
                |file: &str| file == name || (name.ends_with('/') && file.starts_with(name));
            let mut found = false;
            for (file, readers) in sources.iter().zip(&mut readers).filter(|(f, _)| is_read(f)) {
                found = true;
                if let [before, ..] = readers[..] {
                    places.push(page.at(1, &format!("reads {file}, which {before} reads")));
                }
                readers.push(&page.name);
            }
            if !found {
                places.push(page.at(1, &format!("reads {name}, which is not there")));
            }
        }
    }
    if pages.iter().any(|page| page.number() == Some(LAST)) {
        let unread = sources.iter().zip(&readers).filter(|(_, readers)| readers.is_empty());
        places
            .extend(unread.map(|(file, _)| format!("crates/longhand/{file}: read in no chapter")));
    }
    places
}

/// What the page `abnf.md` and the comments `// ABNF: name = …` do not have in common.
///
/// A row of the page is `` | `rule` | `src/wire/scan.rs` `function` | `Part` | ``. A rule that is not
/// read has no file in its row, but the reason.
pub(crate) fn rules(pages: &[Page]) -> Vec<String> {
    let Some(page) = pages.iter().find(|page| page.name == "abnf.md") else { return Vec::new() };
    let mut written: Vec<(String, String)> = Vec::new();
    for file in sources() {
        let text = read(&format!("crates/longhand/{file}"));
        let mut in_rule = false;
        for line in text.lines().map(str::trim_start) {
            let begins = line.strip_prefix("// ABNF: ");
            in_rule = begins.is_some() || (in_rule && line.starts_with("//  "));
            let grammar = begins.or_else(|| line.strip_prefix("//").filter(|_| in_rule));
            for part in grammar.unwrap_or_default().split(';') {
                let name = part.split(" = ").next().unwrap_or_default().trim();
                let is_name = |name: &str| {
                    name.starts_with(|c: char| c.is_ascii_alphabetic())
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                };
                if part.contains(" = ") && is_name(name) {
                    written.push((name.to_owned(), file.clone()));
                }
            }
        }
    }
    let mut places = Vec::new();
    let mut listed = Vec::new();
    for (index, line) in page.text.lines().enumerate().filter(|(_, line)| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let rule = cells[0].trim_matches('`').to_owned();
        let words: Vec<&str> = cells.get(1).unwrap_or(&"").split('`').skip(1).step_by(2).collect();
        let is_read = words.first().is_some_and(|word| word.starts_with("src/"));
        if let ([file, function, ..], true) = (&words[..], is_read) {
            if !written.contains(&(rule.clone(), (*file).to_owned())) {
                places.push(page.at(index + 1, &format!("{file} has no comment ABNF: {rule} = …")));
            }
            let name = function.rsplit("::").next().unwrap_or(function);
            let text = read(&format!("crates/longhand/{file}"));
            if ![format!("fn {name}("), format!("fn {name}<")].iter().any(|f| text.contains(f)) {
                places.push(page.at(index + 1, &format!("{file} has no function {name}")));
            }
        }
        listed.push(rule);
    }
    for (rule, file) in written.iter().filter(|(rule, _)| !listed.contains(rule)) {
        places.push(page.at(1, &format!("does not list {rule} of {file}")));
    }
    places
}

/// Tests that a page names and that are not there: ``Held by `name` in `tests/file.rs`.``
pub(crate) fn held(pages: &[Page]) -> Vec<String> {
    let mut places = Vec::new();
    for page in pages {
        let parts: Vec<&str> = page.text.split("\nHeld by ").collect();
        let mut line = 1;
        for pair in parts.windows(2) {
            line += pair[0].lines().count();
            let named: Vec<&str> = pair[1].split('`').skip(1).step_by(2).take(2).collect();
            let [test, file] = named[..] else {
                places.push(page.at(line, "held by what?"));
                continue;
            };
            if !read(file).contains(&format!("#[test]\nfn {test}()")) {
                places.push(page.at(line, &format!("{file} has no test {test}")));
            }
        }
    }
    places
}

/// Promises of the page `threats.md` without a test, and tests that are not there. A promise is an item of a list
/// below `Promised:`, and ends with ``Shown by: `name` and `other` in `tests/file.rs`, `third` in `tests/else.rs`.``
pub(crate) fn shown(pages: &[Page]) -> Vec<String> {
    let page = pages.iter().find(|page| page.name == "threats.md").expect("threats.md");
    let mut places = Vec::new();
    let mut promises = 0;
    for list in page.text.split("\nPromised:\n").skip(1) {
        let list = list.split("\n\n").next().unwrap_or_default();
        for promise in list.split("\n- ").skip(1) {
            promises += 1;
            let promise = promise.replace("\n  ", " ");
            let at = |what: &str| page.at(1, &format!("{what}: {promise}"));
            let Some((_, tests)) = promise.split_once(" Shown by: ") else {
                places.push(at("no test shows"));
                continue;
            };
            if !tests.ends_with(".rs`.") {
                places.push(at("ends with no file"));
            }
            let mut names: Vec<&str> = Vec::new();
            for word in tests.split('`').skip(1).step_by(2) {
                if word.ends_with(".rs") {
                    let text = read(word);
                    let absent = names.drain(..).filter(|name| !is_test(&text, name));
                    places.extend(absent.map(|name| at(&format!("{word} has no test {name}"))));
                } else {
                    names.push(word);
                }
            }
        }
    }
    assert!(promises >= 40, "only {promises} promises");
    places
}

fn is_test(text: &str, name: &str) -> bool {
    let mut lines = text.lines().zip(text.lines().skip(1));
    lines.any(|(above, line)| above.trim() == "#[test]" && line.trim() == format!("fn {name}() {{"))
}

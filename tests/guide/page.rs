//! The pages of the guide, and their fenced blocks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use harness::golden::rewrites;

/// One Markdown file.
pub(crate) struct Page {
    pub(crate) name: String,
    path: PathBuf,
    pub(crate) text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// The line of its fence, counted from one.
    pub(crate) line: usize,
    pub(crate) kind: String,
    /// Its first line, which says what the rest is about.
    pub(crate) first: String,
    pub(crate) rest: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The sources of the library but the guide itself: `src/…`, in the order of their names.
pub(crate) fn sources() -> Vec<String> {
    let (source, mut folders, mut found) = (root().join("crates/longhand/src"), vec![], Vec::new());
    folders.push(source.clone());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()) {
            if path.is_dir() && !path.ends_with("guide") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let path = path.strip_prefix(&source).expect("it is below").to_owned();
                found.push(format!("src/{}", path.display()).replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// Every page, in the order of the names.
pub(crate) fn pages() -> Vec<Page> {
    let folder = root().join("crates/longhand/src/guide");
    let entries = fs::read_dir(&folder).expect("the guide's folder");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    assert!(!paths.is_empty(), "{} has no pages", folder.display());
    let page = |path: PathBuf| {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a page is text");
        Page { name, path, text }
    };
    paths.into_iter().map(page).collect()
}

impl Page {
    /// The number of a chapter; other pages have none.
    pub(crate) fn number(&self) -> Option<u8> {
        self.name.split_once('_')?.0.parse().ok()
    }

    /// A place, for a report.
    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("crates/longhand/src/guide/{}:{line}: {what}", self.name)
    }

    /// A part of a chapter, without its heading.
    pub(crate) fn part(&self, heading: &str) -> &str {
        let Some((_, part)) = self.text.split_once(&format!("\n{heading}\n")) else { return "" };
        part.split("\n## ").next().unwrap_or_default()
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let Some(kind) = line.strip_prefix("```") else { continue };
            let mut inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let first = inside.next().unwrap_or_default().to_owned();
            let rest = inside.map(str::to_owned).collect();
            blocks.push(Block { line: index + 1, kind: kind.to_owned(), first, rest });
        }
        blocks
    }
}

static LOCK: Mutex<()> = Mutex::new(());

/// Makes again what the blocks of a kind hold below their first line. Where it differs, it is
/// reported; under `GOLDEN=write` it is written into the page.
pub(crate) fn check(kind: &str, mut make: impl FnMut(&Page, &Block) -> Vec<String>) {
    let update = rewrites();
    // Two kinds of blocks are not written into the same page at once.
    let _one_by_one = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let mut places = Vec::new();
    for page in pages() {
        let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
        // From the last to the first, so that line numbers hold while lines are replaced.
        for block in page.blocks().iter().filter(|block| block.kind == kind).rev() {
            let made = make(&page, block);
            if made == block.rest {
                continue;
            }
            let differs = made.iter().zip(&block.rest).take_while(|(a, b)| a == b).count();
            let nothing = "(nothing)".to_owned();
            let (now, written) = (
                made.get(differs).unwrap_or(&nothing),
                block.rest.get(differs).unwrap_or(&nothing),
            );
            let what = format!("written: {written}\n    now:     {now}");
            places.push(page.at(block.line + 2 + differs, &what));
            let start = block.line + 1;
            lines.splice(start..start + block.rest.len(), made);
        }
        if update {
            fs::write(&page.path, lines.join("\n") + "\n").unwrap();
        }
    }
    if !update {
        report(&places);
    }
}

/// Lines without the blanks that all of them begin with.
pub(crate) fn dedent(lines: &[&str]) -> Vec<String> {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
    lines.iter().map(|line| line.get(common..).unwrap_or_default().to_owned()).collect()
}

pub(crate) fn report(places: &[String]) {
    assert!(places.is_empty(), "{} places:\n{}", places.len(), places.join("\n"));
}

//! What keeps the repository readable in order, checked instead of asked for.
//!
//! The sources enter as text; out comes a list of places that break a rule: a file that uses one
//! below it, I/O under `wire`, a file that has grown too long, a dependency, a sleep in a test, a
//! stray entry at the top. Each message names file and line.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a source file may have before its tests.
const LONGEST: usize = 300;

/// What may stand at the top of the repository, besides names that begin with a dot.
const TOP: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "benches", "crates", "examples", "tests"];

#[test]
fn a_file_uses_only_files_above_it() {
    for library in ["crates/longhand/src", "crates/longhand-kit/src"] {
        let source = root().join(library);
        let order = Order::of(&source);
        assert!(order.files.len() > 10, "the module tree was not read: {:?}", order.files);
        report(&order.upward(&source));
    }
}

#[test]
fn the_order_test_finds_what_it_is_meant_to_find() {
    let order = Order {
        files: ["", "low", "wire", "wire/a", "wire/b", "high"].map(str::to_string).to_vec(),
        exports: [("wire/A", "wire/a"), ("wire/B", "wire/b"), ("High", "high")]
            .map(|(name, file)| (name.to_string(), file.to_string()))
            .into(),
    };
    let upward = |file: &str, text: &str| {
        order.uses(file, text).filter(|(_, used)| order.is_below(used, file)).count()
    };
    assert_eq!(upward("wire/a", "use super::b::X;"), 1);
    assert_eq!(upward("wire/a", "use super::{A, B};"), 1);
    assert_eq!(upward("wire/a", "use crate::{low::{self, Y}, high::Z};"), 1);
    assert_eq!(upward("wire/a", "fn f() -> crate::High { todo() }"), 1);
    assert_eq!(upward("wire/b", "use super::a::X; use crate::low::*;"), 0);
    assert_eq!(upward("low", "use crate::wire::B as Other;"), 1);
    assert_eq!(upward("low", "use crate::wire;"), 1);
    assert_eq!(upward("high", "use crate::wire; use crate::wire::{A, B};"), 0);
    assert_eq!(upward("low", "// use crate::high::Z;\nlet text = \"crate::high\";"), 0);
}

#[test]
fn wire_does_no_input_or_output_and_reads_no_clock() {
    let mut places = Vec::new();
    for path in sources(&root().join("crates/longhand/src/wire")) {
        let text = code(&read(&path));
        for (line, segments) in paths(&text, &["std", "core"]) {
            let module = segments.get(1).map_or("", String::as_str);
            let banned = match segments[0].as_str() {
                "std" => ["io", "net", "thread", "time", "fs", "env", "process"].contains(&module),
                // `core::net` holds addresses, which are values; sockets are in `std::net`.
                _ => module == "time",
            };
            if banned {
                places.push(format!("{}:{line}: names {}", shown(&path), segments.join("::")));
            }
        }
    }
    report(&places);
}

#[test]
fn no_source_file_is_too_long_to_read_in_one_sitting() {
    let mut places = Vec::new();
    for path in sources(&root().join("crates")) {
        let is_guide = path.components().any(|part| part.as_os_str() == "guide");
        let lines = without_tests(&read(&path)).lines().count();
        if !is_guide && lines > LONGEST {
            places.push(format!("{}:{lines}: more than {LONGEST} lines", shown(&path)));
        }
    }
    report(&places);
}

#[test]
fn the_library_depends_on_nothing_and_forbids_unsafe_code() {
    let mut places = Vec::new();
    for name in ["longhand", "longhand-kit", "longhand-signal"] {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let mut table = String::new();
        for (index, line) in read(&manifest).lines().enumerate() {
            let line = line.trim();
            if line.starts_with('[') {
                table = line.trim_matches(['[', ']']).to_string();
            } else if table.contains("dependencies") && !line.is_empty() && !line.starts_with('#') {
                // The crates of this repository may use each other; the lowest uses nothing.
                if name == "longhand" || !line.starts_with("longhand") {
                    places.push(format!(
                        "{}:{}: a dependency: {line}",
                        shown(&manifest),
                        index + 1
                    ));
                }
            }
        }
        let library = root().join("crates").join(name).join("src/lib.rs");
        if name != "longhand-signal" && !read(&library).contains("#![forbid(unsafe_code)]") {
            places.push(format!("{}:1: does not forbid unsafe code", shown(&library)));
        }
    }
    report(&places);
}

#[test]
fn no_test_sleeps() {
    // Parted, so that this file does not name what it looks for.
    let sleep = ["thread", "sleep"].join("::");
    let mut places = Vec::new();
    let exercises = root().join("tests/exercises");
    for path in sources(&root().join("tests")) {
        for (index, line) in read(&path).lines().enumerate() {
            // The exercises are servers, and one of them is slow on purpose.
            if line.contains(&sleep) && !path.starts_with(&exercises) {
                places.push(format!("{}:{}: sleeps", shown(&path), index + 1));
            }
        }
    }
    report(&places);
}

#[test]
fn no_merge_is_left_half_done() {
    let mut places = Vec::new();
    let mut paths: Vec<PathBuf> = TOP.iter().map(|name| root().join(name)).collect();
    while let Some(path) = paths.pop() {
        if path.ends_with("target") {
            continue;
        }
        if let Ok(entries) = fs::read_dir(&path) {
            paths.extend(entries.flatten().map(|entry| entry.path()));
            continue;
        }
        // What is no text holds no merge.
        for (index, line) in fs::read_to_string(&path).unwrap_or_default().lines().enumerate() {
            if ["<", ">"].iter().any(|side| line.starts_with(&(side.repeat(7) + " "))) {
                places.push(format!("{}:{}: one side of a merge", shown(&path), index + 1));
            }
        }
    }
    report(&places);
}

#[test]
fn nothing_stray_stands_at_the_top() {
    if !root().join(".git").exists() {
        return;
    }
    let mut places = Vec::new();
    let ignored = read(&root().join(".gitignore"));
    let is_ignored = |name: &str| {
        ignored.lines().filter_map(|line| line.strip_prefix('/')).any(|line| {
            line.strip_suffix('*').map_or(name == line, |start| name.starts_with(start))
        })
    };
    for entry in fs::read_dir(root()).expect("the root is readable").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !is_ignored(&name) && !TOP.contains(&name.as_str()) {
            places.push(format!("{name}: does not belong at the top"));
        }
    }
    report(&places);
}

/// The files of a crate in reading order, by module path with slashes; the crate's root is empty.
struct Order {
    files: Vec<String>,
    /// `pub use` of a name from a child: where the name is visible, and the file it is from.
    exports: HashMap<String, String>,
}

impl Order {
    fn of(source: &Path) -> Self {
        let mut order = Self { files: Vec::new(), exports: HashMap::new() };
        order.visit(source, "");
        order
    }

    /// Enters a module, then its children in the order of their `mod` lines.
    fn visit(&mut self, source: &Path, module: &str) {
        let Some(path) = file_of(source, module) else { return };
        self.files.push(module.to_string());
        let text = code(&read(&path));
        for line in text.lines() {
            // `#[cfg(unix)] mod socket;` on one line is a module as well.
            let line = line.trim();
            let line = if line.starts_with("#[") { line.rsplit("] ").next() } else { Some(line) };
            let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
            let (["mod", name] | ["pub" | "pub(crate)" | "pub(super)", "mod", name]) =
                words.as_slice()
            else {
                continue;
            };
            if let Some(name) = name.strip_suffix(';') {
                self.visit(source, &join(module, name));
            }
        }
        for statement in text.split(';') {
            let Some(at) = statement.find("pub use ").or_else(|| statement.find("pub(crate) use "))
            else {
                continue;
            };
            let tree = statement[at..].split_once("use ").map_or("", |(_, tree)| tree);
            let mut leaves = Vec::new();
            leaves_of(tree, &mut Vec::new(), &mut leaves);
            for (_, leaf) in leaves {
                let from = self.resolve(module.to_string(), &leaf);
                if let (Some(name), true) = (leaf.last(), from != module) {
                    self.exports.insert(join(module, name), from);
                }
            }
        }
    }

    /// The file that a path of `segments` leads to from `module`.
    fn resolve(&self, mut module: String, segments: &[String]) -> String {
        for segment in segments {
            let next = join(&module, segment);
            if segment == "super" {
                module = parent(&module).to_string();
            } else if self.files.contains(&next) {
                module = next;
            } else if let Some(from) = self.exports.get(&next) {
                module.clone_from(from);
            } else {
                break;
            }
        }
        module
    }

    /// Every use of a file further down, as a message.
    fn upward(&self, source: &Path) -> Vec<String> {
        let mut places = Vec::new();
        for file in &self.files {
            let Some(path) = file_of(source, file) else { continue };
            if path.ends_with("lib.rs") || path.ends_with("mod.rs") {
                continue;
            }
            for (line, used) in self.uses(file, &code(&read(&path))) {
                if self.is_below(&used, file) {
                    places.push(format!("{}:{line}: uses {used}, which is below", shown(&path)));
                }
            }
        }
        places
    }

    /// The modules that `file` names by `crate::` and `super::`, each with its line.
    fn uses<'o>(
        &'o self,
        file: &'o str,
        text: &str,
    ) -> impl Iterator<Item = (usize, String)> + use<'o> {
        let text = code(text);
        paths(&text, &["crate", "super"]).into_iter().map(move |(line, segments)| {
            let start = if segments[0] == "super" { parent(file) } else { "" };
            (line, self.resolve(start.to_string(), &segments[1..]))
        })
    }

    /// Whether `used` comes after `file`. A module as a whole comes where its last file does, unless
    /// `file` is inside it: then it is its first file that is meant.
    fn is_below(&self, used: &str, file: &str) -> bool {
        let inside = |file: &str, module: &str| {
            module.is_empty() || file == module || file.starts_with(&format!("{module}/"))
        };
        let place = |module: &str| self.files.iter().position(|other| other == module);
        if inside(file, used) {
            return false;
        }
        let last = self.files.iter().rposition(|other| inside(other, used));
        last > place(file)
    }
}

/// The paths in `text` that begin with one of `roots`, with their lines: use trees are taken apart.
fn paths(text: &str, roots: &[&str]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    for root in roots {
        let wanted = format!("{root}::");
        for (at, _) in text.match_indices(&wanted) {
            let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
            if before.is_ascii_alphanumeric() || b"_:$".contains(&before) {
                continue;
            }
            let mut leaves = Vec::new();
            leaves_of(&text[at..], &mut Vec::new(), &mut leaves);
            for (offset, leaf) in leaves {
                let line = text[..at + offset].matches('\n').count() + 1;
                found.push((line, leaf));
            }
        }
    }
    found.sort();
    found
}

/// Reads the use tree at the front of `text` into its leaves, each with the offset of its last
/// segment; gives the offset behind the tree. `prefix` is what was read on the way down to it.
fn leaves_of(
    text: &str,
    prefix: &mut Vec<String>,
    leaves: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let depth = prefix.len();
    let blanks = |at: usize| at + text[at..].len() - text[at..].trim_start().len();
    let mut at = blanks(0);
    loop {
        if text[at..].starts_with('{') {
            at += 1;
            loop {
                let before = leaves.len();
                let inner = leaves_of(&text[at..], prefix, leaves);
                leaves[before..].iter_mut().for_each(|leaf| leaf.0 += at);
                at = blanks(at + inner);
                if !text[at..].starts_with(',') {
                    break;
                }
                at = blanks(at + 1);
                if text[at..].starts_with('}') {
                    break;
                }
            }
            at += usize::from(text[at..].starts_with('}'));
            break;
        }
        let length = text[at..]
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(text.len() - at);
        let last = at;
        prefix.push(text[at..at + length].to_string());
        at += length;
        if text[at..].starts_with("::") {
            at = blanks(at + 2);
            continue;
        }
        leaves.push((last, prefix.iter().filter(|segment| *segment != "self").cloned().collect()));
        if let Some(renamed) = text[at..].trim_start().strip_prefix("as ") {
            let name = renamed.trim_start();
            let length = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            at = text.len() - name.len() + length.unwrap_or(name.len());
        }
        break;
    }
    prefix.truncate(depth);
    at
}

/// The code of a source file: its tests cut off, comments and string literals blanked, so that lines
/// keep their numbers.
fn code(text: &str) -> String {
    let text = without_tests(text);
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let mut letters = line.chars().peekable();
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if quoted => {
                    letters.next();
                }
                // The character '"' opens no string.
                '\'' if letters.peek() == Some(&'"') => {
                    letters.next();
                }
                '"' => quoted = !quoted,
                '/' if !quoted && letters.peek() == Some(&'/') => break,
                _ if quoted => {}
                other => code.push(other),
            }
        }
        code.push('\n');
    }
    code
}

/// What stands before the tests of a file.
fn without_tests(text: &str) -> &str {
    let end = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| {
        let after = text[at + "#[cfg(test)]".len()..].trim_start();
        (*at == 0 || text[..*at].ends_with('\n')) && after.starts_with("mod tests")
    });
    end.map_or(text, |at| &text[..at])
}

/// Every Rust file below `folder`, in order; build output aside.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The file of a module path, if it is a file.
fn file_of(source: &Path, module: &str) -> Option<PathBuf> {
    let name = if module.is_empty() { "lib.rs".to_string() } else { format!("{module}.rs") };
    [source.join(name), source.join(module).join("mod.rs")].into_iter().find(|path| path.is_file())
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_string() } else { format!("{module}/{name}") }
}

fn parent(module: &str) -> &str {
    module.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests stands in the repository").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn report(places: &[String]) {
    assert!(places.is_empty(), "{} places:\n{}", places.len(), places.join("\n"));
}

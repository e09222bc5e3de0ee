//! The golden cases of `tests/golden/*.md`: read, explained, shown, rewritten.
//!
//! The files enter; out come [`Case`]s, each with the bytes of a message, the settings it is read
//! under and the lines that were expected of it. The syntax of the files is told once, in
//! `tests/golden/README.md`. A file that breaks it is a panic that names file and line: a case that
//! is silently left out would be a test that silently passes.

use std::env;
use std::fs;
use std::path::PathBuf;

use longhand::Limits;
use longhand::wire::{Explained, Part, Verdict, explain, explain_response};

/// Whether tests write what they find over what they expect: where `GOLDEN=write` is set. This is the
/// one switch of all tests that keep what they expect in files.
#[must_use]
pub fn rewrites() -> bool {
    env::var_os("GOLDEN").is_some_and(|value| value == "write")
}

/// Texts longer than this are shown by their two ends.
const SHOWN: usize = 64;

/// One message, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name below `tests/golden`.
    pub file: String,
    /// The line of the heading, counted from one.
    pub line: usize,
    /// The heading.
    pub title: String,
    /// The words between the heading and the bytes, but the settings.
    pub about: String,
    /// What the bytes are, and under which limits they are read.
    pub settings: Settings,
    /// The lines of the block of bytes, as they are written.
    pub written: Vec<String>,
    /// The bytes, with all escapes undone.
    pub bytes: Vec<u8>,
    /// The lines of the expected block.
    pub expected: Vec<String>,
    /// The line of the expected block's first line, counted from one.
    pub expected_line: usize,
}

/// How the bytes of a case are read, and how much of the outcome is shown.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The bytes are a response to a request of this method.
    pub response_to: Option<String>,
    /// Limits other than the defaults.
    pub limits: Limits,
    /// The bytes are several messages: what follows one that is accepted is explained as the next.
    pub all_messages: bool,
    /// The verdict is shown without the spans.
    pub verdict_only: bool,
}

impl Settings {
    /// Explains the one message at the front of `bytes`.
    #[must_use]
    pub fn explain(&self, bytes: &[u8]) -> Explained {
        match &self.response_to {
            Some(method) => explain_response(bytes, method, &self.limits),
            None => explain(bytes, &self.limits),
        }
    }
}

impl Case {
    /// Where the case stands, for messages: `tests/golden/host.md:12 (Two Host fields)`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("tests/golden/{}:{} ({})", self.file, self.line, self.title)
    }

    /// What the parser says of the first message.
    #[must_use]
    pub fn explained(&self) -> Explained {
        self.settings.explain(&self.bytes)
    }

    /// What became of the case, in the lines of an expected block.
    #[must_use]
    pub fn outcome(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut base = 0;
        loop {
            let bytes = &self.bytes[base..];
            let explained = self.settings.explain(bytes);
            let end = match explained.spans.last() {
                Some((Part::Next, next)) => next.start,
                _ => bytes.len(),
            };
            let goes_on = self.settings.all_messages
                && explained.verdict == Verdict::Accepted
                && end < bytes.len();
            if !self.settings.verdict_only {
                for (part, at) in &explained.spans {
                    if !(goes_on && *part == Part::Next) {
                        lines.push(span_line(*part, base + at.start, &bytes[at.clone()]));
                    }
                }
            }
            lines.push(verdict_line(explained.verdict, base));
            if !goes_on {
                return lines;
            }
            base += end;
        }
    }
}

fn span_line(part: Part, start: usize, bytes: &[u8]) -> String {
    let range = format!("{start}..{}", start + bytes.len());
    let part = format!("{part:?}");
    format!("{range:<12} {part:<9} \"{}\"", shown(bytes))
}

fn verdict_line(verdict: Verdict, base: usize) -> String {
    match verdict {
        Verdict::Accepted => "accepted".to_string(),
        Verdict::Unfinished => "unfinished".to_string(),
        Verdict::Refused(violation) => format!(
            "refused {} at {} status {}",
            violation.name(),
            base + violation.at(),
            violation.status().code()
        ),
    }
}

/// Bytes in visible ASCII; a long run by its two ends, parted by `…`, which no escaped byte gives.
fn shown(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN {
        return escape(bytes);
    }
    let (head, tail) = (&bytes[..SHOWN / 2], &bytes[bytes.len() - SHOWN / 4..]);
    format!("{}…{}", escape(head), escape(tail))
}

/// Bytes in visible ASCII, by the escapes of the golden files.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &octet in bytes {
        match octet {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(octet)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text
}

/// Undoes the escapes of one line of an `http` block.
///
/// # Errors
/// What is wrong with the line, in words.
pub fn unescape(line: &str) -> Result<Vec<u8>, String> {
    if line.starts_with([' ', '\t']) || line.ends_with([' ', '\t']) {
        return Err("a blank at the edge of a line cannot be seen: write \\x20 or \\t".to_string());
    }
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some(octet) = rest.bytes().next() {
        rest = match octet {
            b'\\' => unescape_one(rest, &mut bytes)?,
            b' '..=b'~' => {
                bytes.push(octet);
                &rest[1..]
            }
            _ => return Err("only visible ASCII stands for itself: write \\xHH".to_string()),
        };
    }
    Ok(bytes)
}

/// Undoes the one escape at the front of `text`; gives what follows it.
fn unescape_one<'t>(text: &'t str, bytes: &mut Vec<u8>) -> Result<&'t str, String> {
    let octet = match text.as_bytes().get(1) {
        Some(b'r') => b'\r',
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'\\') => b'\\',
        Some(b'x') => {
            let digits = text.get(2..4).ok_or("\\x wants two hexadecimal digits")?;
            let octet = u8::from_str_radix(digits, 16).map_err(|e| format!("\\x{digits}: {e}"))?;
            bytes.push(octet);
            return Ok(&text[4..]);
        }
        Some(b'{') => {
            let (inside, after) = text[2..].split_once('}').ok_or("\\{ without }")?;
            let (count, what) = inside.split_once('*').ok_or("\\{ wants COUNT*TEXT}")?;
            let count: usize = count.parse().map_err(|e| format!("\\{{{count}: {e}"))?;
            let mut once = Vec::new();
            let mut what = what;
            while let Some(octet) = what.bytes().next() {
                if octet == b'\\' {
                    what = unescape_one(what, &mut once)?;
                } else {
                    once.push(octet);
                    what = &what[1..];
                }
            }
            bytes.extend_from_slice(&once.repeat(count));
            return Ok(after);
        }
        _ => return Err("an escape is \\r \\n \\t \\\\ \\xHH or \\{COUNT*TEXT}".to_string()),
    };
    bytes.push(octet);
    Ok(&text[2..])
}

/// Every case of every file, in the order of file names and lines.
///
/// # Panics
/// Where a file cannot be read or breaks the syntax; the message names file and line.
#[must_use]
pub fn cases() -> Vec<Case> {
    files().iter().flat_map(|file| parse(file, &read(file))).collect()
}

/// Writes the outcome of every case over its expected block.
///
/// # Panics
/// Where a file cannot be read or written.
pub fn rewrite() {
    for file in files() {
        let text = read(&file);
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        // From the last case to the first, so that the places of those before it stay true.
        for case in parse(&file, &text).into_iter().rev() {
            let from = case.expected_line - 1;
            lines.splice(from..from + case.expected.len(), case.outcome());
        }
        let path = folder().join(&file);
        fs::write(&path, lines.join("\n") + "\n")
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn files() -> Vec<String> {
    let folder = folder();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".md") && name != "README.md")
        .collect();
    names.sort();
    names
}

fn read(file: &str) -> String {
    let path = folder().join(file);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Which block of a case a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Http,
    Expect,
}

/// The cases of one file.
fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut block = Block::None;
    let mut blocks = 0;
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: &str| -> ! { panic!("tests/golden/{file}:{}: {what}", index + 1) };
        if let Some(title) = line.strip_prefix("## ").filter(|_| block == Block::None) {
            if blocks % 2 == 1 {
                wrong("the case before this heading has no expect block");
            }
            cases.push(Case {
                file: file.to_string(),
                line: index + 1,
                title: title.to_string(),
                about: String::new(),
                settings: Settings::default(),
                written: Vec::new(),
                bytes: Vec::new(),
                expected: Vec::new(),
                expected_line: 0,
            });
            blocks = 0;
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        match (block, line) {
            (Block::None, "```http") if blocks == 0 => block = Block::Http,
            (Block::None, "```expect") if blocks == 1 => {
                block = Block::Expect;
                case.expected_line = index + 2;
            }
            (Block::None, other) if other.starts_with("```") => {
                wrong("a case has one http block, then one expect block");
            }
            (Block::None, other) => {
                if let Some(settings) = other.strip_prefix("Settings: ") {
                    apply(settings, &mut case.settings).unwrap_or_else(|what| wrong(&what));
                } else if blocks == 0 && !(other.is_empty() && case.about.is_empty()) {
                    case.about.push_str(other);
                    case.about.push('\n');
                }
            }
            (_, "```") => {
                block = Block::None;
                blocks += 1;
            }
            (Block::Http, other) => match unescape(other) {
                Ok(bytes) => {
                    case.written.push(other.to_string());
                    case.bytes.extend_from_slice(&bytes);
                }
                Err(what) => wrong(&what),
            },
            (Block::Expect, other) => case.expected.push(other.to_string()),
        }
    }
    assert!(block == Block::None && blocks % 2 == 0, "tests/golden/{file}: the last case is cut");
    cases
}

/// Applies a settings line: words parted by blanks, each `name=value`.
fn apply(text: &str, settings: &mut Settings) -> Result<(), String> {
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').ok_or("a setting is name=value")?;
        let number = || value.parse::<usize>().map_err(|e| format!("{name}: {e}"));
        match (name, value) {
            ("response-to", _) => settings.response_to = Some(value.to_string()),
            ("messages", "all") => settings.all_messages = true,
            ("show", "verdict") => settings.verdict_only = true,
            ("target", _) => settings.limits.target = number()?,
            ("head", _) => settings.limits.head = number()?,
            ("fields", _) => settings.limits.fields = number()?,
            ("body_overhead", _) => settings.limits.body_overhead = number()?,
            _ => return Err(format!("no setting is called {word}")),
        }
    }
    Ok(())
}

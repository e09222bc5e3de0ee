//! Bookmarks on their way in and out: as JSON with one bookmark a line, and as the HTML that browsers
//! and other bookmark programs exchange.

use crate::rules::{NAME_BYTES, Name};

/// Bookmarks of one file. Each costs some hundred bytes while it is imported, and a file of 16 MiB could
/// have millions.
const MOST: usize = 200_000;

const WANTED: &str = "wanted bookmarks as HTML or as lines of JSON";

/// Characters of a title or a URI that is not taken over as it is.
const LOOKED_AT: usize = 400;

pub(crate) mod jsonl;
pub(crate) mod netscape;
pub(crate) mod import;

/// A bookmark as a file has it: nothing is judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The line on which it stands, from 1 on.
    pub(crate) line: usize,
    pub(crate) name: Wish,
    pub(crate) uri: String,
    pub(crate) created: Option<u64>,
    pub(crate) visits: u64,
    pub(crate) last: Option<u64>,
}

/// Which name a bookmark is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// This one.
    Exactly(String),
    /// One made of a title. If it is taken, it gets a number.
    Like(String),
}

impl Wish {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Exactly(text) | Self::Like(text) => text,
        }
    }

    /// The name of the first try, or of a later one; `None` if there is no further one.
    pub(crate) fn name(&self, attempt: usize) -> Option<String> {
        match self {
            Self::Exactly(text) => (attempt == 1).then(|| text.trim().to_owned()),
            Self::Like(title) => match attempt {
                1 => Some(made(title, "")),
                2..=99 => Some(made(title, &format!(" ({attempt})"))),
                _ => None,
            },
        }
    }
}

/// A name made of a title: blanks are one, controls none, it does not begin with `.`, and it has room
/// for what follows it.
fn made(title: &str, follows: &str) -> String {
    let visible = |c: &char| !c.is_control() || c.is_whitespace();
    let title: String = title.chars().filter(visible).take(LOOKED_AT).collect();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = title.trim_start_matches(['.', ' ']);
    let title = if title.is_empty() { "bookmark" } else { title };
    let mut end = title.len().min(NAME_BYTES - follows.len());
    while !title.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{follows}", title[..end].trim_end())
}

/// What is on a line and is no bookmark, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) why: String,
}

/// Reads a file of either kind, which its content tells.
///
/// # Errors
/// It is neither, or no text, or too long.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Result<Item, Skipped>>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|bad| not_text(bytes, bad.valid_up_to()))?;
    let found = match text.trim_start().chars().next() {
        Some('{') => jsonl::read(text, MOST + 1),
        Some('<') => netscape::read(text, MOST + 1),
        Some(_) => {
            let start: String = text.trim_start().chars().take(40).collect();
            let start = start.escape_debug();
            return Err(format!("The file: {WANTED}, found `{start}`."));
        }
        None => return Err("The file is empty.".to_owned()),
    };
    if found.len() > MOST {
        return Err(format!("The file: wanted at most {MOST} bookmarks, found more."));
    }
    Ok(found)
}

/// A file is not guessed at: what was guessed wrong would be saved so.
fn not_text(bytes: &[u8], at: usize) -> String {
    let line = 1 + bytes[..at].iter().filter(|octet| **octet == b'\n').count();
    let octet = bytes.get(at).map_or(String::new(), |octet| format!("{octet:02X}"));
    format!("The file: {WANTED} in UTF-8, found the byte 0x{octet} on line {line}.")
}

impl Skipped {
    pub(crate) fn of(item: &Item, why: impl Into<String>) -> Self {
        let start = |text: &str| text.chars().take(LOOKED_AT).collect();
        Self {
            line: item.line,
            name: start(item.name.text()),
            uri: start(&item.uri),
            why: why.into(),
        }
    }
}

impl Item {
    /// The name of a try, judged; `None` if there is none.
    pub(crate) fn named(&self, attempt: usize) -> Option<Result<Name, String>> {
        let name = self.name.name(attempt)?;
        Some(Name::parse(&name).map_err(|bad| bad.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_names() {
        for (title, name) in [
            ("Rust", "Rust"),
            ("  two \t\n words ", "two words"),
            ("...dots", "dots"),
            (". .x", "x"),
            ("\u{7}bell", "bell"),
            ("", "bookmark"),
            ("...", "bookmark"),
            (&"ä".repeat(80), &"ä".repeat(50)),
        ] {
            let made = Wish::Like(title.to_owned()).name(1).unwrap();
            assert_eq!(made, name);
            assert!(Name::parse(&made).is_ok(), "{made:?}");
        }
        let long = Wish::Like("x".repeat(200));
        assert_eq!(long.name(12).unwrap(), format!("{} (12)", "x".repeat(95)));
        assert_eq!((long.name(100), Wish::Exactly("a".into()).name(2)), (None, None));
    }

    #[test]
    fn the_content_tells_the_kind() {
        assert_eq!(read(b"\xef\xbb\xbf {}").unwrap().len(), 1);
        assert_eq!(read(b"\n<!DOCTYPE NETSCAPE-Bookmark-file-1>").unwrap().len(), 0);
        assert!(read(b" \n").unwrap_err().contains("empty"));
        assert!(read(b"name,uri\n\x00").unwrap_err().contains("found `name,uri\\n\\0`"));
    }
}

//! How text is put on a terminal: its width, and whether in colour or in ASCII alone.
//!
//! Nothing is said by colour that is not said without. No byte of a peer's gets here other than as a
//! glyph or as hexadecimal digits, so the only escapes are those written below.

use std::env;
use std::io::{self, IsTerminal};

/// What a terminal takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) columns: usize,
    pub(crate) ink: Ink,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Colour,
    Mono,
    /// For terminals and fonts that lack the glyphs.
    Ascii,
}

/// What text is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    Plain,
    Quiet,
    Good,
    Bad,
}

impl Style {
    /// As the environment has it: `COLUMNS`, `NO_COLOR`, and whether a person looks.
    pub(crate) fn of_stdout(ascii: bool) -> Self {
        let columns = setup::setting("COLUMNS", 80, "the width of the terminal, a number");
        let ink = if ascii {
            Ink::Ascii
        } else if io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        {
            Ink::Colour
        } else {
            Ink::Mono
        };
        Self { columns: columns.clamp(40, 1_000), ink }
    }

    /// Text in its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if self.ink != Ink::Colour => return self.text(text),
            Tone::Plain => return text.to_owned(),
            Tone::Heading => "1",
            Tone::Quiet => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Text, in ASCII if it must be: one column for each, as before.
    fn text(self, text: &str) -> String {
        if self.ink != Ink::Ascii {
            return text.to_owned();
        }
        let ascii = |glyph| match glyph {
            '␠' => '_',
            '▏' => '|',
            '└' => '\\',
            '┘' => '/',
            '─' => '-',
            '•' => '*',
            '\n' | ' '..='~' => glyph,
            _ => '.',
        };
        text.chars().map(ascii).collect()
    }

    /// Words after a mark, on as many lines as they need; the mark's width is kept free below it.
    pub(crate) fn wrap(self, mark: &str, words: &str) -> String {
        let (mut text, mut column) = (mark.to_owned(), mark.chars().count());
        let indent = " ".repeat(column);
        for (index, word) in words.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 && column + 1 + length > self.columns {
                text.push('\n');
                text.push_str(&indent);
                column = indent.len();
            } else if index > 0 {
                text.push(' ');
                column += 1;
            }
            text.push_str(word);
            column += length;
        }
        text + "\n"
    }
}

//! A rule as a page of plain text: what was sent, the rule, whose it is, why, the way out.
//!
//! A kind enters; out comes what a terminal shows of it. The error index has the same in Markdown.

use core::fmt;

use super::rules::{Hint, Kind, Sample, Scene, Whose};
use super::violation::Octet;
use crate::limits::Limits;

/// Columns of a page.
const WIDTH: usize = 80;

impl Kind {
    /// All that there is to say of it, as a page of plain text.
    ///
    /// ```
    /// let page = longhand::wire::Kind::BareLf.explain();
    /// assert!(page.starts_with("bare-lf: 400 Bad Request\n"));
    /// assert!(page.contains(concat!(
    ///     "  sent    GET /hi HTTP/1.1\\n\n",
    ///     "                          ^ byte 16: expected CR LF\n",
    /// )));
    /// ```
    #[must_use]
    pub fn explain(self) -> String {
        let sample = self.sample();
        let mut page = format!("{}: {}\n\n", self.name(), self.status());
        let mut label = "sent";
        for line in sample.to_string().lines() {
            let caret = line.trim_start() == "^";
            let told = format!(" byte {}: expected {}", sample.at, self.expected());
            page += &format!("  {label:<8}{line}{}\n", if caret { &told } else { "" });
            label = "";
        }
        if sample.scene != Scene::Request {
            paragraph(&mut page, "", &sample.scene.to_string());
        }
        paragraph(&mut page, "rule", &format!("{} ({})", self.text(), self.section()));
        paragraph(&mut page, "whose", &self.whose().to_string());
        paragraph(&mut page, "why", self.why());
        paragraph(&mut page, "help", self.help());
        for hint in self.hints() {
            paragraph(&mut page, "", &format!("If {hint} came: {}", hint.help));
        }
        page
    }
}

/// Appends `text`, wrapped, with its label at the side.
fn paragraph(page: &mut String, mut label: &str, text: &str) {
    let mut line = String::new();
    for word in text.split(' ').chain([""]) {
        if word.is_empty() || line.len() + 10 + word.len() > WIDTH {
            *page += format!("  {label:<8}{}", line.trim_end()).trim_end();
            page.push('\n');
            (label, line) = ("", String::new());
        }
        line = line + word + " ";
    }
}

impl Sample {
    /// The limits to read it under.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Scene::Under(limit, most) = self.scene {
            match limit {
                "target" => limits.target = most,
                "head" => limits.head = most,
                "fields" => limits.fields = most,
                "body_overhead" => limits.body_overhead = most,
                _ => limits.body = most as u64,
            }
        }
        limits
    }
}

/// The bytes with visible escapes, a line for each of theirs, and a caret under the place.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = Some(self.at);
        for line in self.bytes.split_inclusive(|&octet| octet == b'\n') {
            writeln!(f, "{}", line.escape_ascii())?;
            match left {
                Some(at) if at < line.len() || (at == line.len() && !line.ends_with(b"\n")) => {
                    writeln!(f, "{:>1$}", '^', line[..at].escape_ascii().count() + 1)?;
                    left = None;
                }
                _ => left = left.map(|at| at - line.len()),
            }
        }
        // What is missing behind a whole line.
        left.map_or(Ok(()), |_| writeln!(f, "^"))
    }
}

/// In a sentence.
impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("It is a request."),
            Self::Response => f.write_str("It is a response."),
            Self::Ended => f.write_str("Then the connection ends."),
            Self::Silent => f.write_str("Then nothing more comes."),
            Self::Under(limit, most) => write!(f, "Here `Limits::{limit}` is {most}."),
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rfc => f.write_str("The RFC forbids it."),
            Self::Choice => f.write_str("The RFC lets a server choose; longhand refuses."),
            Self::Limit(name) => write!(f, "A limit of longhand's: `Limits::{name}` moves it."),
        }
    }
}

/// The bytes that it is for: `SP or HTAB`, `0 to 9`, `one of < > =`.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, shown, between) = match self.found {
            [b'0', .., b'9'] => ("", &b"09"[..], " to "),
            [_, _, _, ..] => ("one of ", self.found, " "),
            few => ("", few, " or "),
        };
        for (i, &octet) in shown.iter().enumerate() {
            f.write_str(if i > 0 { between } else { before })?;
            match octet {
                b'!'..=b'~' => write!(f, "{}", char::from(octet))?,
                other => write!(f, "{}", Octet(other))?,
            }
        }
        Ok(())
    }
}

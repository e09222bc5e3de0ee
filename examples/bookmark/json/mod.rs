//! JSON, as much as this program needs (RFC 8259): objects out, any value in.
//!
//! Bookmarks leave as objects whose strings are escaped here, and a line that somebody imports comes
//! in as a [`Json`], or with the byte at which it stops being one. Reading is strict and bounded: one
//! value and nothing behind it, no name twice in an object, at most [`DEPTH`] values inside each other.

use std::fmt::{Display, Write};

mod read;

use read::Reader;

/// Values inside each other: more than any bookmark needs, less than a stack has room for.
const DEPTH: usize = 16;

/// An object under construction, one line of text.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member that is a string.
    pub(crate) fn text(self, name: &'static str, value: &str) -> Self {
        let value = quoted(value);
        self.raw(name, value)
    }

    /// Adds a member that is a number, or text that is JSON already.
    pub(crate) fn raw(mut self, name: &'static str, value: impl Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{comma}\"{name}\":{value}");
        self
    }

    pub(crate) fn end(self) -> String {
        self.0 + "}"
    }
}

// string = quotation-mark *char quotation-mark                            (RFC 8259 section 7)
/// Text as a JSON string. Controls are escaped, and so are the line separators that JSON allows and
/// other readers of lines stumble over.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Where a text stops being JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadJson {
    /// The offset of the byte.
    pub(crate) at: usize,
    pub(crate) wanted: &'static str,
}

impl Display for BadJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "byte {}: wanted {}", self.at, self.wanted)
    }
}

impl Json {
    // JSON-text = ws value ws                                             (RFC 8259 section 2)
    /// Reads one value.
    pub(crate) fn parse(text: &str) -> Result<Self, BadJson> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(DEPTH)?;
        reader.blanks();
        if reader.at < text.len() { reader.bad("nothing more") } else { Ok(value) }
    }

    /// The member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A number that counts something.
    pub(crate) fn as_count(&self) -> Option<u64> {
        // Beyond 2^53 numbers are not exact any more.
        const MOST: f64 = 9_007_199_254_740_992.0;
        match self {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and in range"
            )]
            Self::Number(number) if number.fract() == 0.0 && (0.0..=MOST).contains(number) => {
                Some(*number as u64)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let odd = "\"\\/\n\t\0\u{7f}\u{2028}käse \u{1f600}</script>";
        let line = Object::new().text("name", odd).raw("visits", 3).raw("last", "null").end();
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{2028}'), "{line}");
        let json = Json::parse(&line).unwrap();
        assert_eq!(json.get("name").unwrap().as_text(), Some(odd));
        assert_eq!(json.get("visits").unwrap().as_count(), Some(3));
        assert_eq!((json.get("last"), json.get("other")), (Some(&Json::Null), None));
        assert_eq!(Object::new().end(), "{}");
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text =
            r#" {"a":[1,-2.5e1,0,true,false,null,[],{}],"b":"\u00e4\ud83d\ude00\/\b\f\n\r\t"} "#;
        let json = Json::parse(text).unwrap();
        let Json::List(list) = json.get("a").unwrap() else { panic!("a list") };
        assert_eq!(list[1], Json::Number(-25.0));
        assert_eq!(list.len(), 8);
        assert_eq!(json.get("b").unwrap().as_text(), Some("ä😀/\u{8}\u{c}\n\r\t"));
        for (number, count) in
            [("1", Some(1)), ("1.5", None), ("-1", None), ("1e3", Some(1_000)), ("1e99", None)]
        {
            assert_eq!(Json::parse(number).unwrap().as_count(), count, "{number}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_stops_being_one() {
        for (text, at) in [
            ("", 0),
            ("{", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("{\"a\":1 \"b\":2}", 7),
            ("{\"a\":1,\"a\":2}", 7),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("1 2", 2),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            ("1e", 2),
            ("nul", 0),
            ("'a'", 0),
            ("\"a", 2),
            ("\"a\nb\"", 2),
            ("\"\\x\"", 2),
            ("\"\\u12\"", 3),
            ("\"\\u+123\"", 3),
            ("\"\\ud800\"", 7),
            ("\"\\ud800\\u0041\"", 13),
            ("\"\\udc00\"", 7),
            ("\u{feff}1", 0),
        ] {
            assert_eq!(Json::parse(text).unwrap_err().at, at, "{text}");
        }
        let nested = |depth| Json::parse(&("[".repeat(depth) + &"]".repeat(depth)));
        assert!(nested(DEPTH).is_ok() && nested(DEPTH + 1).is_err() && nested(100_000).is_err());
    }
}

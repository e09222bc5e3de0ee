//! JSON (RFC 8259), as much of it as a browser's driver speaks.
//!
//! A text enters, a [`Json`] leaves, and the other way round. The reader takes what the grammar
//! takes and nothing else; it refuses besides a name that an object has twice, half of a surrogate
//! pair, a number beyond an `f64`, and values nested deeper than `DEEPEST`, because none of them
//! can be handed on as it was meant.

use std::fmt::{self, Display, Write};

/// How many lists and objects may stand inside each other.
const DEEPEST: usize = 128;

/// A value.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is the value of that name")]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadJson {
    /// The offset of the octet that does not fit.
    pub at: usize,
    /// What may stand there.
    pub wanted: &'static str,
}

impl Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON: wanted {} at byte {}", self.wanted, self.at)
    }
}

impl std::error::Error for BadJson {}

impl Json {
    /// Reads a text that is one value.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(text: &str) -> Result<Self, BadJson> {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let value = reader.value()?;
        reader.blanks();
        if reader.at < text.len() { reader.wanted("the end") } else { Ok(value) }
    }

    /// An object of these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    /// The member of this name; `Null` where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Self {
        let Self::Object(members) = self else { return &Self::Null };
        let member = members.iter().find(|(other, _)| other == name);
        member.map_or(&Self::Null, |(_, value)| value)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The values of a list; none of anything else.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        if let Self::List(values) = self { values } else { &[] }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Display for Json {
    /// Writes it without blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            // JSON has no word for what is not finite; nothing here computes any.
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write_text(f, text),
            Self::List(values) => {
                f.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index > 0 { "," } else { "" })?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write_text(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(letter))?,
            _ => f.write_char(letter)?,
        }
    }
    f.write_char('"')
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn wanted<T>(&self, wanted: &'static str) -> Result<T, BadJson> {
        Err(BadJson { at: self.at, wanted })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Steps over `word`, if it is next.
    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Steps over letters of a kind, and gives their number.
    fn take_while(&mut self, kind: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        let count = rest.find(|letter| !kind(letter)).unwrap_or(rest.len());
        self.at += count;
        count
    }

    /// `ws = *( %x20 / %x09 / %x0A / %x0D )`
    fn blanks(&mut self) {
        self.take_while(|letter| matches!(letter, ' ' | '\t' | '\n' | '\r'));
    }

    /// `value = false / null / true / object / array / number / string`, blanks before it.
    fn value(&mut self) -> Result<Json, BadJson> {
        self.blanks();
        for (word, value) in
            [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.rest().as_bytes().first() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'[' | b'{') if self.depth == DEEPEST => self.wanted("less nesting"),
            Some(b'[') => {
                let mut values = Vec::new();
                self.items("]", |reader| {
                    values.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Json::List(values))
            }
            Some(b'{') => {
                let mut members = Vec::new();
                self.items("}", |reader| reader.member(&mut members))?;
                Ok(Json::Object(members))
            }
            _ => self.wanted("a value"),
        }
    }

    /// What stands between two brackets, parted by commas.
    fn items(
        &mut self,
        end: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), BadJson>,
    ) -> Result<(), BadJson> {
        self.at += 1;
        self.depth += 1;
        self.blanks();
        if !self.take(end) {
            loop {
                item(self)?;
                self.blanks();
                if self.take(end) {
                    break;
                }
                if !self.take(",") {
                    return self.wanted("a comma or the closing bracket");
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// `member = string name-separator value`
    fn member(&mut self, members: &mut Vec<(String, Json)>) -> Result<(), BadJson> {
        self.blanks();
        let begin = self.at;
        let name = self.string()?;
        if members.iter().any(|(other, _)| *other == name) {
            return Err(BadJson { at: begin, wanted: "a name that this object does not have yet" });
        }
        self.blanks();
        if !self.take(":") {
            return self.wanted("a colon");
        }
        members.push((name, self.value()?));
        Ok(())
    }

    /// `number = [ minus ] int [ frac ] [ exp ]`
    fn number(&mut self) -> Result<Json, BadJson> {
        let begin = self.at;
        let digit = |letter: char| letter.is_ascii_digit();
        self.take("-");
        // `int = zero / ( digit1-9 *DIGIT )`
        if !self.take("0") && self.take_while(digit) == 0 {
            return self.wanted("a digit");
        }
        if self.take(".") && self.take_while(digit) == 0 {
            return self.wanted("a digit");
        }
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            if self.take_while(digit) == 0 {
                return self.wanted("a digit");
            }
        }
        match self.text[begin..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Json::Number(number)),
            _ => Err(BadJson { at: begin, wanted: "a number in reach of an f64" }),
        }
    }

    /// `string = quotation-mark *char quotation-mark`
    fn string(&mut self) -> Result<String, BadJson> {
        if !self.take("\"") {
            return self.wanted("a string");
        }
        let mut string = String::new();
        loop {
            let begin = self.at;
            self.take_while(|letter| letter > '\x1f' && letter != '"' && letter != '\\');
            string.push_str(&self.text[begin..self.at]);
            if self.take("\"") {
                return Ok(string);
            }
            if !self.take("\\") {
                return self.wanted("a letter that no string has to escape");
            }
            string.push(self.escaped()?);
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Result<char, BadJson> {
        for (letter, meant) in [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\x08'),
            ("f", '\x0c'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ] {
            if self.take(letter) {
                return Ok(meant);
            }
        }
        if !self.take("u") {
            return self.wanted("one of \" \\ / b f n r t u");
        }
        let begin = self.at;
        let first = self.hexadecimal()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.take("\\u") {
            units.push(self.hexadecimal()?);
        }
        match String::from_utf16(&units).ok().and_then(|pair| pair.chars().next()) {
            Some(letter) => Ok(letter),
            None => Err(BadJson { at: begin, wanted: "both halves of a surrogate pair" }),
        }
    }

    /// `4HEXDIG`
    fn hexadecimal(&mut self) -> Result<u16, BadJson> {
        let digits = self.rest().get(..4).filter(|digits| {
            // `from_str_radix` alone would take a sign.
            digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.wanted("four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let value = Json::object([
            ("", Json::Null),
            ("list", Json::List(vec![Json::Bool(true), Json::Number(-1.5), Json::List(vec![])])),
            ("a\"\\\n\0é🦀", "b\"\\\r\t\u{7f}\u{2028}".into()),
            ("object", Json::object([])),
        ]);
        assert_eq!(Json::parse(&value.to_string()), Ok(value));
    }

    #[test]
    fn every_form_of_the_grammar_is_read() {
        let text = |text: &str| Json::Text(text.to_owned());
        for (read, wanted) in [
            (" \t\r\n null ", Json::Null),
            ("0", Json::Number(0.0)),
            ("-0.5e+2", Json::Number(-50.0)),
            ("12E-1", Json::Number(1.2)),
            (r#""\"\\\/\b\f\n\r\t""#, text("\"\\/\x08\x0c\n\r\t")),
            (r#""\u00e9\uD83E\uDD80""#, text("é🦀")),
            ("[ ]", Json::List(vec![])),
            (
                "[1 , [false]]",
                Json::List(vec![Json::Number(1.0), Json::List(vec![Json::Bool(false)])]),
            ),
            (r#"{ "a" : { } }"#, Json::object([("a", Json::object([]))])),
        ] {
            assert_eq!(Json::parse(read), Ok(wanted), "{read}");
        }
    }

    #[test]
    fn everything_else_is_refused_where_it_goes_wrong() {
        for (read, at) in [
            ("", 0),
            ("nul", 0),
            ("True", 0),
            ("1 2", 2),
            ("01", 1),
            ("+1", 0),
            (".5", 0),
            ("1.", 2),
            ("1e", 2),
            ("-", 1),
            ("1e999", 0),
            ("NaN", 0),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("[", 1),
            ("{a:1}", 1),
            ("{\"a\"}", 4),
            ("{\"a\":1,}", 7),
            ("{\"a\":1,\"a\":2}", 7),
            ("\"a", 2),
            ("\"\n\"", 1),
            ("\"\\x\"", 2),
            ("\"\\u+123\"", 3),
            ("\"\\u12\"", 3),
            ("\"\\u123é\"", 3),
            ("\"\\ud800\"", 3),
            ("\"\\ud800\\u0041\"", 3),
            ("\"\\udc00\"", 3),
            ("'a'", 0),
            ("\u{feff}1", 0),
        ] {
            let refused = Json::parse(read).expect_err(read);
            assert_eq!(refused.at, at, "{read}: {refused}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(DEEPEST)).is_ok());
        assert_eq!(Json::parse(&nested(1_000_000)).unwrap_err().at, DEEPEST);
    }
}

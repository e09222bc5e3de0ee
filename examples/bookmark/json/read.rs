//! The reader of JSON: one step for each rule of the grammar (RFC 8259 sections 2 to 7).

use super::{BadJson, Json};

/// Names of one object: each is compared with all before it.
const MEMBERS: usize = 100;

/// A place in a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl Reader<'_> {
    pub(super) fn bad<T>(&self, wanted: &'static str) -> Result<T, BadJson> {
        Err(BadJson { at: self.at, wanted })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, octet: u8) -> bool {
        let is_next = self.peek() == Some(octet);
        self.at += usize::from(is_next);
        is_next
    }

    // ws = *( %x20 / %x09 / %x0A / %x0D )                                 (RFC 8259 section 2)
    pub(super) fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Json, BadJson> {
        self.blanks();
        let Some(depth) = depth.checked_sub(1) else {
            return self.bad("fewer values inside others");
        };
        match self.peek() {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in
                    [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
                {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                self.bad("a value")
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, BadJson> {
        self.at += 1;
        self.blanks();
        let mut values = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth)?);
            self.blanks();
            if self.takes(b']') {
                return Ok(Json::List(values));
            }
            if !self.takes(b',') {
                return self.bad("`,` or `]`");
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, BadJson> {
        self.at += 1;
        self.blanks();
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.blanks();
            let began = self.at;
            let name = self.string()?;
            if members.len() == MEMBERS {
                return Err(BadJson { at: began, wanted: "at most 100 names" });
            }
            if members.iter().any(|(other, _)| *other == name) {
                return Err(BadJson { at: began, wanted: "each name once" });
            }
            self.blanks();
            if !self.takes(b':') {
                return self.bad("`:`");
            }
            members.push((name, self.value(depth)?));
            self.blanks();
            if self.takes(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.takes(b',') {
                return self.bad("`,` or `}`");
            }
        }
    }

    // number = [ minus ] int [ frac ] [ exp ]                             (RFC 8259 section 6)
    fn number(&mut self) -> Result<Json, BadJson> {
        let began = self.at;
        self.takes(b'-');
        if !self.takes(b'0') && self.digits() == 0 {
            return self.bad("a digit");
        }
        if self.takes(b'.') && self.digits() == 0 {
            return self.bad("a digit");
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _sign = self.takes(b'+') || self.takes(b'-');
            if self.digits() == 0 {
                return self.bad("a digit");
            }
        }
        match self.text[began..self.at].parse() {
            Ok(number) => Ok(Json::Number(number)),
            Err(_) => Err(BadJson { at: began, wanted: "a number" }),
        }
    }

    fn digits(&mut self) -> usize {
        let began = self.at;
        while self.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - began
    }

    fn string(&mut self) -> Result<String, BadJson> {
        if !self.takes(b'"') {
            return self.bad("a string");
        }
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let run = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..run]);
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.bad("the end of the string"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, BadJson> {
        self.at += 1;
        let escaped = match self.peek() {
            Some(octet @ (b'"' | b'\\' | b'/')) => char::from(octet),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.bad("an escape"),
        };
        self.at += 1;
        Ok(escaped)
    }

    /// `\u` and four digits; beyond the first 65,536 characters two of them stand for one.
    fn unicode(&mut self) -> Result<char, BadJson> {
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff if self.takes(b'\\') => match self.hex()? {
                second @ 0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => return self.bad("the second half of a character"),
            },
            other => other,
        };
        char::from_u32(code).map_or_else(|| self.bad("a whole character"), Ok)
    }

    fn hex(&mut self) -> Result<u32, BadJson> {
        if !self.takes(b'u') {
            return self.bad("`u`");
        }
        let digits = self.text.get(self.at..self.at + 4).unwrap_or("");
        if digits.len() < 4 || !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return self.bad("four hexadecimal digits");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).or_else(|_| self.bad("four hexadecimal digits"))
    }
}

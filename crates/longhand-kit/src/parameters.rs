//! Values with parameters behind them: the Content-Type of a request, the Content-Disposition of a part.
//!
//! What enters is the text of a field value; what leaves is what stands before the first semicolon,
//! and the parameters with their quotes undone (RFC 9110 sections 5.6.6 and 8.3.1). A parameter that
//! occurs twice is refused: which of the two counts is what two programs would disagree about.

use longhand::wire::grammar::is_token;

/// The parameters of one value, at most. Every look-up walks the list, and nobody sends more than three.
const MAX_PARAMETERS: usize = 16;

/// A value and the parameters behind it.
#[derive(Debug)]
pub(crate) struct Parameterised<'v> {
    /// What stands before the first semicolon, without the blanks around it.
    value: &'v str,
    parameters: Vec<(&'v str, String)>,
}

impl<'v> Parameterised<'v> {
    // ABNF: parameters = *( OWS ";" OWS [ parameter ] )                    (RFC 9110 section 5.6.6)
    //       parameter  = parameter-name "=" parameter-value
    //       parameter-value = ( token / quoted-string )
    /// Takes a value apart; or says what was expected, and how many bytes into it.
    pub(crate) fn parse(whole: &'v str) -> Result<Self, (&'static str, usize)> {
        let (value, mut rest) = whole.split_at(whole.find(';').unwrap_or(whole.len()));
        let mut parsed = Self { value: value.trim_matches(BLANK), parameters: Vec::new() };
        loop {
            rest = rest.trim_start_matches(BLANK);
            let at = whole.len() - rest.len();
            let Some(behind) = rest.strip_prefix(';') else {
                return if rest.is_empty() { Ok(parsed) } else { Err(("a semicolon", at)) };
            };
            rest = behind.trim_start_matches(BLANK);
            if rest.is_empty() || rest.starts_with(';') {
                continue;
            }
            let at = whole.len() - rest.len();
            let (name, value, length) = parameter(rest).map_err(|(what, i)| (what, at + i))?;
            if parsed.get(name).is_some() {
                return Err(("each parameter once", at));
            }
            if parsed.parameters.len() == MAX_PARAMETERS {
                return Err(("at most 16 parameters", at));
            }
            parsed.parameters.push((name, value));
            rest = &rest[length..];
        }
    }

    /// Whether this is the value, in any case.
    pub(crate) fn is(&self, value: &str) -> bool {
        self.value.eq_ignore_ascii_case(value)
    }

    /// A parameter by its name, in any case.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let is_named = |pair: &&(&str, String)| pair.0.eq_ignore_ascii_case(name);
        self.parameters.iter().find(is_named).map(|(_, value)| value.as_str())
    }

    /// Whether text of this type is UTF-8: it says so, or names no charset.
    pub(crate) fn is_utf8(&self) -> bool {
        self.get("charset").is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }
}

const BLANK: [char; 2] = [' ', '\t'];

/// The parameter at the front of `text`: its name, its value, its length.
fn parameter(text: &str) -> Result<(&str, String, usize), (&'static str, usize)> {
    let end = text.find(['=', ';', '"', ' ', '\t']).unwrap_or(text.len());
    let name = &text[..end];
    if !is_token(name.as_bytes()) {
        return Err(("the name of a parameter", 0));
    }
    let Some(value) = text[end..].strip_prefix('=') else {
        return Err(("an equals sign", end));
    };
    let at = end + 1;
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, length) = unquote(quoted).ok_or(("a closing quote", text.len()))?;
        return Ok((name, value, at + 1 + length));
    }
    let end = value.find([';', ' ', '\t']).unwrap_or(value.len());
    if !is_token(&value.as_bytes()[..end]) {
        return Err(("a token or a quoted string", at));
    }
    Ok((name, value[..end].to_owned(), at + end))
}

// ABNF: quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE           (RFC 9110 section 5.6.4)
/// The text up to the closing quote, and how many bytes that took.
///
/// A backslash is undone before a quote and before another one, as curl of old and Go's library send
/// them. Before anything else it stands for itself: browsers send the `\` of a file's name as it is.
fn unquote(quoted: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let escaped = |next: &(usize, char)| matches!(next.1, '"' | '\\');
        match character {
            '"' => return Some((text, at + 1)),
            '\\' => text.push(characters.next_if(escaped).map_or('\\', |next| next.1)),
            _ => text.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken_apart() {
        for (whole, value, parameters) in [
            ("form-data", "form-data", &[][..]),
            (" form-data ;", "form-data", &[]),
            ("a/b;charset=utf-8", "a/b", &[("charset", "utf-8")]),
            ("a/b ; ;\t; Charset=x ;", "a/b", &[("charset", "x")]),
            (r#"f; name="a;b=c"; filename=x"#, "f", &[("name", "a;b=c"), ("filename", "x")]),
            (
                r#"f; name="";filename="é \"q\" \\ \n""#,
                "f",
                &[("name", ""), ("filename", "é \"q\" \\ \\n")],
            ),
            (r#"f; name="C:\dir\f""#, "f", &[("name", "C:\\dir\\f")]),
            ("f; filename*=UTF-8''%41", "f", &[("filename*", "UTF-8''%41")]),
        ] {
            let parsed = Parameterised::parse(whole).unwrap();
            assert_eq!(parsed.value, value);
            assert_eq!(parsed.parameters.len(), parameters.len(), "{whole}");
            for (name, value) in parameters {
                assert_eq!(parsed.get(name), Some(*value), "{whole}");
            }
        }
    }

    #[test]
    fn broken_parameters_are_refused_at_their_byte() {
        for (whole, expected) in [
            ("f; name", ("an equals sign", 7)),
            ("f; name =x", ("an equals sign", 7)),
            ("f; name= x", ("a token or a quoted string", 8)),
            ("f; name=", ("a token or a quoted string", 8)),
            ("f; name=é", ("a token or a quoted string", 8)),
            ("f; =x", ("the name of a parameter", 3)),
            ("f; é=x", ("the name of a parameter", 3)),
            ("f; \"name\"=x", ("the name of a parameter", 3)),
            ("f; name=\"x", ("a closing quote", 10)),
            ("f; name=\"x\\\"", ("a closing quote", 12)),
            ("f; name=\"x\"y", ("a semicolon", 11)),
            ("f; name=x y=z", ("a semicolon", 10)),
            ("f; name=x; NAME=x", ("each parameter once", 11)),
        ] {
            assert_eq!(Parameterised::parse(whole).unwrap_err(), expected, "{whole}");
        }
        let many: String = (0..17).map(|n| format!(";p{n}=x")).collect();
        assert_eq!(Parameterised::parse(&many).unwrap_err().0, "at most 16 parameters");
    }
}

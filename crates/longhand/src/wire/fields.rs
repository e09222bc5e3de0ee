//! A field section as it was received: borrowed bytes, the places of its lines, and the look-ups.
//!
//! Values stay bytes: RFC 9110 section 5.5 allows octets in them that are no text.

use super::grammar::{ascii, is_qdtext, trim_blanks};
use super::run::is_same_name;

/// Where one field line stands in its section's bytes. A parser fills a list of them, and a
/// connection uses the same list again for its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldLine {
    pub(crate) name: (u32, u32),
    pub(crate) value: (u32, u32),
}

impl FieldLine {
    fn name<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.name.0 as usize..self.name.1 as usize]
    }

    /// Names differ in length more often than not: the bytes are looked at last.
    #[inline]
    fn is_named(&self, name: &str, bytes: &[u8]) -> bool {
        (self.name.1 - self.name.0) as usize == name.len()
            && is_same_name(self.name(bytes), name.as_bytes())
    }

    fn value<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.value.0 as usize..self.value.1 as usize]
    }
}

/// The field lines of a head or a trailer section, in the order of their arrival.
///
/// ```
/// use longhand::{Limits, wire::{Parsed, RequestHead}};
///
/// let bytes = b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html, \"a,b\"\r\naccept: */*\r\n\r\n";
/// let mut lines = Vec::new();
/// let Ok(Parsed::Complete { value: head, .. }) =
///     RequestHead::parse(bytes, &Limits::default(), &mut lines) else { panic!() };
/// assert_eq!(head.fields.get("host"), Some(&b"x"[..]));
/// let accepted: Vec<_> = head.fields.list("Accept").collect();
/// assert_eq!(accepted, [&b"text/html"[..], b"\"a,b\"", b"*/*"]);
/// ```
#[derive(Clone, Copy)]
pub struct Fields<'b> {
    bytes: &'b [u8],
    lines: &'b [FieldLine],
    /// Which names may be there: the [bits](name_bit) of those that are. Most look-ups, the server's own
    /// first of all, are for names that are not there, and need look at no line.
    names: u64,
}

/// One of 64 bits for a name in any case, by its first letter and its length. Names in use seldom share a
/// bit, and none shares one with a name that every request is searched for (Host aside). Nine is a number that
/// does so, and to multiply by it is one instruction.
#[inline(always)]
pub(crate) fn name_bit(name: &[u8]) -> u64 {
    let letter = name.first().map_or(0, |octet| octet & 0x1f);
    1 << ((usize::from(letter) + 9 * name.len()) % 64)
}

impl<'b> Fields<'b> {
    /// `lines` must have been made from `bytes`.
    pub(crate) fn new(bytes: &'b [u8], lines: &'b [FieldLine]) -> Self {
        let names = lines.iter().fold(0, |names, line| names | name_bit(line.name(bytes)));
        Self { bytes, lines, names }
    }

    /// The same where the scan has gathered the bits of the `names` already.
    #[inline]
    pub(crate) fn scanned(bytes: &'b [u8], lines: &'b [FieldLine], names: u64) -> Self {
        Self { bytes, lines, names }
    }

    /// Whether one of these may be there; if not, nobody need look.
    #[inline(always)]
    pub(crate) fn may_have(&self, names: &[&str]) -> bool {
        self.names & names.iter().fold(0, |bits, name| bits | name_bit(name.as_bytes())) != 0
    }

    /// The value of the first line of this name, in any case.
    #[doc(alias = "header")]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.all(name).next()
    }

    /// The value of the first line of this name, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'b str> {
        core::str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all lines of this name, in order.
    #[inline]
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'b [u8]> {
        self.named(name).map(|(_, value)| value)
    }

    /// The same, each with its offset in the bytes that were parsed: where an error in it is.
    ///
    /// ```
    /// use longhand::{Limits, wire::{Fields, Parsed}};
    ///
    /// let (bytes, mut lines) = (b"Tag: a\r\nTAG:  b \r\n\r\n", Vec::new());
    /// let Ok(Parsed::Complete { value: fields, .. }) =
    ///     Fields::parse(bytes, &Limits::default(), &mut lines) else { panic!() };
    /// assert_eq!(fields.all_at("tag").collect::<Vec<_>>(), [(5, &b"a"[..]), (14, b"b")]);
    /// ```
    pub fn all_at(&self, name: &str) -> impl Iterator<Item = (usize, &'b [u8])> {
        self.placed(name).map(|(_, value, at)| (at, value))
    }

    /// The values of this name, each with where its line begins.
    #[inline]
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = (usize, &'b [u8])> {
        self.placed(name).map(|(line, value, _)| (line, value))
    }

    /// The values of this name, each between where its line begins and where it begins itself.
    #[inline(always)]
    pub(crate) fn placed<'n>(&self, name: &'n str) -> Placed<'n, 'b> {
        let lines = if self.may_have(&[name]) { self.lines } else { &[] };
        Placed { name, bytes: self.bytes, lines: lines.iter() }
    }

    /// The elements of a list-based field over all its lines, without the empty ones (RFC 9110
    /// section 5.6.1). A comma inside a quoted-string parts nothing.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'b [u8]> {
        self.all(name).flat_map(elements)
    }

    /// Every line: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> + use<'b> {
        let bytes = self.bytes;
        // Names are ASCII, values may not be text: one look at all of it mostly saves one a name. The
        // last value, often the cookies, is not looked at.
        let end = self.lines.last().map_or(0, |line| line.name.1 as usize);
        let text = core::str::from_utf8(&bytes[..end]).ok();
        self.lines.iter().map(move |line| {
            let name = line.name.0 as usize..line.name.1 as usize;
            let name = text.map_or_else(|| ascii(line.name(bytes)), |text| &text[name]);
            (name, line.value(bytes))
        })
    }

    // "Intermediaries MUST parse a received Connection header field before a message is forwarded and,
    // for each connection-option in this field, remove any header or trailer field(s) from the message
    // with the same name as the connection-option"                        (RFC 9110 section 7.6.1)
    /// The lines that a proxy passes on: all but those of this connection alone, which are Connection,
    /// what it names, and the others of RFC 9110 section 7.6.1. Content-Length is still among them; a
    /// proxy that frames the body anew leaves it out.
    ///
    /// ```
    /// use longhand::{Limits, wire::{Fields, Parsed}};
    ///
    /// let bytes = b"Connection: close, X-Mine\r\nX-mine: 1\r\nTE: trailers\r\nAccept: */*\r\n\r\n";
    /// let mut lines = Vec::new();
    /// let Ok(Parsed::Complete { value: fields, .. }) =
    ///     Fields::parse(bytes, &Limits::default(), &mut lines) else { panic!() };
    /// assert_eq!(fields.end_to_end().collect::<Vec<_>>(), [("Accept", &b"*/*"[..])]);
    /// ```
    pub fn end_to_end(&self) -> impl Iterator<Item = (&'b str, &'b [u8])> + use<'b> {
        const HOP_BY_HOP: [&str; 6] =
            ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
        let named: Vec<&[u8]> = self.list("connection").collect();
        self.iter().filter(move |(name, _)| {
            !HOP_BY_HOP.iter().any(|own| own.eq_ignore_ascii_case(name))
                && !named.iter().any(|option| option.eq_ignore_ascii_case(name.as_bytes()))
        })
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// See [`Fields::placed`]. A type of its own, because the chain of adapters that it stands for is not
/// compiled into the look-ups: 190 instructions more a request.
pub(crate) struct Placed<'n, 'b> {
    name: &'n str,
    bytes: &'b [u8],
    lines: core::slice::Iter<'b, FieldLine>,
}

impl<'b> Iterator for Placed<'_, 'b> {
    type Item = (usize, &'b [u8], usize);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        for line in self.lines.by_ref() {
            if line.is_named(self.name, self.bytes) {
                return Some((line.name.0 as usize, line.value(self.bytes), line.value.0 as usize));
            }
        }
        None
    }
}

/// Without the values that let somebody in: what `Debug` shows ends in logs.
impl core::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

/// The value of a field as `Debug` shows it: that of Cookie and the like is left out.
pub(crate) fn shown(name: &str, value: &[u8]) -> String {
    let secret = ["authorization", "cookie", "proxy-authorization", "set-cookie"];
    match secret.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
        true => format!("({} bytes)", value.len()),
        false => value.escape_ascii().to_string(),
    }
}

// ABNF: #element => [ element ] *( OWS "," OWS [ element ] )            (RFC 9110 section 5.6.1.2)
/// The elements of one list value, trimmed, without the empty ones.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    core::iter::from_fn(move || {
        while let Some(value) = rest {
            let end = element_end(value);
            rest = value.get(end + 1..);
            let element = trim_blanks(&value[..end]);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    })
}

/// The index of the comma that ends the first element, or the length. A quote that is never closed
/// runs to the end.
fn element_end(value: &[u8]) -> usize {
    let mut quoted = false;
    let mut i = 0;
    while i < value.len() {
        match value[i] {
            b'"' => quoted = !quoted,
            b'\\' if quoted => i += 1,
            b',' if !quoted => return i,
            _ => {}
        }
        i += 1;
    }
    value.len()
}

// ABNF: quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE           (RFC 9110 section 5.6.4)
/// The text of a quoted-string with its backslashes undone; `None` if `value` is not one whole
/// quoted-string.
///
/// ```
/// use longhand::wire::unquote;
/// assert_eq!(unquote(br#""a\"b""#), Some(b"a\"b".to_vec()));
/// assert_eq!(unquote(b"\"open"), None);
/// ```
#[must_use]
pub fn unquote(value: &[u8]) -> Option<Vec<u8>> {
    let [b'"', inner @ ..] = value else { return None };
    let mut rest = inner;
    let mut text = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [b'"'] => return Some(text),
            [b'\\', octet @ (b'\t' | b' '..=b'~' | 0x80..), after @ ..] => {
                text.push(*octet);
                rest = after;
            }
            [octet, after @ ..] if is_qdtext(*octet) => {
                text.push(*octet);
                rest = after;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_send_is_not_taken_for_a_field_that_the_server_looks_for() {
        let sent = [
            "Host",
            "User-Agent",
            "Accept",
            "Accept-Encoding",
            "Accept-Language",
            "Cookie",
            "Referer",
            "Origin",
            "Cache-Control",
            "Pragma",
            "DNT",
            "Sec-Fetch-Site",
            "Sec-Fetch-Mode",
            "Sec-Fetch-User",
            "Sec-Fetch-Dest",
            "Upgrade-Insecure-Requests",
            "If-None-Match",
            "If-Modified-Since",
            "Authorization",
            "Content-Type",
            "X-Forwarded-For",
            "Priority",
        ];
        let own = ["content-length", "transfer-encoding", "connection", "expect", "upgrade"];
        for name in sent {
            let bit = name_bit(name.as_bytes());
            assert_eq!(bit, name_bit(name.to_ascii_lowercase().as_bytes()));
            assert!(own.iter().all(|own| name_bit(own.as_bytes()) != bit), "{name}");
        }
        assert_eq!(name_bit(b"").count_ones(), 1, "whatever a program looks for");
    }

    #[test]
    fn elements_part_at_commas_outside_quotes_and_leave_out_empty_ones() {
        let list =
            |value: &'static str| -> Vec<&str> { elements(value.as_bytes()).map(ascii).collect() };
        assert_eq!(list("a, b ,,\t,c"), ["a", "b", "c"]);
        assert_eq!(list("\"a,\\\"b\", c"), ["\"a,\\\"b\"", "c"]);
        assert_eq!(list("\"open, c"), ["\"open, c"]);
        assert_eq!(list(" , ,"), [""; 0]);
        assert_eq!(list("\"\\"), ["\"\\"]);
    }

    #[test]
    fn debug_leaves_out_the_values_that_let_somebody_in() {
        for name in ["cookie", "Set-Cookie", "AUTHORIZATION", "proxy-authorization"] {
            assert_eq!(shown(name, b"secret"), "(6 bytes)", "{name}");
        }
        assert_eq!(shown("Cookies", b"a\r"), "a\\r");
    }

    #[test]
    fn unquoting_wants_one_whole_string() {
        assert_eq!(unquote(b"\"\""), Some(vec![]));
        assert_eq!(unquote(b"\"a\"b\""), None);
        assert_eq!(unquote(b"\"a\\"), None);
        assert_eq!(unquote(b"a"), None);
    }
}

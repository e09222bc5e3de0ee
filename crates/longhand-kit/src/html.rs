//! Pages into which text cannot get unescaped by mistake.
//!
//! What enters is markup that stands in the program's own source, and values from anywhere; what
//! leaves is a page in which the values are text. That is the whole defence against script
//! injection, and it fails by being forgotten once. So it is not a function to remember: [`Html`]
//! takes markup only as a `&'static str`, which no request can be, and escapes everything else.
//!
//! ```
//! use longhand_kit::html::Html;
//!
//! let bookmarks = [("rfc", "https://www.rfc-editor.org/?a=1&b=2"), ("<b>", "http://example.com/")];
//! let mut page = Html::new();
//! page.raw("<!doctype html><title>").text(bookmarks.len()).raw(" bookmarks</title><ul>\n");
//! for (name, uri) in bookmarks {
//!     page.raw("<li><a").attribute("href", uri).raw(">").text(name).raw("</a>\n");
//! }
//! page.raw("</ul>\n");
//! assert_eq!(
//!     page.into_string(),
//!     "<!doctype html><title>2 bookmarks</title><ul>\n\
//!      <li><a href=\"https://www.rfc-editor.org/?a=1&amp;b=2\">rfc</a>\n\
//!      <li><a href=\"http://example.com/\">&lt;b&gt;</a>\n\
//!      </ul>\n"
//! );
//! ```
//!
//! # What escaping does not do
//!
//! It makes a value text, in an element or between the quotes of an attribute. It does not make it
//! harmless where text is code: inside of `<script>` and `<style>`, in `on…` and `style`
//! attributes, and in an `href` or `src`, where `javascript:` is a scheme like another. Put no
//! values into the former, and look at the scheme before the latter.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use longhand::{IntoResponse, Reply};

/// A page or a piece of one, under construction: [`raw`](Self::raw) for the program's own markup,
/// [`text`](Self::text) for everything else.
///
/// It is not `Display`, on purpose: a finished piece handed to `text`, which would escape it a
/// second time, does not compile. It is put in with [`piece`](Self::piece).
///
/// ```compile_fail
/// # use longhand_kit::html::Html;
/// let name = String::from("<script>");
/// Html::new().raw(&name); // not 'static: it may have come from anywhere
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html {
    markup: String,
}

impl Html {
    /// An empty page.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds markup as it stands. It is part of the program, and so nobody's input.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.markup.push_str(markup);
        self
    }

    /// Adds a value as text: whatever it contains is shown, and is no markup.
    ///
    /// # Panics
    /// If the value's `Display` fails, which it should not: as `to_string` does.
    ///
    /// ```
    /// # use longhand_kit::html::Html;
    /// let mut page = Html::new();
    /// page.text("1 < 2").text(' ').text(format_args!("{:.1} & more", 2.5));
    /// assert_eq!(page.into_string(), "1 &lt; 2 2.5 &amp; more");
    /// ```
    pub fn text(&mut self, value: impl Display) -> &mut Self {
        write!(Escaping(&mut self.markup), "{value}").expect("a Display that does not fail");
        self
    }

    /// Adds ` name="value"`, with the quotes: an attribute without them ends at the first space of
    /// its value.
    ///
    /// # Panics
    /// As [`text`](Self::text).
    ///
    /// ```
    /// # use longhand_kit::html::Html;
    /// let mut page = Html::new();
    /// page.raw("<input").attribute("value", r#"" onfocus="alert(1)"#).raw(">");
    /// assert_eq!(page.into_string(), r#"<input value="&quot; onfocus=&quot;alert(1)">"#);
    /// ```
    pub fn attribute(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Adds a piece that was built apart, without escaping it again.
    ///
    /// ```
    /// # use longhand_kit::html::Html;
    /// let mut row = Html::new();
    /// row.raw("<li>").text("a & b");
    /// let mut page = Html::new();
    /// page.raw("<ul>").piece(&row).raw("</ul>");
    /// assert_eq!(page.as_str(), "<ul><li>a &amp; b</ul>");
    /// ```
    pub fn piece(&mut self, piece: &Self) -> &mut Self {
        self.markup.push_str(&piece.markup);
        self
    }

    /// What has been built so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.markup
    }

    /// What has been built, to be sent.
    #[must_use]
    pub fn into_string(self) -> String {
        self.markup
    }
}

/// 200 with the page.
impl<'s> IntoResponse<'s> for Html {
    fn into_response(self) -> Reply<'s> {
        Reply::html(self.markup)
    }
}

/// So that `Response::html(page)` takes a page, to be given another status.
///
/// ```
/// # use longhand::{Response, Status};
/// # use longhand_kit::html::Html;
/// let mut page = Html::new();
/// page.raw("<!doctype html><title>Nothing here</title>");
/// let response = Response::html(page).status(Status::NOT_FOUND);
/// assert!(response.body_bytes().unwrap().ends_with(b"</title>"));
/// ```
impl From<Html> for Cow<'_, str> {
    fn from(page: Html) -> Self {
        Self::Owned(page.markup)
    }
}

impl From<Html> for String {
    fn from(page: Html) -> Self {
        page.markup
    }
}

/// Escapes one text, for pages that are put together in another way. It is borrowed where nothing
/// had to change.
///
/// ```
/// use longhand_kit::html::escape;
/// assert_eq!(escape("<a href='x'>\"&\""), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;");
/// assert!(matches!(escape("plain"), std::borrow::Cow::Borrowed("plain")));
/// ```
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().chunks(STEP).any(has_special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    push_escaped(&mut escaped, text);
    Cow::Owned(escaped)
}

/// Takes what a `Display` writes, piece by piece, so that no unescaped copy is ever made.
struct Escaping<'o>(&'o mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_escaped(self.0, text);
        Ok(())
    }
}

/// So many octets are looked at together. Most text has nothing in them to be escaped.
const STEP: usize = 16;

fn push_escaped(out: &mut String, text: &str) {
    let mut copied = 0;
    for (place, step) in text.as_bytes().chunks(STEP).enumerate() {
        if step.len() < STEP || has_special(step) {
            for (i, &octet) in step.iter().enumerate() {
                if let Some(reference) = reference(octet) {
                    let at = place * STEP + i;
                    out.push_str(&text[copied..at]);
                    out.push_str(reference);
                    copied = at + 1;
                }
            }
        }
    }
    out.push_str(&text[copied..]);
}

/// Whether one of these octets has a reference. All of them are asked, without a way out in between:
/// the compiler makes a few vector instructions of that, and prose is escaped twice as fast.
fn has_special(step: &[u8]) -> bool {
    step.iter().fold(false, |found, &octet| found | reference(octet).is_some())
}

/// What stands for a character that could be taken for markup.
///
/// `&` and `<` matter everywhere, the quotes in attributes; `>` only to careless readers. Each is
/// one octet of UTF-8, and no octet of another character is one of them, so looking at octets is
/// enough.
fn reference(octet: u8) -> Option<&'static str> {
    match octet {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        // Not `&apos;`, which HTML 4 did not have.
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser makes of the five references.
    fn unescape(text: &str) -> String {
        // `&amp;` last: it must not make a reference out of what was none.
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
            .iter()
            .fold(text.to_owned(), |text, (reference, char)| text.replace(reference, char))
    }

    #[test]
    fn every_character_survives_and_none_is_markup() {
        let all: String = (0..=0x2FFF).filter_map(char::from_u32).collect();
        let escaped = escape(&all);
        assert!(!escaped.contains(['<', '>', '"', '\'']));
        assert_eq!(unescape(&escaped), all);
        let mut page = Html::new();
        page.text(&all);
        assert_eq!(page.as_str(), escaped);
    }

    #[test]
    fn escaping_knows_nothing_of_what_is_escaped_already() {
        assert_eq!(escape("&amp;"), "&amp;amp;");
        assert_eq!(unescape(&escape("&amp;lt;")), "&amp;lt;");
    }

    #[test]
    fn specials_at_the_edges_and_beside_each_other() {
        for (text, escaped) in [
            ("", ""),
            ("<", "&lt;"),
            ("<<>>", "&lt;&lt;&gt;&gt;"),
            ("é<é", "é&lt;é"),
            ("</title><script>", "&lt;/title&gt;&lt;script&gt;"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn a_display_that_writes_in_pieces_is_escaped_whole() {
        let mut page = Html::new();
        page.text(format_args!("{}{:>4}{:?}", '<', '&', "'"));
        assert_eq!(page.as_str(), "&lt;   &amp;&quot;&#39;&quot;");
    }

    #[test]
    fn a_page_is_a_response() {
        let mut page = Html::new();
        page.raw("<p>").text('&');
        let response = page.into_response();
        assert_eq!(response.body_bytes(), Some(&b"<p>&amp;"[..]));
        let media_type = response.field_value("Content-Type").unwrap();
        assert_eq!(media_type.as_bytes(), b"text/html; charset=utf-8");
    }

    #[test]
    fn pieces_are_not_escaped_again() {
        let mut item = Html::new();
        item.raw("<li>").text("&");
        let mut page = Html::new();
        page.raw("<ul>").piece(&item).piece(&item);
        assert_eq!(String::from(page), "<ul><li>&amp;<li>&amp;");
    }
}

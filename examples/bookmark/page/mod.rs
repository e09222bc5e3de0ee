//! What visitors read: pages, and the lines of text that stand for them where no browser asks.
//!
//! Bookmarks and words that strangers chose enter, HTML or text leaves. Everything becomes text on its
//! way into HTML and goes through [`address`] on its way into a link. The pages work without script, and
//! there is none: [`FIELDS`] would stop it.

use std::sync::LazyLock;

use longhand::wire::percent_encode;
use longhand::{Request, Response};
use longhand_kit::html::Html;
use longhand_kit::mac::sha256;

pub(crate) mod messages;
pub(crate) mod forms;
pub(crate) mod list;
pub(crate) mod details;

/// Fields of every response: no script, no frame, nothing from elsewhere; types are not guessed. With
/// `no-referrer` the page's own form would come without its origin, and be refused.
pub(crate) const FIELDS: [(&str, &str); 3] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
];

/// What a page needs beside its text. Its address has a hash of it, so that browsers may keep it for a
/// year and a new version of this program is seen at once.
struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, media_type: &'static str, bytes: &'static [u8]) -> Self {
        let hash: String = sha256(bytes)[..6].iter().map(|octet| format!("{octet:02x}")).collect();
        Self { name: format!(".static/{stem}-{hash}.{ending}"), media_type, bytes }
    }
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("style.css"))
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("icon.svg")));

/// The style sheet or the icon, if that is the name of one.
pub(crate) fn asset(name: &str) -> Option<Response> {
    let asset = [&*STYLE, &*ICON].into_iter().find(|asset| asset.name == name)?;
    let response = Response::bytes(asset.media_type, asset.bytes);
    Some(response.field("Cache-Control", "public, max-age=31536000, immutable"))
}

/// What a page says of the one who reads it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader {
    /// Whether this server has a password.
    pub(crate) locked: bool,
    pub(crate) signed_in: bool,
}

impl Reader {
    /// Whether the reader may change bookmarks.
    pub(crate) fn may_change(self) -> bool {
        self.signed_in || !self.locked
    }
}

/// The beginning of a page: all that comes before its own content. For a page that is written as it is
/// made; others take [`page`].
pub(crate) fn begin(title: &str, reader: Reader) -> Html {
    let mut page = Html::new();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<title>").text(title).raw("</title>\n<link rel=\"stylesheet\"");
    page.attribute("href", format_args!("/{}", STYLE.name)).raw(">\n<link rel=\"icon\"");
    page.attribute("href", format_args!("/{}", ICON.name)).raw(" type=\"image/svg+xml\">\n");
    page.raw(
        "</head>\n<body>\n<a class=\"skip\" href=\"#content\">Skip to content</a>\n<header>\n",
    );
    page.raw("<nav class=\"site\" aria-label=\"Site\"><a href=\"/\">Bookmarks</a>");
    if reader.may_change() {
        page.raw("<a href=\"/.import\">Import</a>");
    }
    if reader.signed_in {
        page.raw("<form class=\"last\" method=\"post\" action=\"/.logout\">");
        page.raw("<button class=\"plain\" type=\"submit\">Sign out</button></form>");
    } else if reader.locked {
        page.raw("<a class=\"last\" href=\"/.login\">Sign in</a>");
    }
    page.raw("</nav>\n</header>\n<main id=\"content\" tabindex=\"-1\">\n");
    page
}

/// What ends a page that was begun.
pub(crate) const END: &str = "</main>\n</body>\n</html>\n";

/// A whole page.
pub(crate) fn page(title: &str, reader: Reader, content: &Html) -> Html {
    let mut page = begin(title, reader);
    page.piece(content).raw(END);
    page
}

/// A page that says one thing, under a heading.
pub(crate) fn message(reader: Reader, heading: &'static str, text: &str) -> Html {
    let mut content = Html::new();
    content.raw("<h1>").raw(heading).raw("</h1>\n<p class=\"alert\" role=\"alert\">").text(text);
    content.raw("</p>\n<p><a href=\"/\">All bookmarks</a></p>\n");
    page(heading, reader, &content)
}

/// One line of plain text: control characters in what strangers sent could steer a terminal, and those that
/// turn the direction of writing could show it as something else.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let visible = |c: char| match c.is_control() || turns(c) {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    text.chars().map(visible).chain(['\n']).collect()
}

/// A name as the path of a link, without the first slash.
///
/// Slashes inside stay readable, unless a browser would change them: `//host` would lead to another
/// host, and `a/../b` to `b`.
pub(crate) fn address(name: &str) -> String {
    if name.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return percent_encode(name.as_bytes());
    }
    percent_encode(name.as_bytes()).replace("%2F", "/")
}

/// Who reads a page that answers this request, as far as the guard has found it out.
pub(crate) fn reader(request: &Request<'_>) -> Reader {
    request.get::<Reader>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::asset as asset_of;
    use super::*;

    #[test]
    fn links_lead_to_their_name_and_nowhere_else() {
        for (name, link) in [
            ("a", "a"),
            ("a/b c", "a/b%20c"),
            ("a?b#c%", "a%3Fb%23c%25"),
            ("käse", "k%C3%A4se"),
            ("/evil.example", "%2Fevil.example"),
            ("a//b", "a%2F%2Fb"),
            ("a/../b", "a%2F..%2Fb"),
            ("a/.", "a%2F."),
            ("a/", "a%2F"),
            ("a\\b", "a%5Cb"),
            ("javascript:x", "javascript%3Ax"),
        ] {
            assert_eq!(address(name), link);
        }
    }

    #[test]
    fn a_line_of_text_steers_no_terminal() {
        assert_eq!(
            plain("käse\x1b[2J\n\u{202e}gpj\u{2069}"),
            "käse\u{fffd}[2J\u{fffd}\u{fffd}gpj\u{fffd}\n"
        );
    }

    #[test]
    fn the_policy_is_one_line() {
        for (name, value) in FIELDS {
            assert!(!value.contains(['\n', '\r']) && !value.contains("  "), "{name}: {value}");
        }
    }

    #[test]
    fn what_a_page_needs_is_served_at_an_address_that_names_its_content() {
        for asset in [&*STYLE, &*ICON] {
            let response = asset_of(&asset.name).unwrap();
            let kept = response.field_value("Cache-Control").unwrap().as_bytes();
            assert_eq!(kept, b"public, max-age=31536000, immutable");
            assert!(page("x", Reader::default(), &Html::new()).as_str().contains(&asset.name));
        }
        assert!(asset_of(".static/style-000000000000.css").is_none());
        let style = str::from_utf8(STYLE.bytes).unwrap();
        assert!(style.contains("color-scheme: light dark"));
        assert!(!style.contains("url(") && !style.contains("@import"));
    }

    #[test]
    fn a_page_offers_what_its_reader_may_do() {
        let text =
            |locked, signed_in| page("x", Reader { locked, signed_in }, &Html::new()).into_string();
        for (locked, signed_in, import, sign_in, sign_out) in [
            (false, false, true, false, false),
            (true, false, false, true, false),
            (true, true, true, false, true),
        ] {
            let text = text(locked, signed_in);
            assert_eq!(text.contains("/.import"), import);
            assert_eq!(text.contains("/.login"), sign_in);
            assert_eq!(text.contains("/.logout"), sign_out);
        }
    }
}

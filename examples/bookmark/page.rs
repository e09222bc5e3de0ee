//! What visitors read: the page at `/`, its style sheet, and the plain texts of refusals.
//!
//! Bookmarks and words that strangers chose enter, HTML or text leaves. Everything becomes
//! text on its way into HTML and goes through [`encode`] on its way into a link. The page works
//! without script, and there is none: [`FIELDS`] would stop it.
//!
//! The page keeps what the course's exercise and its test look for: the title, the form without an
//! `action`, the fields `longuri` and `shortname`, and `name : uri` in order of the names.

use std::fmt::Display;

use longhand::wire::percent_encode;
use longhand_kit::cross_origin::CrossOrigin;
use longhand_kit::html::Html;

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

/// Some bookmarks: name and URI, and how many there are besides.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) bookmarks: Vec<(String, String)>,
    pub(crate) more: usize,
}

/// The name under which [`STYLE`] is served: those that begin with `.` are the program's own.
pub(crate) const STYLE_NAME: &[u8] = b".static/style.css";

/// One column that fits 320 px, in the light or dark colours that the visitor's system asks for:
/// its own, and greys that let them through.
pub(crate) const STYLE: &str = "\
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { margin: .5rem 0 1rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
form { padding: 1rem; border: 1px solid #8886; border-radius: .5rem; background: #88888814; }
label { display: block; font-weight: 600; }
input, button { box-sizing: border-box; border-radius: .35rem; font: inherit; padding: .5rem .7rem; }
input { width: 100%; margin-top: .25rem; border: 1px solid #888; }
input::placeholder { color: inherit; opacity: .6; }
button { border: 0; padding-inline: 1.5rem; background: #1d5fc4; color: #fff; font-weight: 600; cursor: pointer; }
button:hover { background: #174b9c; }
.hint { margin: .25rem 0 1rem; font-size: .9rem; opacity: .75; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: .45rem 0; border-top: 1px solid #8886; }
li a { font-weight: 600; }
";

/// The page up to its list.
const FORM: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bookmark Server</title>
<link rel="stylesheet" href="/.static/style.css">
</head>
<body>
<main>
<h1>Bookmark Server</h1>
<form method="POST">
<label for="longuri">Long URI</label>
<input type="text" id="longuri" name="longuri" required maxlength="2048" inputmode="url" autocomplete="url" autocapitalize="none" spellcheck="false" placeholder="https://…" aria-describedby="longuri-hint">
<p class="hint" id="longuri-hint">It is saved if it answers within 5 seconds.</p>
<label for="shortname">Short name</label>
<input type="text" id="shortname" name="shortname" required maxlength="100" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="shortname-hint">
<p class="hint" id="shortname-hint">A name that is taken will lead to the new URI.</p>
<button type="submit">Save it!</button>
</form>
<h2>URIs I know about</h2>
"#;

/// Bytes of names and URIs on the page: some thousand bookmarks as people make them. Each client that
/// does not read has a page of its own in memory, of two to nine times as much.
pub(crate) const ROOM: usize = 64 << 10;

/// The page at `/`, with bookmarks in the order in which they are shown.
pub(crate) fn index(listed: &Listed) -> String {
    let Listed { bookmarks, more } = listed;
    let mut page = Html::new();
    page.raw(FORM);
    if bookmarks.is_empty() {
        page.raw("<p>None yet.</p>\n");
    } else {
        // Safari drops the list semantics of a list without bullets; the role brings them back.
        page.raw("<ul role=\"list\">\n");
        for (name, uri) in bookmarks {
            // Names may be right-to-left text: each stays in its own place.
            page.raw("<li><a").attribute("href", format_args!("/{}", encode(name)));
            page.raw("><bdi>").text(name).raw("</bdi></a> : ").text(uri).raw("</li>\n");
        }
        page.raw("</ul>\n");
    }
    if *more > 0 {
        page.raw("<p>And ").text(more).raw(" more, each at its short name.</p>\n");
    }
    page.raw("</main>\n</body>\n</html>\n");
    page.into_string()
}

/// 400: a field of the form is absent or empty.
pub(crate) fn missing(field: &str) -> String {
    format!(
        "The form field `{field}` is missing or empty. Both `longuri` and `shortname` are needed.\n"
    )
}

/// 400: the body is not what a form sends.
pub(crate) fn not_a_form(bad: &impl Display) -> String {
    plain(&format!("Not saved. The body is not a form: {bad}."))
}

/// 400: a name that is against the rules.
pub(crate) fn bad_name(refused: &impl Display) -> String {
    plain(&format!("Not saved. {refused}."))
}

/// 404: a URI that is against the rules.
pub(crate) fn bad_uri(uri: &str, refused: &impl Display) -> String {
    let start: String = uri.chars().take(2048).collect();
    plain(&format!("Not saved: \"{start}\" cannot be fetched. {refused}."))
}

/// 403: the guard's reason.
pub(crate) fn forbidden(reason: &CrossOrigin) -> String {
    let hint = match reason {
        CrossOrigin::OtherHost { .. } => " (behind a proxy, set BASE_URL)",
        _ => "",
    };
    format!("Not saved: {reason}{hint}.\n")
}

/// 404: nothing is saved under this name. It arrives decoded.
pub(crate) fn unknown(name: &str) -> String {
    plain(&format!("I don't know the name \"{name}\". Names are case-sensitive; / lists them."))
}

/// 404: the URI did not answer. Why is not said: see `check.rs`.
pub(crate) fn unanswered(uri: &str) -> String {
    plain(&format!(
        "Not saved: {uri} did not answer with status 200 within 5 seconds, or is not public."
    ))
}

/// 405, beside an `Allow` field with the same list.
pub(crate) fn not_allowed(method: &str, allowed: &str) -> String {
    plain(&format!("The method {method} is not for this address. Allowed: {allowed}."))
}

/// 500: the store failed, for a reason that is in the log.
pub(crate) const NOT_STORED: &str =
    "Not saved: writing failed. Whoever runs this server finds why in its log.\n";

/// 500: the store could not be read, for a reason that is in the log.
pub(crate) const NOT_READ: &str =
    "The bookmarks cannot be read. Whoever runs this server finds why in its log.\n";

/// 503, beside a `Retry-After` field.
pub(crate) const BUSY: &str =
    "Not saved: too many URIs are being checked at this moment. Please try again shortly.\n";

/// One line of plain text: control characters in what strangers sent could steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(visible).chain(['\n']).collect()
}

/// A name as the path of a link, without the first slash.
///
/// Slashes inside stay readable, unless a browser would change them: `//host` would lead to another
/// host, and `a/../b` to `b`.
fn encode(name: &str) -> String {
    if name.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return percent_encode(name.as_bytes());
    }
    percent_encode(name.as_bytes()).replace("%2F", "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Name, Uri};
    use longhand_kit::form::Form;

    fn page(bookmarks: &[(&str, &str)]) -> String {
        let owned = |&(name, uri): &(&str, &str)| (name.to_owned(), uri.to_owned());
        index(&Listed { bookmarks: bookmarks.iter().map(owned).collect(), more: 0 })
    }

    /// What is left of a page without its tags.
    fn text(html: &str) -> String {
        html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect()
    }

    #[test]
    fn the_page_has_what_the_course_looks_for() {
        let page = page(&[("a", "http://a/"), ("b", "http://b/")]);
        for wanted in [
            "<title>Bookmark Server</title>",
            "<form method=\"POST\">",
            "type=\"text\" id=\"longuri\" name=\"longuri\"",
            "type=\"text\" id=\"shortname\" name=\"shortname\"",
            "<label for=\"longuri\">",
            "<label for=\"shortname\">",
            "<button type=\"submit\">",
            "href=\"/.static/style.css\"",
        ] {
            assert!(page.contains(wanted), "{wanted}");
        }
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("action"));
        assert!(text(&page).contains("a : http://a/\nb : http://b/\n"), "{}", text(&page));
    }

    #[test]
    fn nothing_that_strangers_chose_becomes_markup() {
        let evil = "\"'><script>alert(1)</script>&amp;";
        let page = page(&[(evil, "http://a/?\"><img src=x onerror=alert(1)>&'")]);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
        assert!(page.contains("href=\"/%22%27%3E%3Cscript%3Ealert%281%29%3C/script%3E%26amp%3B\""));
    }

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
            assert_eq!(encode(name), link);
        }
    }

    #[test]
    fn refusals_name_what_they_are_about_and_stay_one_line() {
        assert!(unknown("käse").contains("\"käse\""));
        assert!(unanswered("http://a/").contains("http://a/"));
        let colour = unknown("\u{1b}[31m\r\nSet-Cookie: a=b\u{9b}");
        assert!(!colour.trim_end_matches('\n').contains(char::is_control), "{colour:?}");
        let refused = Uri::parse("ftp://a/").unwrap_err();
        assert_eq!(
            bad_uri("ftp://a/", &refused),
            "Not saved: \"ftp://a/\" cannot be fetched. \
             URI: wanted the scheme http or https, found `ftp`.\n"
        );
        let refused = Name::parse(".a").unwrap_err();
        let others = [
            missing("longuri"),
            forbidden(&CrossOrigin::OtherHost {
                origin: "http://a".parse().unwrap(),
                host: "b".to_owned(),
            }),
            not_allowed("PUT", "GET"),
            bad_name(&refused),
            not_a_form(&Form::parse("a=%").unwrap_err()),
        ];
        for text in others.iter().map(String::as_str).chain([NOT_STORED, NOT_READ, BUSY]) {
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            assert!(text.ends_with('\n'), "{text}");
        }
    }

    #[test]
    fn the_policy_is_one_line() {
        for (name, value) in FIELDS {
            assert!(!value.contains(['\n', '\r']) && !value.contains("  "), "{name}: {value}");
        }
    }

    #[test]
    fn the_style_sheet_follows_the_system() {
        assert!(STYLE.contains("color-scheme: light dark"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}

//! What visitors read: the page at `/`, its style sheet, and the plain texts of refusals.
//!
//! Bookmarks and words that strangers chose enter, HTML or text leaves. Everything goes through
//! [`escape`] on its way into HTML and through [`encode`] on its way into a link. The page works
//! without script, and there is none: the policy in `guard.rs` would stop it.
//!
//! The page keeps what the course's exercise and its test look for: the title, the form without an
//! `action`, the fields `longuri` and `shortname`, and `name : uri` in order of the names.

use std::fmt::Write;

/// Where [`STYLE`] is served: names that begin with `.` are the program's own.
pub(crate) const STYLE_PATH: &str = "/.static/style.css";

/// One column that fits 320 px, in the light or dark colours that the visitor's system asks for.
pub(crate) const STYLE: &str = "\
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.2rem; }
label { display: block; margin-top: .75rem; font-weight: 600; }
input, button { box-sizing: border-box; font: inherit; padding: .5rem; }
input { width: 100%; }
button { margin-top: 1rem; padding-inline: 1.5rem; }
.hint { margin: .25rem 0 0; font-size: .9rem; }
ul { padding-left: 0; list-style: none; }
li { padding: .35rem 0; border-top: 1px solid GrayText; }
";

/// The page at `/`. `bookmarks` are name and URI, in the order in which they are shown.
pub(crate) fn index(bookmarks: &[(String, String)]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Bookmark Server</title>\n\
         <link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n\
         </head>\n\
         <body>\n\
         <main>\n\
         <h1>Bookmark Server</h1>\n\
         <form method=\"POST\">\n\
         <label for=\"longuri\">Long URI</label>\n\
         <input type=\"text\" id=\"longuri\" name=\"longuri\" required maxlength=\"2048\" \
         inputmode=\"url\" autocomplete=\"url\" autocapitalize=\"none\" spellcheck=\"false\" \
         placeholder=\"https://…\" aria-describedby=\"longuri-hint\">\n\
         <p class=\"hint\" id=\"longuri-hint\">It is saved if it answers within 5 seconds.</p>\n\
         <label for=\"shortname\">Short name</label>\n\
         <input type=\"text\" id=\"shortname\" name=\"shortname\" required maxlength=\"100\" \
         autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" \
         aria-describedby=\"shortname-hint\">\n\
         <p class=\"hint\" id=\"shortname-hint\">A name that is taken will lead to the new \
         URI.</p>\n\
         <button type=\"submit\">Save it!</button>\n\
         </form>\n\
         <h2>URIs I know about</h2>\n"
    );
    if bookmarks.is_empty() {
        page.push_str("<p>None yet.</p>\n");
    } else {
        // Safari drops the list semantics of a list without bullets; the role brings them back.
        page.push_str("<ul role=\"list\">\n");
        for (name, uri) in bookmarks {
            let (link, name, uri) = (encode(name), escape(name), escape(uri));
            // Names may be right-to-left text: each stays in its own place.
            let _ = writeln!(page, "<li><a href=\"/{link}\"><bdi>{name}</bdi></a> : {uri}</li>");
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// 400: a field of the form is absent or empty.
pub(crate) fn missing(field: &str) -> String {
    format!(
        "The form field `{field}` is missing or empty. Both `longuri` and `shortname` are needed.\n"
    )
}

/// 400: the body is not what a form sends.
pub(crate) const NOT_A_FORM: &str =
    "The body is not a form: wanted application/x-www-form-urlencoded in UTF-8.\n";

/// 400 for a name and 404 for a URI that is against the rules: to the course's test, a URI that
/// cannot exist is one that does not answer.
pub(crate) fn refused(refusal: &crate::rules::Refused) -> String {
    plain(&format!("Not saved. {refusal}."))
}

/// 403: the guard's reason.
pub(crate) fn forbidden(reason: &str) -> String {
    format!("Not saved: {reason}.\n")
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
fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(visible).chain(['\n']).collect()
}

/// Text as HTML text or as a quoted attribute value.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
    html
}

/// A name as the path of a link, without the first slash.
///
/// Slashes inside stay readable, unless a browser would change them: `//host` would lead to another
/// host, and `a/../b` to `b`.
fn encode(name: &str) -> String {
    let keeps_slash = !name.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    let mut path = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet {
            b'/' if keeps_slash => path.push('/'),
            b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                path.push(char::from(octet));
            }
            _ => {
                let _ = write!(path, "%{octet:02X}");
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bookmarks: &[(&str, &str)]) -> String {
        let owned = |&(name, uri): &(&str, &str)| (name.to_owned(), uri.to_owned());
        index(&bookmarks.iter().map(owned).collect::<Vec<_>>())
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
        let refusal = crate::rules::Uri::parse("ftp://a/").unwrap_err();
        assert_eq!(
            refused(&refusal),
            "Not saved. URI: wanted the scheme http or https, found `ftp`.\n"
        );
        let others =
            [missing("longuri"), forbidden("no"), not_allowed("PUT", "GET"), refused(&refusal)];
        for text in
            others.iter().map(String::as_str).chain([NOT_A_FORM, NOT_STORED, NOT_READ, BUSY])
        {
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            assert!(text.ends_with('\n'), "{text}");
        }
    }

    #[test]
    fn the_style_sheet_follows_the_system() {
        assert!(STYLE.contains("color-scheme: light dark"));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}

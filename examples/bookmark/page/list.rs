//! The page at `/`: the form, and the list of what was saved.
//!
//! It keeps what the course's exercise and its test look for: the title, the form without an `action`,
//! the fields `longuri` and `shortname`, and `name : uri` for each bookmark.

use longhand_kit::html::Html;

use super::forms::{Entered, add};
use super::{Reader, address, page};
use crate::json::Object;
use crate::select::{Found, Selection, Sort};
use crate::store::Kept;
use crate::time;

/// The page.
pub(crate) fn list(
    reader: Reader,
    entered: &Entered,
    selection: &Selection,
    found: &Found,
) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Bookmark Server</h1>\n");
    if reader.may_change() {
        content.piece(&add(entered, None));
    }
    content.raw("<h2 id=\"known\">URIs I know about</h2>\n");
    if found.total == 0 && selection.query.is_empty() {
        let hint = if reader.may_change() { " The form above saves the first one." } else { "" };
        content.raw("<p>None yet.").raw(hint).raw("</p>\n");
    } else {
        search(&mut content, selection);
        tools(&mut content, selection, found);
        bookmarks(&mut content, reader, found);
        pages(&mut content, selection, found);
        content.raw("<p class=\"export\">Take all of them along: ");
        content.raw("<a href=\"/.export\">JSON, one a line</a> or ");
        content.raw("<a href=\"/.export?format=html\">HTML, for browsers</a></p>\n");
    }
    page("Bookmark Server", reader, &content)
}

fn search(content: &mut Html, selection: &Selection) {
    content.raw("<form class=\"seek\" role=\"search\" method=\"get\" action=\"/\">\n<div>");
    content.raw("<label for=\"q\">Search</label><input type=\"search\" id=\"q\" name=\"q\"");
    content.raw(" maxlength=\"200\" autocapitalize=\"none\" spellcheck=\"false\"");
    content.attribute("value", &selection.query).raw("></div>\n");
    if selection.sort != Sort::Name {
        content.raw("<input type=\"hidden\" name=\"sort\"");
        content.attribute("value", selection.sort.as_str()).raw(">\n");
    }
    content.raw("<button type=\"submit\">Search</button>\n</form>\n");
}

fn tools(content: &mut Html, selection: &Selection, found: &Found) {
    content.raw("<div class=\"tools\">\n<span role=\"status\">").text(found.total);
    content.raw(if found.total == 1 { " bookmark" } else { " bookmarks" });
    if !selection.query.is_empty() {
        content
            .raw(" with “<bdi>")
            .text(&selection.query)
            .raw("</bdi>” · <a href=\"/\">show all</a>");
    }
    content.raw("</span>\n<nav aria-label=\"Order\"><ul role=\"list\">");
    for (sort, _, label) in Sort::ALL {
        content.raw("<li><a").attribute("href", selection.link(sort, 1));
        if sort == selection.sort {
            content.raw(" aria-current=\"true\"");
        }
        content.raw(">").raw(label).raw("</a></li>");
    }
    content.raw("</ul></nav>\n</div>\n");
}

fn bookmarks(content: &mut Html, reader: Reader, found: &Found) {
    if found.bookmarks.is_empty() {
        content.raw("<p>Nothing found. A bookmark is found by any part of its name or URI.</p>\n");
        return;
    }
    // Safari drops the list semantics of a list without bullets; the role brings them back.
    content.raw("<ul class=\"list\" role=\"list\" aria-labelledby=\"known\">\n");
    for (name, kept) in &found.bookmarks {
        let link = address(name);
        // Names may be right-to-left text: each stays in its own place.
        content.raw("<li><p class=\"pair\"><a").attribute("href", format_args!("/{link}"));
        content.raw("><bdi>").text(name).raw("</bdi></a> : <span class=\"uri\">");
        content.text(&kept.uri).raw("</span></p>\n");
        content.raw("<p class=\"meta\"><span>").text(visited(kept.visits)).raw("</span>");
        action(content, "/.details/", &link, "Details", name);
        if reader.may_change() {
            action(content, "/.edit/", &link, "Edit", name);
        }
        content.raw("</p></li>\n");
    }
    content.raw("</ul>\n");
}

/// A link whose name says of which bookmark it is to whoever does not see where it stands.
fn action(content: &mut Html, to: &'static str, link: &str, label: &'static str, name: &str) {
    content.raw("<a").attribute("href", format_args!("{to}{link}")).raw(">").raw(label);
    content.raw("<span class=\"hidden\"> of ").text(name).raw("</span></a>");
}

fn pages(content: &mut Html, selection: &Selection, found: &Found) {
    if found.pages == 1 {
        return;
    }
    let step = |content: &mut Html, page: usize, rel: &'static str, label: &'static str| {
        content.raw("<li>");
        if (1..=found.pages).contains(&page) {
            content.raw("<a").attribute("href", selection.link(selection.sort, page));
            content.attribute("rel", rel).raw(">").raw(label).raw("</a>");
        }
        content.raw("</li>");
    };
    content.raw("<nav class=\"pages\" aria-label=\"Pages\"><ul role=\"list\">");
    step(content, found.page - 1, "prev", "← Previous");
    content.raw("<li>Page ").text(found.page).raw(" of ").text(found.pages).raw("</li>");
    step(content, found.page + 1, "next", "Next →");
    content.raw("</ul></nav>\n");
}

/// A number of visits, in words.
pub(crate) fn visited(count: u64) -> String {
    match count {
        0 => "not visited yet".to_owned(),
        1 => "1 visit".to_owned(),
        count => format!("{count} visits"),
    }
}

/// The list as JSON.
pub(crate) fn list_json(found: &Found) -> String {
    let bookmarks: Vec<_> = found.bookmarks.iter().map(|(name, kept)| json(name, kept)).collect();
    let object = Object::new().raw("bookmarks", format_args!("[{}]", bookmarks.join(",")));
    let object = object.raw("total", found.total).raw("page", found.page);
    object.raw("pages", found.pages).end() + "\n"
}

/// A bookmark as JSON: as the list, its details and an export have it.
pub(crate) fn json(name: &str, kept: &Kept) -> String {
    let last = kept.last.map_or("null".to_owned(), |last| format!("\"{}\"", time::text(last)));
    let object = Object::new().text("name", name).text("uri", &kept.uri);
    let object = object.text("created", &time::text(kept.created));
    object.raw("visits", kept.visits).raw("last", last).end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn found(bookmarks: &[(&str, &str)]) -> Found {
        let kept = |uri: &str| Kept { uri: uri.to_owned(), created: 0, visits: 1, last: Some(2) };
        let bookmarks: Vec<_> =
            bookmarks.iter().map(|(name, uri)| ((*name).to_owned(), kept(uri))).collect();
        Found { total: bookmarks.len(), bookmarks, page: 1, pages: 1 }
    }

    fn select(query: &str) -> Selection {
        Selection { query: query.to_owned(), sort: Sort::Name, page: 1 }
    }

    fn index(bookmarks: &[(&str, &str)]) -> String {
        list(Reader::default(), &Entered::default(), &select(""), &found(bookmarks)).into_string()
    }

    /// What is left of a page without its tags.
    fn text(html: &str) -> String {
        html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect()
    }

    #[test]
    fn the_page_has_what_the_course_looks_for() {
        let page = index(&[("a", "http://a/"), ("b", "http://b/")]);
        for wanted in [
            "<title>Bookmark Server</title>",
            "<form method=\"POST\"",
            "type=\"text\" id=\"longuri\" name=\"longuri\"",
            "type=\"text\" id=\"shortname\" name=\"shortname\"",
            "<label for=\"longuri\">",
            "<label for=\"shortname\">",
            "<button type=\"submit\">",
        ] {
            assert!(page.contains(wanted), "{wanted}");
        }
        assert!(!page.contains("<script") && !page.contains("style=\""));
        let text = text(&page);
        assert!(text.contains("a : http://a/\n") && text.contains("b : http://b/\n"), "{text}");
    }

    #[test]
    fn nothing_that_strangers_chose_becomes_markup() {
        let evil = "\"'><script>alert(1)</script>&amp;";
        let bookmarks = found(&[(evil, "http://a/?\"><img src=x onerror=alert(1)>&'")]);
        let page =
            list(Reader::default(), &Entered::default(), &select(evil), &bookmarks).into_string();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
        assert!(page.contains("href=\"/%22%27%3E%3Cscript%3Ealert%281%29%3C/script%3E%26amp%3B\""));
    }

    #[test]
    fn who_may_not_change_sees_no_form() {
        let reader = Reader { locked: true, signed_in: false };
        let page = list(reader, &Entered::default(), &select(""), &found(&[("a", "http://a/")]))
            .into_string();
        assert!(!page.contains("longuri") && !page.contains("/.edit/"), "{page}");
        assert!(page.contains("/.details/a"));
    }

    #[test]
    fn json_says_what_the_page_says() {
        let list = list_json(&found(&[("a\"b", "http://a/")]));
        let json = Json::parse(&list).unwrap();
        let Some(Json::List(bookmarks)) = json.get("bookmarks") else { panic!("{list}") };
        assert_eq!(bookmarks[0].get("name").unwrap().as_text(), Some("a\"b"));
        assert_eq!(bookmarks[0].get("last").unwrap().as_text(), Some("1970-01-01T00:00:02Z"));
        assert_eq!(json.get("total").unwrap().as_count(), Some(1));
    }
}

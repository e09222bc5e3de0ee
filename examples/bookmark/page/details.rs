//! The page about one bookmark: where it leads, since when, and how often it was followed.

use longhand_kit::html::Html;

use super::list::visited;
use super::{Reader, address, page};
use crate::store::Kept;
use crate::time;

/// The page at `name+`.
pub(crate) fn details(reader: Reader, name: &str, kept: &Kept) -> Html {
    let mut content = Html::new();
    content.raw("<h1><bdi>").text(name).raw("</bdi></h1>\n<dl class=\"facts card\">\n");
    content.raw("<dt>Leads to</dt><dd><a").attribute("href", &kept.uri).raw(">").text(&kept.uri);
    content
        .raw("</a></dd>\n<dt>Short</dt><dd><a")
        .attribute("href", format_args!("/{}", address(name)));
    content.raw(">/").text(address(name)).raw("</a></dd>\n<dt>Created</dt><dd>");
    moment(&mut content, Some(kept.created));
    content.raw("</dd>\n<dt>Visits</dt><dd>").text(visited(kept.visits));
    content.raw("</dd>\n<dt>Last visit</dt><dd>");
    moment(&mut content, kept.last);
    content.raw("</dd>\n</dl>\n<p class=\"actions\">");
    if reader.may_change() {
        content
            .raw("<a")
            .attribute("href", format_args!("/.edit/{}", address(name)))
            .raw(">Edit</a> ");
        content.raw("<a").attribute("href", format_args!("/.delete/{}", address(name)));
        content.raw(">Delete…</a> ");
    }
    content.raw("<a href=\"/\">All bookmarks</a></p>\n");
    page(&format!("{name} – Bookmark Server"), reader, &content)
}

/// A time, for people and for programs.
fn moment(content: &mut Html, second: Option<u64>) {
    let Some(second) = second else {
        content.raw("never");
        return;
    };
    let text = time::text(second);
    let (day, hour) = text.split_at(10);
    content.raw("<time").attribute("datetime", &text).raw(">").text(day).raw(" ");
    content.text(&hour[1..6]).raw(" UTC</time>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_said() {
        let kept = Kept { uri: "http://a/?<".into(), created: 0, visits: 2, last: Some(90_061) };
        let page = details(Reader::default(), "<n>", &kept).into_string();
        for wanted in [
            "<bdi>&lt;n&gt;</bdi>",
            "href=\"http://a/?&lt;\"",
            "<time datetime=\"1970-01-01T00:00:00Z\">1970-01-01 00:00 UTC</time>",
            "2 visits",
            "<time datetime=\"1970-01-02T01:01:01Z\">1970-01-02 01:01 UTC</time>",
            "/.edit/%3Cn%3E",
        ] {
            assert!(page.contains(wanted), "{wanted} in {page}");
        }
        let reader = Reader { locked: true, signed_in: false };
        let never = Kept { last: None, ..kept };
        let page = details(reader, "n", &never).into_string();
        assert!(page.contains("never") && !page.contains("/.edit/"));
    }
}

//! Bookmarks as browsers exchange them: the HTML that Netscape once wrote, and all others since.
//!
//! There is no standard, so what is read is what they have in common: an `A` element for each bookmark,
//! with its URI in `HREF` and times as seconds since 1970 in `ADD_DATE` and `LAST_VISIT`. Folders,
//! descriptions, icons and tags are passed over. `SHORTCUTURL` is Firefox's name for a keyword, which is
//! what a short name is; `VISITS` is this program's own. Elements need not be closed, and an attribute's
//! quotes may be missing: it is old HTML.

use longhand_kit::html::Html;

use super::{Item, Skipped, Wish};
use crate::store::Kept;

/// The beginning of a file, and its end.
pub(crate) const BEGIN: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n\
    <META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=UTF-8\">\n\
    <TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n";
pub(crate) const END: &str = "</DL><p>\n";

/// A bookmark as a line.
pub(crate) fn line(name: &str, kept: &Kept) -> String {
    let mut line = Html::new();
    line.raw("    <DT><A").attribute("HREF", &kept.uri).attribute("ADD_DATE", kept.created);
    if let Some(last) = kept.last {
        line.attribute("LAST_VISIT", last);
    }
    if kept.visits > 0 {
        line.attribute("VISITS", kept.visits);
    }
    line.attribute("SHORTCUTURL", name).raw(">").text(name).raw("</A>\n");
    line.into_string()
}

/// The bookmarks of a file, as many as `most`.
pub(super) fn read(text: &str, most: usize) -> Vec<Result<Item, Skipped>> {
    let mut items = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(begin) = rest.find('<').filter(|_| items.len() < most) {
        line += rest[..begin].matches('\n').count();
        rest = &rest[begin..];
        let length = if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |end| end + 3)
        } else {
            let (tag, length) = Tag::read(rest);
            if tag.name.eq_ignore_ascii_case("a") {
                let title = &rest[length..];
                let title = &title[..title.find('<').unwrap_or(title.len())];
                items.push(item(line, &tag, &decode(title)));
            }
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    items
}

fn item(line: usize, tag: &Tag<'_>, title: &str) -> Result<Item, Skipped> {
    let uri = tag.attribute("href").unwrap_or_default().trim().to_owned();
    let number = |name| tag.attribute(name)?.trim().parse::<u64>().ok();
    // Some write thousandths or millionths of a second.
    let second = |name| {
        let number = number(name).filter(|number| *number > 0)?;
        let is_second = |number: &u64| *number < 100_000_000_000;
        [number, number / 1_000, number / 1_000_000].into_iter().find(is_second)
    };
    let keyword = tag.attribute("shortcuturl").filter(|keyword| !keyword.is_empty());
    let name = match keyword {
        Some(keyword) => Wish::Exactly(keyword),
        None if title.trim().is_empty() => Wish::Like(host(&uri).to_owned()),
        None => Wish::Like(title.to_owned()),
    };
    let visits = number("visits").unwrap_or(0);
    let (created, last) = (second("add_date"), second("last_visit"));
    let item = Item { line, name, uri, created, visits, last };
    if item.uri.is_empty() {
        return Err(Skipped::of(&item, "it has no HREF"));
    }
    Ok(item)
}

/// The host of a URI, for want of a better name.
fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// A tag: its name, and its attributes as they stand there.
struct Tag<'t> {
    name: &'t str,
    attributes: Vec<(&'t str, &'t str)>,
}

impl<'t> Tag<'t> {
    /// Reads the tag at the front of a text that begins with `<`, and gives its length. One that is never
    /// closed goes to the end.
    fn read(text: &'t str) -> (Self, usize) {
        let mut at = 1;
        let take = |at: &mut usize, stops: fn(char) -> bool| {
            let rest = &text[*at..];
            let length = rest.find(stops).unwrap_or(rest.len());
            *at += length;
            &rest[..length]
        };
        let name = take(&mut at, |c| c.is_whitespace() || c == '>');
        let mut attributes = Vec::new();
        loop {
            take(&mut at, |c| !c.is_whitespace() && c != '/');
            match text[at..].chars().next() {
                None => return (Self { name, attributes }, at),
                Some('>') => return (Self { name, attributes }, at + 1),
                Some(_) => {}
            }
            // One octet at least, so that every turn of the loop goes on.
            let begin = at;
            take(&mut at, |c| c.is_whitespace() || matches!(c, '=' | '>' | '/'));
            let attribute = &text[begin..at];
            let before = at;
            take(&mut at, |c| !c.is_whitespace());
            if !text[at..].starts_with('=') {
                at = before;
                attributes.push((attribute, ""));
                continue;
            }
            at += 1;
            take(&mut at, |c| !c.is_whitespace());
            let value = match text[at..].chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    at += 1;
                    let value =
                        take(&mut at, if quote == '"' { |c| c == '"' } else { |c| c == '\'' });
                    at = (at + 1).min(text.len());
                    value
                }
                _ => take(&mut at, |c| c.is_whitespace() || c == '>'),
            };
            attributes.push((attribute, value));
        }
    }

    /// The value of an attribute, decoded.
    fn attribute(&self, name: &str) -> Option<String> {
        let mut found =
            self.attributes.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| decode(value))
    }
}

/// Undoes character references: those that an escaper writes, and numbers. Others stay as they are.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        // The longest number of a character has ten.
        let end = rest.bytes().take(12).position(|octet| octet == b';');
        match end.and_then(|end| Some((character(&rest[1..end])?, end))) {
            Some((character, end)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(reference: &str) -> Option<char> {
    let number = match reference {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        "nbsp" => return Some('\u{a0}'),
        _ => reference.strip_prefix('#')?,
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let kept =
            Kept { uri: "http://a/?<\"&amp;'>".into(), created: 5, visits: 7, last: Some(9) };
        let never = Kept { visits: 0, last: None, ..kept.clone() };
        let text = format!("{BEGIN}{}{}{END}", line("</A>\"&#65;", &kept), line("b", &never));
        let items: Vec<Item> = read(&text, 1_000).into_iter().map(Result::unwrap).collect();
        let [first, second] = &items[..] else { panic!("{items:?}") };
        assert_eq!(first.name, Wish::Exactly("</A>\"&#65;".into()));
        assert_eq!((&first.uri, first.created), (&kept.uri, Some(5)));
        assert_eq!((first.line, first.visits, first.last), (6, 7, Some(9)));
        assert_eq!((second.line, second.visits, second.last), (7, 0, None));
    }

    #[test]
    fn what_other_programs_write_is_read() {
        // In the manner of Firefox, Chromium, Safari and linkding.
        let text = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\r\n<!-- <A HREF=\"http://no/\">no</A> -->\r\n\
            <DL><p>\n<DT><H3 ADD_DATE=\"1\" PERSONAL_TOOLBAR_FOLDER=\"true\">Bar</H3>\n<DL><p>\n\
            <DT><A HREF=\"https://a.example/?x=1&amp;y=2\" ADD_DATE=\"1700000000\" \
            LAST_MODIFIED=\"1700000001\" ICON_URI=\"x\" ICON=\"data:image/png;base64,AAAA\" \
            SHORTCUTURL=\"kw\">A &lt;title&gt;</A>\n<DD>Some words\n\
            <dt><a href='https://b.example/' add_date='1700000000000'>caf&#233; &#x1F600;</a>\n\
            <DT><A HREF=https://c.example/path PRIVATE=0 TOREAD TAGS=\"a,b\">  two\n  words</A>\n\
            <DT><A ADD_DATE=\"0\" HREF=\"https://d.example/x\"></A>\n<DT><A NAME=\"x\">no href</A>\n\
            <DT><A HREF=\"javascript:alert(1)\">js</A>\n</DL>";
        let found: Vec<_> = read(text, 1_000)
            .into_iter()
            .map(|it| match it {
                Ok(item) => (item.name.text().to_owned(), item.uri, item.created),
                Err(skipped) => (skipped.name, skipped.why, None),
            })
            .collect();
        let expected = [
            ("kw", "https://a.example/?x=1&y=2", Some(1_700_000_000)),
            ("café 😀", "https://b.example/", Some(1_700_000_000)),
            ("  two\n  words", "https://c.example/path", None),
            ("d.example", "https://d.example/x", None),
            ("no href", "it has no HREF", None),
            ("js", "javascript:alert(1)", None),
        ];
        let expected = expected.map(|(name, uri, at)| (name.to_owned(), uri.to_owned(), at));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_broken_ends_and_what_is_huge_takes_no_longer_than_it_is_long() {
        for text in [
            "<",
            "<a",
            "<a href",
            "<a href=",
            "<a href=\"",
            "<a href=\"x",
            "<a =>",
            "<a / = / >",
            "<a href='x'\"\">",
            "<a href=x>&",
            "<a href=x>&#;&#x;&#99999999999;&#xD800;",
            "<!--",
            "<a href=é\u{2028}é>é",
        ] {
            for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
                let _ = read(&text[..end], 1_000);
            }
        }
        let icon = format!("<A ICON=\"{}\" HREF=\"http://a/\">a</A>", "x".repeat(1 << 20));
        assert_eq!(read(&icon, 1_000)[0].as_ref().unwrap().uri, "http://a/");
        for nasty in ["<", "<a ", "<a href=", "<a href=\"", "&", "<!--", "<a x='", "</", "<a//"] {
            let _ = read(&nasty.repeat((1 << 18) / nasty.len()), usize::MAX);
        }
    }
}

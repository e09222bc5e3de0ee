//! Bookmarks as JSON, one a line: this program's own format, and that of golink (`Short`, `Long`).

use super::{Item, Skipped, Wish};
use crate::json::Json;
use crate::page::list::json;
use crate::store::Kept;
use crate::time;

/// Bytes of a line: what is made of the values in it takes up to a hundred times that.
const LINE: usize = 64 << 10;

/// A bookmark as a line.
pub(crate) fn line(name: &str, kept: &Kept) -> String {
    json(name, kept) + "\n"
}

/// The bookmarks of a file, as many as `most`. Empty lines are nothing.
pub(super) fn read(text: &str, most: usize) -> Vec<Result<Item, Skipped>> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.take(most).map(|(number, line)| read_line(number, line)).collect()
}

fn read_line(number: usize, line: &str) -> Result<Item, Skipped> {
    let skipped = |why: String| Skipped {
        line: number,
        name: String::new(),
        uri: line.chars().take(80).collect(),
        why,
    };
    if line.len() > LINE {
        return Err(skipped(format!("wanted at most {LINE} bytes, found {}", line.len())));
    }
    let json = Json::parse(line).map_err(|bad| skipped(format!("no JSON, {bad}")))?;
    let text = |names: [&str; 2]| {
        let found = names.iter().find_map(|name| json.get(name)?.as_text());
        found.map(str::to_owned).ok_or_else(|| skipped(format!("wanted `{}` with text", names[0])))
    };
    let (name, uri) = (text(["name", "Short"])?, text(["uri", "Long"])?);
    let item =
        Item { line: number, name: Wish::Exactly(name), uri, created: None, visits: 0, last: None };
    let wrong = |member: &str, wanted| Skipped::of(&item, format!("`{member}`: wanted {wanted}"));
    let moment = |member: &str| match json.get(member) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_text().and_then(time::parse) {
            Some(second) => Ok(Some(second)),
            None => Err(wrong(member, "a time like 2026-11-26T09:30:00Z")),
        },
    };
    let visits = match json.get("visits") {
        None => 0,
        Some(value) => value.as_count().ok_or_else(|| wrong("visits", "a whole number"))?,
    };
    let (created, last) = (moment("created")?, moment("last")?);
    Ok(Item { created, visits, last, ..item })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let kept = Kept { uri: "http://a/?\"".into(), created: 5, visits: 7, last: Some(9) };
        let line = line("käse\u{2028}\"", &kept);
        assert_eq!(line.matches('\n').count(), 1);
        let item = read(&line, 1_000).remove(0).unwrap();
        assert_eq!(item.name, Wish::Exactly("käse\u{2028}\"".into()));
        assert_eq!((item.uri, item.created), (kept.uri, Some(5)));
        assert_eq!((item.visits, item.last), (7, Some(9)));
    }

    #[test]
    fn other_programs_lines_are_read_and_bad_ones_named() {
        let text = "{\"Short\":\"a\",\"Long\":\"http://a/\",\"Created\":\"x\"}\n\n\
                    {\"name\":\"b\"}\n[1]\nnot json\n{\"name\":\"c\",\"uri\":\"http://c/\",\"created\":1}\n\
                    {\"name\":\"d\",\"uri\":\"http://d/\",\"visits\":-1}\r\n\
                    {\"name\":\"e\",\"uri\":\"http://e/\",\"created\":null,\"last\":null}";
        let found = read(text, 1_000);
        let said: Vec<_> = found
            .iter()
            .map(|it| match it {
                Ok(item) => (item.line, item.uri.as_str()),
                Err(skipped) => (skipped.line, skipped.why.as_str()),
            })
            .collect();
        let expected = [
            (1, "http://a/"),
            (3, "wanted `uri` with text"),
            (4, "wanted `name` with text"),
            (5, "no JSON, byte 0: wanted a value"),
            (6, "`created`: wanted a time like 2026-11-26T09:30:00Z"),
            (7, "`visits`: wanted a whole number"),
            (8, "http://e/"),
        ];
        assert_eq!(said, expected);
    }
}

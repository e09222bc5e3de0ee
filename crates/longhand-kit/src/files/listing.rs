//! A page that shows what is in a folder.
//!
//! What enters is a folder inside the root, what leaves an HTML page without script. It shows what
//! would be served and nothing else: no hidden name, no link that leads out, no name that cannot
//! stand in a path. Names come from whoever makes files: they are text in the page, and relative
//! links in percent-encoding. The page is bounded, and says so where that cuts something off.

use std::cmp::Reverse;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use longhand::wire::{format_date, percent_encode};

use super::NO_CACHE;
use super::find::{Found, find};
use super::path::{DotNames, is_served};
use crate::content::Content;
use crate::etag::ETag;
use crate::html::Html;

/// The entries of a folder that are looked at. More make a page that nobody reads, and each one costs
/// system calls.
pub(super) const MAX_ENTRIES: usize = 5_000;

/// One line of the page.
struct Entry {
    name: String,
    facts: Metadata,
}

/// A page of what is in `folder`, which is inside `root` and known to the client as `title`.
pub(super) fn page(
    root: &Path,
    folder: &Path,
    title: &str,
    dots: DotNames,
) -> io::Result<Content<'static>> {
    let mut found = fs::read_dir(folder)?;
    let mut entries: Vec<Entry> = found
        .by_ref()
        .take(MAX_ENTRIES)
        .flatten()
        .filter_map(|entry| served(root, &entry, dots))
        .collect();
    entries.sort_by(|one, other| {
        (Reverse(one.facts.is_dir()), &one.name).cmp(&(Reverse(other.facts.is_dir()), &other.name))
    });
    let is_root = folder == root;
    let page = markup(title, &entries, is_root, found.next().is_some()).into_string().into_bytes();
    let tag = ETag::of_bytes(&page);
    Ok(Content::bytes("text/html; charset=utf-8", page)
        .etag(tag)
        .field("Cache-Control", NO_CACHE)
        // Should a name ever become markup, it still runs nothing and loads nothing.
        .field("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
}

/// The entry, if a request for it would be answered.
fn served(root: &Path, entry: &DirEntry, dots: DotNames) -> Option<Entry> {
    let name = entry.file_name().into_string().ok().filter(|name| is_served(name, dots))?;
    let mut facts = entry.metadata().ok()?;
    if facts.is_symlink() {
        facts = match find(root, &entry.path()).ok()? {
            Found::File(_, facts) => facts,
            Found::Folder(real) => fs::metadata(real).ok()?,
        };
    }
    (facts.is_file() || facts.is_dir()).then_some(Entry { name, facts })
}

const STYLE: &str = "\
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}\
body{max-width:50rem;margin:1rem auto;padding:0 .75rem}\
h1{font-size:1.25rem;overflow-wrap:anywhere}\
table{width:100%;border-collapse:collapse}\
th{text-align:left}\
th,td{padding:.25rem .5rem .25rem 0;vertical-align:top}\
td{overflow-wrap:anywhere}\
td+td{white-space:nowrap;font-size:.8125rem;font-variant-numeric:tabular-nums}\
tr+tr{border-top:1px solid #8884}\
@media(max-width:30rem){th:nth-child(3),td:nth-child(3){display:none}}";

fn markup(title: &str, entries: &[Entry], is_root: bool, cut: bool) -> Html {
    let mut page = Html::new();
    page.raw("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width\">\n<title>")
        .text(title)
        .raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n<h1>")
        .text(title)
        .raw("</h1>\n<table>\n<tr><th>Name<th>Size<th>Changed (UTC)\n");
    if !is_root {
        page.raw("<tr><td><a href=\"../\">../</a><td><td>\n");
    }
    for entry in entries {
        row(&mut page, entry);
    }
    page.raw("</table>\n");
    if cut {
        page.raw("<p>The folder has more entries than are shown: only ")
            .text(MAX_ENTRIES)
            .raw(" were looked at.\n");
    } else if entries.is_empty() {
        page.raw("<p>Nothing to show.\n");
    }
    page
}

fn row(page: &mut Html, entry: &Entry) {
    let slash = if entry.facts.is_dir() { "/" } else { "" };
    // `./`: else a name such as `javascript:x` were a scheme.
    let link = format_args!("./{}{slash}", percent_encode(entry.name.as_bytes())).to_string();
    // `bdi`: a name that turns its letters around leaves those around it alone.
    page.raw("<tr><td><a").attribute("href", link).raw("><bdi>").text(&entry.name).raw("</bdi>");
    page.raw(slash).raw("</a><td>");
    if entry.facts.is_file() {
        page.text(size(entry.facts.len()));
    }
    page.raw("<td>").text(date(&entry.facts)).raw("\n");
}

/// A size as people say it: three digits or so.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    // The unit is the power of 1,024 below, so that the whole part has at most four digits.
    let power = bytes.ilog2() / 10;
    let unit = UNITS.get(power as usize - 1).copied().unwrap_or_default();
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Day and minute; nothing where the system tells none or it is before 1970.
fn date(facts: &Metadata) -> String {
    let modified = facts.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.map_or_else(String::new, |since| {
        // `Sun, 06 Nov 1994 08:49:37 GMT`
        String::from_utf8_lossy(&format_date(since.as_secs())[5..22]).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_535, "1.4 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_048_576, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}

//! The page that shows a folder: what it shows can be followed, and nothing in it is markup.

use std::fs;

use crate::{Site, ask, get};

/// The links of a page, in order.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1);
    links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[cfg(unix)]
#[test]
fn hostile_names_are_text_and_their_links_lead_to_them() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let names = [
        "<script>alert(1)<",
        "\"onmouseover=alert(1)",
        "'",
        "&amp;",
        "new\nline",
        "tab\t",
        "javascript:alert(1)",
        "a:b",
        "%41",
        "#fragment",
        "query?x=y",
        " blank ",
        "+",
        "é\u{202e}gpj",
        "data:text",
        ";,=@",
        "~",
        "..a",
        "a..",
    ];
    let site = Site::new();
    for name in names {
        site.write(name, name);
    }
    site.write("http:/index.html", "a folder").write("back\\slash", "");
    // Some file systems take only text.
    let _ = fs::write(site.root.join(OsStr::from_bytes(b"latin-1-\xE9")), "");
    let program = site.serve(&[("LISTING", "1")]);
    let page = get(&program, "/");
    assert_eq!(page.field("cache-control"), Some("no-cache"));
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.field("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let text = page.text();
    assert!(!text.contains("<script") && !text.contains("\"onmouseover"), "{text}");
    let links = links(&text);
    assert_eq!(links[0], "./http%3A/");
    for target in ["/http:", "/http%3a"] {
        assert_eq!(get(&program, target).field("location"), Some("./http%3A/"));
    }
    let mut shown = Vec::new();
    for link in &links[1..] {
        let target = link.strip_prefix("./").unwrap();
        assert!(!target.contains([':', '/', '?', '#', '<', '"', '\n', ' ', '\\']), "{target}");
        let answer = get(&program, &format!("/{target}"));
        assert_eq!(answer.status, 200, "{target}");
        shown.push(answer.text());
    }
    let mut wanted = names.to_vec();
    wanted.retain(|name| !name.starts_with('.'));
    wanted.sort_unstable();
    assert_eq!(shown, wanted, "each name once, in order, and nothing that no path can name");
}

#[test]
fn folders_come_first_and_hidden_names_only_when_they_are_served() {
    let site = Site::new();
    site.write("b.txt", "12345")
        .write("a/x", "")
        .write("z/x", "")
        .write(".env", "")
        .write(".well-known/x", "");
    site.write("indexed/index.html", "index").write(".git/config", "");
    let (plain, all) =
        (site.serve(&[("LISTING", "1")]), site.serve(&[("LISTING", "1"), ("HIDDEN", "1")]));
    assert_eq!(
        links(&get(&plain, "/").text()),
        ["./.well-known/", "./a/", "./indexed/", "./z/", "./b.txt"]
    );
    assert_eq!(
        links(&get(&all, "/").text()),
        ["./.git/", "./.well-known/", "./a/", "./indexed/", "./z/", "./.env", "./b.txt"]
    );
    assert_eq!(links(&get(&plain, "/a/").text()), ["../", "./x"]);
    assert_eq!(get(&plain, "/.git/").status, 404);
    assert_eq!(get(&plain, "/indexed/").text(), "index");
    let page = get(&plain, "/").text();
    assert!(page.contains("<td>5 B<td>"), "{page}");
    for wanted in
        ["<!doctype html>", "name=\"viewport\"", "color-scheme:light dark", "<title>/</title>"]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
    let tag = format!("If-None-Match: {}\r\n", get(&plain, "/").field("etag").unwrap());
    assert_eq!(ask(&plain, "GET", "/", &tag).status, 304);
    site.write("new.txt", "");
    assert_eq!(ask(&plain, "GET", "/", &tag).status, 200);
    assert_eq!(get(&site.serve(&[]), "/").status, 404, "only when asked for");
}

#[test]
fn a_page_is_bounded_and_says_so() {
    let site = Site::new();
    for number in 0..5_000 {
        fs::write(site.root.join(format!("{number}")), "").unwrap();
    }
    let program = site.serve(&[("LISTING", "1")]);
    let page = get(&program, "/").text();
    assert_eq!(links(&page).len(), 5_000);
    assert!(!page.contains("more entries"), "it shows all");
    fs::write(site.root.join("one more"), "").unwrap();
    let page = get(&program, "/").text();
    assert_eq!(links(&page).len(), 5_000);
    assert!(page.contains("more entries than are shown: only 5000 were looked at"));
}

#[test]
fn the_title_is_the_path_as_text() {
    let site = Site::new();
    site.write("a&b/x", "");
    let program = site.serve(&[("LISTING", "1")]);
    let page = get(&program, "/a%26b/?%3Cscript%3E").text();
    assert!(page.contains("<title>/a&amp;b/</title>"), "{page}");
}

//! A visitor without a mouse: everything is reached by the Tab key, and nothing holds the focus.

use std::fs;

use harness::browser::{Browser, Key, Script};
use harness::json::Json;

use super::{BOTH, line, locked};
use crate::{Bookmark, at, site};

/// Types over what a field holds: who comes to a field by the Tab key finds all of it selected.
fn enter(browser: &Browser, css: &str, text: &str) {
    browser.tab_to(css);
    browser.type_keys(text);
}

/// Comes to something by the Tab key, and sets it off by the enter key.
fn go(browser: &Browser, css: &str) {
    browser.tab_to(css);
    browser.leave(|| browser.press(Key::Enter));
}

#[test]
fn everything_is_done_by_keys_alone_with_script_and_without() {
    let site = site("<title>The site</title>");
    let uri = |path: &str| at("localhost", site.address()) + path;
    for script in BOTH {
        let server = locked(&[]);
        let home = server.at("localhost");
        let browser = Browser::start(script);
        browser.open(&home);
        go(&browser, ".site a.last");
        enter(&browser, "#password", "open");
        browser.leave(|| browser.press(Key::Enter));
        assert_eq!(browser.url(), home);

        enter(&browser, "#longuri", &uri("old"));
        enter(&browser, "#shortname", "a");
        go(&browser, "main form.card button");
        assert_eq!(server.location("a"), Some(uri("old")), "{script:?}");

        go(&browser, ".meta a[href='/.edit/a']");
        enter(&browser, "#longuri", &uri("new"));
        browser.leave(|| browser.press(Key::Enter));
        assert_eq!(browser.text(".facts dd"), uri("new"), "{script:?}");

        go(&browser, ".site a[href='/.import']");
        let file = browser.folder().join("a.jsonl");
        fs::write(&file, line("b", &uri("b")) + &line("c", "http://nobody.example/")).unwrap();
        // The dialog of the system, in which a file is chosen, is none of the page's.
        browser.type_into("#file", file.to_str().unwrap());
        browser.tab_to("#check");
        browser.press(Key::Space);
        go(&browser, "main form.card button");
        assert_eq!(browser.text("[role=status]"), "2 saved, 0 skipped.");
        go(&browser, "main a[href='/']");

        enter(&browser, "#q", "NOBODY");
        browser.leave(|| browser.press(Key::Enter));
        assert_eq!(browser.texts(".pair"), ["c : http://nobody.example/"]);
        go(&browser, ".tools nav li:nth-child(2) a");
        go(&browser, "[role=status] a");
        browser.tab_to("main a[href='/.export']");
        browser.press(Key::Enter);
        let file = browser.downloaded("bookmarks.jsonl");
        assert_eq!(String::from_utf8_lossy(&file).lines().count(), 3);

        go(&browser, ".meta a[href='/.details/c']");
        go(&browser, ".actions a[href='/.delete/c']");
        go(&browser, "main form button");
        assert_eq!(server.location("c"), None, "{script:?}");
        go(&browser, ".pair a[href='/b']");
        assert_eq!((browser.url(), browser.title()), (uri("b"), "The site".into()));
        browser.back();
        go(&browser, ".site .last button");
        assert_eq!(browser.text(".site .last"), "Sign in", "{script:?}");
    }
}

#[test]
fn the_first_stop_skips_what_is_the_same_on_every_page_and_every_stop_is_seen() {
    let server = Bookmark::start();
    server.import(&(0..100).map(|n| line(&n.to_string(), "http://a.example/")).collect::<String>());
    let browser = Browser::start(Script::Runs);
    browser.open(&server.at("localhost"));
    // Where a page has just come, the first stroke may only wake it.
    browser.tab_to("a, button, input");
    let focused = "return document.activeElement.innerText";
    assert_eq!(browser.run(focused), "Skip to content".into());
    let shown = "const { left, top } = document.activeElement.getBoundingClientRect();
                 return left >= 0 && top >= 0";
    assert_eq!(browser.run(shown), Json::Bool(true));
    browser.press(Key::Enter);
    browser.press(Key::Tab);
    let within = "return document.querySelector('main').contains(document.activeElement)";
    assert_eq!(browser.run(within), Json::Bool(true));
    // Round once, back to where it began: each stop has an outline, and is scrolled into sight.
    let stop = "const { activeElement: it } = document;
                const { outlineStyle, outlineWidth } = getComputedStyle(it);
                const { left, top, right, bottom } = it.getBoundingClientRect();
                // Scrolling goes by whole pixels.
                const seen = left > -1 && top > -1 && right < innerWidth + 1 && bottom < innerHeight + 1;
                const marked = outlineStyle !== 'none' && outlineWidth !== '0px';
                return it === document.body || marked && seen";
    let place = "return document.activeElement.outerHTML";
    let first = browser.run(place);
    for _ in 0..1_000 {
        browser.press(Key::Tab);
        let here = browser.run(place);
        browser.wait_for(&format!("a mark at {here}"), || {
            (browser.run(stop) == Json::Bool(true)).then_some(())
        });
        if here == first {
            return;
        }
    }
    panic!("the Tab key does not come round");
}

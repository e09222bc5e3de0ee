//! The browser itself: what the other parts rely on.

use std::fs;

use harness::browser::{Browser, Script};
use harness::json::Json;

use crate::{at, site};

#[test]
fn what_a_visitor_does_and_sees_goes_through() {
    let site = site(
        "<title>A page</title><form><input name=q><button>Go</button></form>\
         <p hidden>unseen</p><p id=a>seen &amp; read</p>\
         <script>document.cookie = 'a=b'</script>",
    );
    let browser = Browser::start(Script::Runs);
    let url = at("localhost", site.address());
    browser.open(&url);
    assert_eq!((browser.url(), browser.title()), (url.clone(), "A page".to_owned()));
    assert_eq!((browser.text("p"), browser.text("#a")), (String::new(), "seen & read".into()));
    assert!(browser.source().contains("<p id=\"a\">seen &amp; read</p>"), "{}", browser.source());
    assert_eq!(browser.cookies()[0].get("value").text(), Some("b"));

    browser.type_into("input", "é \"<€");
    let typed = "return document.querySelector('input').value";
    assert_eq!(browser.run(typed).text(), Some("é \"<€"));
    browser.follow("button");
    assert_eq!(browser.url(), format!("{url}?q=%C3%A9+%22%3C%E2%82%AC"));
    browser.type_into("input", "again");
    browser.submit("input");
    assert_eq!(browser.url(), format!("{url}?q=again"));
    assert!(browser.asked_for().contains(&browser.url()));
    assert!(browser.screenshot().starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn a_script_of_the_page_runs_unless_script_is_off() {
    let site = site("<title>before</title><script>document.title = 'after'</script>");
    for (script, title) in [(Script::Runs, "after"), (Script::Off, "before")] {
        let browser = Browser::start(script);
        browser.open(&at("localhost", site.address()));
        assert_eq!(browser.title(), title, "{script:?}");
        // A test's own runs either way.
        assert_eq!(browser.run("return 1"), Json::Number(1.0), "{script:?}");
        if script == Script::Runs {
            let later = browser.run("return new Promise(done => setTimeout(done, 1, 1))");
            assert_eq!(later, Json::Number(1.0));
        }
    }
}

/// Also after a panic, which drops it too.
#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_of_a_browser() {
    let browser = Browser::start(Script::Runs);
    let folder = browser.folder().to_owned();
    let processes = || {
        let every = fs::read_dir("/proc").unwrap().flatten();
        // One that has just ended has nothing to read.
        let lines = every.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
        lines.filter(|line| line.contains(folder.to_str().unwrap())).count()
    };
    assert!(processes() > 2);
    let panicked = std::panic::catch_unwind(move || {
        let _browser = browser;
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(panicked.is_err());
    assert_eq!(processes(), 0);
    assert!(!folder.exists());
}

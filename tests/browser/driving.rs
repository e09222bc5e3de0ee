//! The browser itself: what the other parts rely on.

use std::fs;
use std::io::Write;

use harness::browser::{Browser, Colours, Key, Script};
use harness::json::Json;
use harness::latch::Latch;
use harness::running::run;
use longhand::{Request, Response, Server};

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

#[test]
fn a_page_is_shown_in_the_room_and_the_colours_that_are_asked_for() {
    let site = site(
        "<style>:root { color-scheme: light dark } body { margin: 0; height: 700px }</style>\
         <button aria-label='Send it'>Go</button>",
    );
    let browser = Browser::start(Script::Off);
    browser.open(&at("localhost", site.address()));
    let background = "return getComputedStyle(document.documentElement).colorScheme
                             + matchMedia('(prefers-color-scheme: dark)').matches";
    let mut pictures = Vec::new();
    for (colours, width, told) in [
        (Colours::Light, 320, "light darkfalse"),
        (Colours::Dark, 320, "light darktrue"),
        (Colours::Dark, 1280, "light darktrue"),
    ] {
        browser.prefer(colours);
        let picture = browser.picture(width);
        assert_eq!(size(&picture), (width, 700), "{colours:?}");
        assert_eq!(browser.run("return innerWidth"), Json::Number(width.into()));
        assert_eq!(browser.run(background), told.into());
        pictures.push(picture);
    }
    assert!(pictures[0] != pictures[1], "dark looks like light");
    assert_eq!(
        (browser.role("button"), browser.label("button")),
        ("button".into(), "Send it".into())
    );
}

/// Width and height of a PNG file, which are the first that it says.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && &png[12..16] == b"IHDR");
    (number(16), number(20))
}

#[test]
fn a_form_is_filled_in_and_sent_by_keys_alone() {
    let site = site(
        "<title>Form</title><a href=#>Somewhere</a><form><input name=a value=old>\
         <input type=checkbox name=b><button name=c>Go</button></form>",
    );
    let browser = Browser::start(Script::Off);
    let url = at("localhost", site.address());
    browser.open(&url);
    browser.tab_to("[name=a]");
    // What a field holds is selected where the Tab key leads to it.
    browser.type_keys("new");
    assert_eq!(browser.value("[name=a]"), "new");
    browser.tab_to("[type=checkbox]");
    browser.press(Key::Space);
    browser.tab_to("button");
    browser.leave(|| browser.press(Key::Enter));
    assert_eq!(browser.url(), format!("{url}?a=new&b=on&c="));
    browser.back();
    assert_eq!(browser.url(), url);
}

#[test]
fn a_page_can_be_read_while_the_rest_of_it_comes() {
    let rest = Latch::default();
    let gate = rest.clone();
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        let gate = gate.clone();
        Response::stream("text/html", move |out| {
            out.write_all(b"<!DOCTYPE html><title>A page</title><p>begun</p>")?;
            out.flush()?;
            gate.pass();
            out.write_all(b"<p>ended</p>")
        })
    });
    let browser = Browser::start_reading(Script::Off);
    browser.open(&at("localhost", site.address()));
    browser.wait_for("the begin", || (browser.texts("p") == ["begun"]).then_some(()));
    rest.open();
    browser.wait_for("the end", || (browser.texts("p") == ["begun", "ended"]).then_some(()));
}

#[test]
fn what_is_given_to_keep_is_kept() {
    let site = run(Server::bind("127.0.0.1:0").unwrap(), |request: &mut Request<'_>| {
        if request.path() == "/" {
            return Response::html("<a href=file>Take it</a>");
        }
        let file = Response::bytes("text/plain", (0..=255).collect::<Vec<u8>>());
        file.field("Content-Disposition", "attachment; filename=\"some bytes.txt\"")
    });
    let browser = Browser::start(Script::Off);
    browser.open(&at("localhost", site.address()));
    assert_eq!(browser.status(), Some(200));
    browser.click("a");
    assert_eq!(browser.downloaded("some bytes.txt"), (0..=255).collect::<Vec<u8>>());
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

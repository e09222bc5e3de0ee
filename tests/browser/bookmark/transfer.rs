//! Files in and out, as a visitor moves them.

use std::fs;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use harness::browser::Browser;
use harness::running::{Running, run};
use longhand::{Request, Response, Server, Status};

use super::{BOTH, line};
use crate::{Bookmark, at};

/// A site whose pages wait to be let go, each once.
fn slow() -> (Running, Sender<()>) {
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        let gone = go.lock().unwrap().recv().is_err();
        Response::new(if gone { Status::NOT_FOUND } else { Status::OK })
    });
    (site, let_go)
}

/// Chooses a file with these lines, in the form of the page to import.
fn choose(browser: &Browser, name: &str, lines: &str) {
    let file = browser.folder().join(name);
    fs::write(&file, lines).unwrap();
    browser.type_into("#file", file.to_str().unwrap());
}

#[test]
fn an_import_of_a_thousand_shows_how_far_it_is_with_script_and_without() {
    for script in BOTH {
        let (site, let_go) = slow();
        let server = Bookmark::start();
        let uri = at("localhost", site.address());
        let mut lines: String =
            (0..1_000).map(|n| line(&format!("name-{n:04}"), &format!("{uri}{n}"))).collect();
        lines += &line("<script>document.title='ran'</script>", "javascript:alert(1)");
        let browser = Browser::start_reading(script);
        browser.open(&(server.at("localhost") + ".import"));
        browser
            .wait_for("the form", || (browser.title() == "Import – Bookmark Server").then_some(()));
        choose(&browser, "many.jsonl", &lines);
        browser.click("main form button");
        // How far it is, as it stands there: the lines before are out of sight.
        let shows = |wanted: &str| {
            browser.wait_for(wanted, || {
                let shown = browser.texts("[role=status]");
                shown.iter().any(|text| text.trim() == wanted).then_some(())
            });
        };
        shows("0 of 1001 …");
        for part in [400, 300, 300] {
            for _ in 0..part {
                let_go.send(()).unwrap();
            }
            if part == 400 {
                shows("400 of 1001 …");
                assert_eq!(browser.title(), "Import – Bookmark Server");
                assert_eq!(browser.texts(".skipped"), Vec::<String>::new());
            }
        }
        shows("1000 saved, 1 skipped.");
        let skipped = "Line 1001, <script>document.title='ran'</script> : javascript:alert(1)\n";
        browser.wait_for("the end", || {
            browser.texts(".skipped li").iter().any(|text| text.starts_with(skipped)).then_some(())
        });
        assert_eq!(browser.title(), "Import – Bookmark Server");
        browser.click("main p a[href='/']");
        browser.wait_for("the list", || {
            (browser.texts("main [role=status]") == ["1000 bookmarks"]).then_some(())
        });
        assert_eq!(server.location("name-0999"), Some(format!("{uri}999")), "{script:?}");
    }
}

#[test]
fn what_cannot_be_imported_is_said_beside_the_field() {
    let server = Bookmark::start();
    for script in BOTH {
        let browser = Browser::start(script);
        browser.open(&(server.at("localhost") + ".import"));
        choose(&browser, "picture.html", "\u{89}PNG");
        browser.follow("main form button");
        let text = browser.text("#file-wrong[role=alert]");
        assert!(text.contains("wanted bookmarks as HTML or as lines of JSON"), "{text}");
        assert_eq!(browser.title(), "Import – Bookmark Server");
    }
}

/// What a visitor brings home, another server takes, and gives again byte for byte.
#[test]
fn what_is_exported_and_imported_elsewhere_is_exported_the_same() {
    let odd = [
        r#"{"name":"a b/","uri":"http://a.example/?<\"'&","created":"2001-02-03T04:05:06Z","visits":7,"last":"2002-03-04T05:06:07Z"}"#,
        r#"{"name":"<script>1</script>","uri":"http://a.example/#<!--","created":"2001-02-03T04:05:06Z","visits":0,"last":null}"#,
        r#"{"name":"käse \u2028 日本","uri":"http://xn--kse-qla.example/","created":"2001-02-03T04:05:06Z","visits":0,"last":null}"#,
    ];
    let lines: String = odd.iter().map(|line| format!("{line}\n")).collect();
    for script in BOTH {
        for (query, file) in [("", "bookmarks.jsonl"), ("?format=html", "bookmarks.html")] {
            let server = Bookmark::start();
            server.import(&lines);
            let browser = Browser::start(script);
            browser.open(&server.at("localhost"));
            browser.click(&format!("main a[href='/.export{query}']"));
            let first = browser.downloaded(file);
            assert_eq!(String::from_utf8_lossy(&first), server.export(query), "{script:?}");

            let other = Bookmark::start();
            browser.open(&(other.at("localhost") + ".import"));
            let path = browser.folder().join("downloads").join(file);
            browser.type_into("#file", path.to_str().unwrap());
            browser.click("#check");
            browser.follow("main form button");
            assert_eq!(browser.text("[role=status]"), "3 saved, 0 skipped.");
            assert_eq!(other.export(query).as_bytes(), first, "{script:?}");
        }
    }
}

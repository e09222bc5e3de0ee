//! Forms of other sites, which a visitor sends without meaning to: none of them saves anything.

use harness::browser::{Browser, Script};

use crate::bookmark::{BOTH, line, locked, save, sign_in};
use crate::{Bookmark, at, site};

/// A page that sends a form to `home` once its button is clicked; `attribute` is one of its body's.
fn form(home: &str, uri: &str) -> String {
    format!(
        "<title>Win a prize</title><form method=POST action=\"{home}\">\
         <input type=hidden name=longuri value=\"{uri}\"><input type=hidden name=shortname value=a>\
         <button>Yes!</button></form>"
    )
}

#[test]
fn a_form_of_another_site_is_refused_and_saves_nothing() {
    let good = site("");
    let uri = at("localhost", good.address());
    let browser = Browser::start(Script::Runs);
    for (from, to, fetch_site) in [
        // Another site, of a host that browsers trust, and of one that they do not.
        ("other.test", "localhost", Some("cross-site")),
        ("other.test", "plain.test", None),
        ("localhost", "plain.test", None),
        ("127.0.0.1", "localhost", Some("cross-site")),
        // Another port of the same host.
        ("localhost", "localhost", Some("same-site")),
        ("plain.test", "plain.test", None),
    ] {
        let server = Bookmark::start();
        let foreign = site(form(&server.at(to), &uri));
        let page = at(from, foreign.address());
        browser.open(&page);
        browser.follow("button");
        assert_eq!(browser.url(), server.at(to));
        let text = browser.text("[role=alert]");
        assert!(text.starts_with("Nothing was done: "), "{from} to {to}: {text}");
        let asked = &server.relay.requests()[0];
        assert_eq!(asked.method, "POST");
        assert_eq!(asked.field("sec-fetch-site"), fetch_site, "{from} to {to}");
        assert_eq!(asked.field("origin"), page.strip_suffix('/'), "{from} to {to}");
        assert_eq!(server.location("a"), None, "{from} to {to}");
        // What the browser itself saw: a 403.
        assert_eq!(browser.status(), Some(403), "{from} to {to}");
    }
}

/// A site can hide where its form comes from. Then the browser says `null`, which is nobody.
#[test]
fn a_form_that_hides_its_origin_is_refused_too() {
    let good = site("");
    let uri = at("localhost", good.address());
    let browser = Browser::start(Script::Runs);
    for to in ["localhost", "plain.test"] {
        let server = Bookmark::start();
        let form = form(&server.at(to), &uri);
        let silent = format!("<meta name=referrer content=no-referrer>{form}");
        let send = "<script>document.forms[0].submit()</script>";
        let inner = format!("{form}{send}").replace('"', "&quot;");
        let boxed =
            format!("<iframe sandbox=\"allow-forms allow-scripts\" srcdoc=\"{inner}\"></iframe>");
        let pages = [site(silent), site(boxed)];
        let pages = pages.each_ref().map(|site| at("other.test", site.address()));
        browser.open(&pages[0]);
        browser.follow("button");
        let text = browser.text("[role=alert]");
        assert!(text.starts_with("Nothing was done: "), "{text}");
        browser.open(&pages[1]);
        let posts = browser.wait_for("a form from the box", || {
            let mut posts = server.relay.requests();
            posts.retain(|asked| asked.method == "POST");
            (posts.len() == 2).then_some(posts)
        });
        assert!(posts.iter().all(|asked| asked.field("origin") == Some("null")), "{posts:?}");
        assert_eq!(server.location("a"), None, "{to}");
    }
}

/// That the forms above are refused for where they come from, and for nothing else.
#[test]
fn the_same_form_saves_from_the_servers_own_page() {
    let good = site("");
    let uri = at("localhost", good.address());
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    for to in ["localhost", "plain.test"] {
        let home = server.at(to);
        browser.open(&home);
        let form = form(&home, &uri)
            .replace("name=shortname value=a", &format!("name=shortname value={to}"));
        browser.run(&format!("document.body.innerHTML = '{form}'"));
        browser.follow("button");
        assert_eq!(server.location(to).as_ref(), Some(&uri), "{}", browser.text("body"));
    }
}

/// Everything that changes something, each by a form that is right but for where it comes from.
#[test]
fn whatever_another_site_asks_for_is_refused_with_script_and_without() {
    let good = site("");
    let uri = at("localhost", good.address());
    for script in BOTH {
        let server = locked(&[]);
        let home = server.at("localhost");
        let browser = Browser::start(script);
        browser.open(&format!("{home}.login"));
        sign_in(&browser, "open");
        save(&browser, &uri, "kept");
        let field = |name: &str, value: &str| format!("<input name={name} value=\"{value}\">");
        let file = "<input type=file name=file>".to_owned();
        for (path, fields) in [
            ("", field("longuri", &uri) + &field("shortname", "b")),
            ("kept", field("longuri", &uri) + &field("shortname", "b")),
            (".edit/kept", field("longuri", &format!("{uri}b"))),
            (".delete/kept", field("was", &uri)),
            (".import", file),
            (".login", field("password", "open") + &field("next", "/")),
            (".logout", String::new()),
        ] {
            let files = if path == ".import" { " enctype=multipart/form-data" } else { "" };
            let foreign = site(format!(
                "<form method=POST{files} action=\"{home}{path}\">{fields}<button>Yes!</button></form>"
            ));
            // The session's cookie goes along from this one, which is the same site on another port.
            browser.open(&at("localhost", foreign.address()));
            if path == ".import" {
                let file = browser.folder().join("b.jsonl");
                std::fs::write(&file, line("b", &uri)).unwrap();
                browser.type_into("[type=file]", file.to_str().unwrap());
            }
            browser.follow("button");
            assert_eq!(browser.url(), format!("{home}{path}"));
            let text = browser.text("[role=alert]");
            assert!(text.starts_with("Nothing was done: "), "{path}, {script:?}: {text}");
            let requests = server.relay.requests();
            let post = requests.iter().rfind(|asked| asked.method == "POST").unwrap();
            assert!(post.field("cookie").is_some_and(|cookie| cookie.contains("sid=")), "{post:?}");
            assert_eq!(post.answer.as_ref().map(|answer| answer.status), Some(403), "{path}");
            let fields = &post.answer.as_ref().unwrap().fields;
            assert!(fields.iter().all(|(name, _)| name != "set-cookie"), "{path}: {fields:?}");
        }
        // Nothing came of it: the same bookmark, and still signed in.
        assert_eq!(server.location("kept").as_ref(), Some(&uri), "{script:?}");
        assert_eq!(server.location("b"), None, "{script:?}");
        browser.open(&home);
        assert_eq!(browser.text(".site .last"), "Sign out", "{script:?}");
    }
}

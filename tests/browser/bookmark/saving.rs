//! Saving: the form, what is refused, and what makes it work on every kind of origin.

use harness::browser::{Browser, Script};

use super::save;
use crate::{Bookmark, at, site};

#[test]
fn a_bookmark_is_saved_and_followed_with_script_and_without() {
    let site = site("<title>The site</title>");
    for script in [Script::Runs, Script::Off] {
        let server = Bookmark::start();
        let browser = Browser::start(script);
        let home = server.at("localhost");
        browser.open(&home);
        assert_eq!(browser.title(), "Bookmark Server");
        assert!(browser.text("main").contains("None yet."), "{}", browser.text("main"));

        let uri = at("localhost", site.address()) + "long?way=to#it";
        save(&browser, &uri, "s");
        assert_eq!((browser.url(), browser.title()), (home.clone(), "Bookmark Server".into()));
        assert_eq!(browser.text(".pair"), format!("s : {uri}"));
        // The page came of a redirect: to load it again saves nothing again.
        browser.reload();
        let posts = server.relay.requests().into_iter().filter(|asked| asked.method == "POST");
        assert_eq!(posts.count(), 1);

        browser.follow(".pair a");
        assert_eq!((browser.url(), browser.title()), (uri, "The site".to_owned()), "{script:?}");
        browser.open(&(home + "s"));
        assert_eq!(browser.title(), "The site");
    }
}

#[test]
fn what_cannot_be_saved_is_said_and_names_what_was_typed() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    browser.open(&server.at("localhost"));
    save(&browser, "this is <b>fake</b>", "bad");
    let text = browser.text("#longuri-wrong");
    assert!(text.starts_with("Not saved: \"this is <b>fake</b>\" cannot be fetched."), "{text}");
    assert_eq!(server.location("bad"), None);
}

#[test]
fn the_form_is_complete_before_it_is_sent() {
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    browser.open(&server.at("localhost"));
    browser.type_into("#shortname", "a");
    browser.click("button");
    let missing = browser.run("return document.querySelector(':invalid:not(form)').id");
    assert_eq!(missing, "longuri".into());
    assert!(server.relay.requests().iter().all(|asked| asked.method == "GET"));
}

/// The guard of `bookmark` rests on what browsers send, which is not the same to every host.
#[test]
fn its_own_form_saves_on_every_kind_of_origin() {
    let site = site("");
    let uri = at("localhost", site.address());
    let server = Bookmark::start();
    let browser = Browser::start(Script::Runs);
    for (host, fetch_site) in [
        ("localhost", Some("same-origin")),
        ("127.0.0.1", Some("same-origin")),
        ("plain.test", None),
    ] {
        let home = server.at(host);
        browser.open(&home);
        save(&browser, &uri, host);
        assert_eq!(server.location(host).as_ref(), Some(&uri), "{}", browser.text("body"));
        let requests = server.relay.requests();
        let mut posts = requests.iter().filter(|asked| asked.method == "POST");
        let post = posts.find(|asked| home.contains(asked.field("host").unwrap())).unwrap();
        assert_eq!(post.field("sec-fetch-site"), fetch_site, "{host}");
        assert_eq!(post.field("origin"), home.strip_suffix('/'), "{host}");
    }
}

//! Edits and deletions, and what comes of two at once.

use harness::browser::Browser;

use super::BOTH;
use crate::{Bookmark, at, site};

#[test]
fn a_bookmark_is_edited_from_the_list_with_script_and_without() {
    let site = site("<title>The site</title>");
    let uri = |path: &str| at("localhost", site.address()) + path;
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a b/c", &*uri("old")), ("other", &*uri(""))]);
        let browser = Browser::start(script);
        browser.open(&server.at("localhost"));
        browser.follow(".list li:first-child .meta a[href^='/.edit/']");
        assert_eq!(browser.title(), "Edit a b/c – Bookmark Server");
        // What is to be changed is there, and need not be typed again.
        assert_eq!(browser.value("#longuri"), uri("old"));
        browser.clear("#longuri");
        browser.type_into("#longuri", &uri("new"));
        browser.follow("main form button");
        // The page after it shows what came of it.
        assert_eq!(browser.url(), server.at("localhost") + ".details/a%20b/c");
        assert_eq!(browser.text(".facts dd"), uri("new"));
        assert_eq!(server.location("a%20b/c"), Some(uri("new")), "{script:?}");
        assert_eq!(server.location("other"), Some(uri("")), "{script:?}");
    }
}

#[test]
fn an_edit_that_cannot_be_is_refused_beside_its_field_and_keeps_what_was_typed() {
    let site = site("");
    let uri = at("localhost", site.address());
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a", &*uri)]);
        let browser = Browser::start(script);
        browser.open(&(server.at("localhost") + ".edit/a"));
        for (typed, said) in [
            ("ftp://a/", "wanted the scheme http or https"),
            (&*(server.at("localhost") + "a"), "would lead back to itself"),
        ] {
            browser.clear("#longuri");
            browser.type_into("#longuri", typed);
            browser.follow("main form button");
            let text = browser.text("#longuri-wrong[role=alert]");
            assert!(text.contains(said), "{said}: {text}");
            assert_eq!(browser.value("#longuri"), typed, "{script:?}");
        }
        assert_eq!(server.location("a").as_ref(), Some(&uri), "{script:?}");
    }
}

/// Two have the same form open; who sends it last is told what the first one did.
#[test]
fn an_edit_does_not_undo_what_somebody_else_changed_meanwhile() {
    let site = site("");
    let uri = |path: &str| at("localhost", site.address()) + path;
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a", &*uri("first"))]);
        let browser = Browser::start(script);
        browser.open(&(server.at("localhost") + ".edit/a"));
        server.save([("a", &*uri("theirs"))]);
        browser.clear("#longuri");
        browser.type_into("#longuri", &uri("mine"));
        browser.follow("main form button");
        let text = browser.text("[role=alert]");
        let there = uri("theirs");
        assert_eq!(text, format!("Nothing was changed: \"a\" leads to {there} meanwhile."));
        assert_eq!(server.location("a"), Some(there), "{script:?}");
        // What was typed is still there, and now it is for what is there now.
        assert_eq!(browser.value("#longuri"), uri("mine"));
        browser.follow("main form button");
        assert_eq!(server.location("a"), Some(uri("mine")), "{script:?}");
    }
}

#[test]
fn what_was_typed_into_an_edit_is_not_lost_where_the_bookmark_was_deleted_meanwhile() {
    let site = site("");
    let uri = |path: &str| at("localhost", site.address()) + path;
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a b", &*uri("first"))]);
        let (mine, theirs) = (Browser::start(script), Browser::start(script));
        mine.open(&(server.at("localhost") + ".edit/a%20b"));
        theirs.open(&(server.at("localhost") + ".delete/a%20b"));
        theirs.follow("main form button");
        mine.clear("#longuri");
        mine.type_into("#longuri", &uri("?mine=1&more"));
        mine.follow("main form button");
        let text = mine.text("[role=alert]");
        assert_eq!(text, "Nothing was changed: \"a b\" was deleted meanwhile.");
        mine.follow(".actions a[href^='/?']");
        mine.follow("main form button");
        assert_eq!(server.location("a%20b"), Some(uri("?mine=1&more")), "{script:?}");
    }
}

#[test]
fn a_bookmark_is_deleted_once_that_is_confirmed_with_script_and_without() {
    let site = site("");
    let uri = at("localhost", site.address());
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a", &*uri), ("b", &*uri)]);
        let browser = Browser::start(script);
        browser.open(&(server.at("localhost") + "a+"));
        browser.follow(".actions a[href='/.delete/a']");
        assert_eq!(browser.text("h1"), "Delete a?");
        // Not yet; and who would rather keep it goes on to its details.
        assert_eq!(server.location("a").as_ref(), Some(&uri));
        browser.follow(".actions a[href='/.details/a']");
        browser.back();
        browser.follow("main form button");
        assert_eq!(browser.url(), server.at("localhost"));
        assert_eq!(browser.texts(".pair"), [format!("b : {uri}")], "{script:?}");
        assert_eq!((server.location("a"), server.location("b")), (None, Some(uri.clone())));
    }
}

#[test]
fn what_somebody_else_changed_or_deleted_meanwhile_is_not_deleted_unseen() {
    let site = site("");
    let uri = |path: &str| at("localhost", site.address()) + path;
    for script in BOTH {
        let server = Bookmark::start();
        server.save([("a", &*uri("first"))]);
        let (mine, theirs) = (Browser::start(script), Browser::start(script));
        let page = server.at("localhost") + ".delete/a";
        mine.open(&page);
        server.save([("a", &*uri("second"))]);
        mine.follow("main form button");
        let text = mine.text("[role=alert]");
        assert!(text.ends_with(&format!("leads to {} meanwhile.", uri("second"))), "{text}");
        assert_eq!(server.location("a"), Some(uri("second")), "{script:?}");
        // The page has the form again. Somebody is faster this time.
        theirs.open(&page);
        theirs.follow("main form button");
        mine.follow("main form button");
        assert_eq!(mine.text("h1"), "Changed meanwhile");
        assert_eq!(mine.text("[role=alert]"), "Nothing was changed: \"a\" was deleted meanwhile.");
    }
}

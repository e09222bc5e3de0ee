//! Who may do what where there is a password: signing in and out, and a server that shows strangers nothing.

use harness::browser::Browser;

use super::{BOTH, line, locked, save, sign_in};
use crate::{at, site};

#[test]
fn who_signs_in_comes_to_where_that_was_asked_for_and_may_change_it_until_signing_out() {
    let site = site("");
    let uri = at("localhost", site.address());
    // `plain.test` is a host to which browsers give no cookie that is for https alone.
    for (script, host) in BOTH.into_iter().flat_map(|it| [(it, "localhost"), (it, "plain.test")]) {
        let server = locked(&[]);
        let home = server.at(host);
        let browser = Browser::start(script);
        browser.open(&home);
        assert!(!browser.source().contains("longuri"), "who may not save is shown no form");
        assert!(browser.text("main").contains("None yet."));
        browser.open(&format!("{home}.import"));
        assert_eq!(browser.url(), format!("{home}.login?next=%2F.import"));
        sign_in(&browser, "shut");
        assert_eq!(browser.text("#password-wrong[role=alert]"), "That is not the password.");
        assert_eq!(browser.value("#password"), "", "a password is not sent back");
        sign_in(&browser, "open");
        assert_eq!(browser.url(), format!("{home}.import"), "{script:?}, {host}");

        browser.follow(".site a");
        save(&browser, &uri, "a");
        assert_eq!(browser.text(".pair"), format!("a : {uri}"));
        browser.follow(".site .last button");
        assert_eq!((browser.url(), browser.text(".site .last")), (home.clone(), "Sign in".into()));
        assert_eq!(browser.texts(".meta a[href^='/.edit/']"), Vec::<String>::new());
        // Reading is for everybody.
        assert_eq!(browser.text(".pair"), format!("a : {uri}"));
        browser.open(&format!("{home}.edit/a"));
        assert_eq!(browser.title(), "Sign in – Bookmark Server", "{script:?}, {host}");
    }
}

/// The session ended elsewhere while a form was being filled in.
#[test]
fn what_was_typed_is_not_lost_where_a_session_has_ended_meanwhile() {
    let site = site("");
    let uri = at("localhost", site.address());
    for script in BOTH {
        let server = locked(&[]);
        let browser = Browser::start(script);
        browser.open(&(server.at("localhost") + ".login"));
        sign_in(&browser, "open");
        browser.type_into("#longuri", &uri);
        browser.type_into("#shortname", "a");
        browser.forget_cookies();
        browser.follow("main form button");
        let text = browser.text("[role=alert]");
        assert_eq!(text, "A password is needed for this: sign in first.", "{script:?}");
        sign_in(&browser, "open");
        assert_eq!(server.location("a"), None, "nobody has sent it again yet");
        browser.follow("main form button");
        assert_eq!(server.location("a").as_ref(), Some(&uri), "{script:?}");

        browser.open(&(server.at("localhost") + ".edit/a"));
        browser.type_into("#longuri", "?more=%26");
        browser.forget_cookies();
        browser.follow("main form button");
        sign_in(&browser, "open");
        assert_eq!(browser.value("#longuri"), format!("{uri}?more=%26"));
        browser.follow("main form button");
        assert_eq!(server.location("a"), Some(format!("{uri}?more=%26")), "{script:?}");
    }
}

#[test]
fn who_signs_in_on_the_way_to_a_bookmark_comes_to_where_it_leads() {
    let site = site("<title>The site</title>");
    let uri = at("localhost", site.address()) + "?there";
    for script in BOTH {
        let server = locked(&[("PRIVATE", "1")]);
        let home = server.at("localhost");
        let browser = Browser::start(script);
        browser.open(&home);
        sign_in(&browser, "open");
        save(&browser, &uri, "a");
        browser.forget_cookies();
        browser.open(&format!("{home}a"));
        assert_eq!(browser.title(), "Sign in – Bookmark Server");
        sign_in(&browser, "open");
        browser.wait_for("it moves on", || (browser.url() == uri).then_some(()));
        assert_eq!(browser.title(), "The site", "{script:?}");
    }
}

#[test]
fn a_private_server_shows_a_stranger_nothing_and_is_left_behind_by_signing_out() {
    for script in BOTH {
        let server = locked(&[("PRIVATE", "1")]);
        let home = server.at("localhost");
        let browser = Browser::start(script);
        for path in ["", "a", "nobody", "a+", ".export", "?q=a&sort=newest"] {
            browser.open(&format!("{home}{path}"));
            assert_eq!(browser.title(), "Sign in – Bookmark Server", "{path}");
            let offered = browser.texts(".site a:not(.last)");
            assert_eq!(offered, ["Bookmarks"], "what needs a password is not offered");
        }
        // Of the last: where it came from is not lost.
        sign_in(&browser, "open");
        assert_eq!(browser.url(), format!("{home}?q=a&sort=newest"));
        browser.open(&format!("{home}.import"));
        let file = browser.folder().join("secret.jsonl");
        std::fs::write(&file, line("secret", "http://secret.example/")).unwrap();
        browser.type_into("#file", file.to_str().unwrap());
        browser.click("#check");
        browser.follow("main form button");
        browser.follow("main a");
        assert_eq!(browser.text(".pair"), "secret : http://secret.example/");
        browser.follow(".meta a[href^='/.details/']");
        assert_eq!(browser.text("h1"), "secret");

        browser.follow(".site .last button");
        assert_eq!(browser.title(), "Sign in – Bookmark Server");
        // A page that the browser still had would show all of it to whoever sits there next.
        for _ in 0..2 {
            browser.back();
            assert!(!browser.source().contains("secret.example"), "{script:?}: {}", browser.url());
        }
    }
}

//! What a site adds to TLS: a way from http to https, and cookies that never leave it. In curl, and in
//! a browser that trusts the authority.

use harness::browser::{Browser, Script};
use harness::program::Folder;

use crate::clients::{curl, fetched};
use crate::server::{Https, LOCALHOST, certificate, expired};

/// A server with a port of http besides, and that port.
fn with_http(names: &str) -> (Https, u16) {
    let make = |folder: &Folder| certificate(folder, "localhost", names);
    let server = Https::with(&[("HTTP_PORT", "0")], make);
    let said = server.program.said("redirecting from http://127.0.0.1:");
    let port = said[0].rsplit_once(':').unwrap().1.parse().unwrap();
    (server, port)
}

#[test]
fn http_leads_to_https_and_the_cookie_stays_there() {
    let (server, http) = with_http("DNS:localhost,DNS:a.test");
    let did = curl(&server, &["-i", &format!("http://localhost:{http}/visits?a=b&c")]);
    let told = did.text();
    assert!(told.starts_with("HTTP/1.1 308 Permanent Redirect\r\n"), "{told}");
    assert!(told.contains(&format!("\r\nLocation: {}\r\n", server.url("/visits?a=b&c"))), "{told}");
    assert!(!told.contains("Set-Cookie") && !told.contains("Strict-Transport"), "{told}");

    // A name with a dot, that is kept to https, and a jar that both ports get to see: from https the
    // cookie comes, to http it does not go. (To curl, plain http on `localhost` counts as safe.)
    let jar = server.folder.file("jar");
    let here = |port| format!("a.test:{port}:127.0.0.1");
    let resolve =
        ["--resolve", &here(server.port), "--resolve", &here(http), "-b", &jar, "-c", &jar];
    let visits = format!("https://a.test:{}/visits", server.port);
    for count in 1..=2 {
        let told = fetched(&server, &[&resolve[..], &["-i", &visits]].concat());
        let cookie = format!("__Host-visits={count}; Path=/; Secure; HttpOnly; SameSite=Lax\r\n");
        assert!(told.contains(&cookie) && told.ends_with(&format!("visits: {count}\n")), "{told}");
        assert!(told.contains("\r\nStrict-Transport-Security: max-age=31536000\r\n"), "{told}");
    }
    let plain = format!("http://a.test:{http}/visits");
    for (url, sent) in [(&plain, false), (&visits, true)] {
        let did = curl(&server, &[&resolve[..], &["-v", url]].concat());
        assert_eq!(did.errors.contains("> Cookie: __Host-visits=2"), sent, "{}", did.errors);
    }
    // `localhost` is everybody's: other servers on it may have no https.
    let told = fetched(&server, &["-i", &server.url("/visits")]);
    assert!(!told.contains("Strict-Transport-Security"), "{told}");

    server.program.signal("TERM");
    let (status, errors) = server.program.end();
    assert!(status.success() && errors.is_empty(), "{status} {errors:?}");
}

#[test]
fn a_browser_that_trusts_the_authority_comes_by_https_and_keeps_to_it() {
    let (server, http) = with_http("DNS:localhost,DNS:plain.test");
    let browser = Browser::start_trusting(Script::Runs, &server.authority());
    browser.open(&format!("http://localhost:{http}/visits"));
    assert_eq!(browser.url(), server.url("/visits"));
    assert_eq!(browser.text("body"), "visits: 1");
    browser.reload();
    assert_eq!(browser.text("body"), "visits: 2");
    let cookies = browser.cookies();
    let said = |name| cookies[0].get(name).to_string();
    assert_eq!((cookies.len(), said("name").as_str()), (1, "\"__Host-visits\""));
    assert_eq!((said("secure").as_str(), said("httpOnly").as_str()), ("true", "true"));
    assert_eq!(browser.run("return window.isSecureContext").to_string(), "true");

    // Before a visit, http on the port of https is a mistake; after one, the browser does not make it.
    let at = |scheme| format!("{scheme}://plain.test:{}/", server.port);
    browser.open(&at("http"));
    assert!(browser.text("body").contains("speaks https"), "{}", browser.source());
    browser.open(&at("https"));
    assert_eq!(browser.text("body"), "Hello, World!");
    browser.open(&at("http"));
    assert_eq!((browser.url(), browser.text("body")), (at("https"), "Hello, World!".into()));
}

#[test]
fn a_browser_turns_away_from_a_wrong_name_an_expired_certificate_and_a_stranger() {
    let server = Https::with(&[], |folder| certificate(folder, "localhost", "DNS:plain.test"));
    let browser = Browser::start_trusting(Script::Runs, &server.authority());
    let shown = |name: &str, port, element: &str| {
        browser.open(&format!("https://{name}:{port}/"));
        browser.text(element)
    };
    assert_eq!(shown("plain.test", server.port, "body"), "Hello, World!");
    let refused = |name, port| shown(name, port, "#error-code");
    assert_eq!(refused("other.test", server.port), "NET::ERR_CERT_COMMON_NAME_INVALID");

    let stranger = Https::start(&[]);
    assert_eq!(refused("localhost", stranger.port), "NET::ERR_CERT_AUTHORITY_INVALID");

    // Signed by the authority that the browser trusts, and over.
    let over = Https::with(&[], |folder| {
        for file in ["authority.pem", "authority.key"] {
            std::fs::copy(server.folder.file(file), folder.file(file)).unwrap();
        }
        expired(folder, LOCALHOST);
    });
    assert_eq!(refused("localhost", over.port), "NET::ERR_CERT_DATE_INVALID");
}

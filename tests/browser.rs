//! Web pages in a real browser: headless Chromium visits the examples, and servers made for it.
//!
//! ```text
//! cargo test -p tests --test browser
//! ```
//!
//! It needs Debian's packages `chromium` and `chromium-driver` and, for some tests, axe-core, and fails
//! without them (`.ci/run browser` brings them all); a plain `cargo test` neither builds nor runs it.
//! What only a browser knows is looked at here: which fields it sends, what it refuses to run, to load
//! and to keep, and what a visitor sees. What a server answers to which bytes is tested elsewhere.
//!
//! The parts: the browser itself (`driving`), and what looks pages over (`axe`); the bookmark server
//! as a visitor uses it (`bookmark`) and as others abuse it (`foreign`); what is kept and sent of
//! cookies (`cookies`), and of a folder's files (`files`); sixteen requests at once (`frames`); files
//! that a visitor sends (`uploads`).
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "browser/axe.rs"]
mod axe;
#[path = "browser/bookmark/mod.rs"]
mod bookmark;
#[path = "browser/cookies.rs"]
mod cookies;
#[path = "browser/driving.rs"]
mod driving;
#[path = "browser/files.rs"]
mod files;
#[path = "browser/foreign.rs"]
mod foreign;
#[path = "browser/frames.rs"]
mod frames;
#[path = "browser/uploads.rs"]
mod uploads;

use std::net::SocketAddr;

use harness::client::Client;
use harness::program::{Program, command};
use harness::relay::Relay;
use harness::running::{Running, Told, run};
use longhand::{Request, Response, Server};

/// A bookmark server, and what browsers ask of it.
struct Bookmark {
    relay: Relay,
    program: Program,
}

impl Bookmark {
    /// One that keeps nothing and may look at sites of this machine.
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more settings.
    fn start_with(more: &[(&str, &str)]) -> Self {
        let settings =
            [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", "memory"), ("CHECK_PRIVATE", "allow")];
        let program = Program::start(command("bookmark", &[&settings[..], more].concat()));
        Self { relay: Relay::to(program.address()), program }
    }

    /// Its page, under the name of a host that is this machine.
    fn at(&self, host: &str) -> String {
        at(host, self.relay.address)
    }

    /// Saves bookmarks as the course's form does. Not asked through the relay.
    fn save<'a>(&self, bookmarks: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut client = self.program.client();
        for (name, uri) in bookmarks {
            let form = format!("longuri={}&shortname={}", percent(uri), percent(name));
            let length = form.len();
            client.send(format!(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
            ));
            let answer = client.answer();
            assert_eq!(answer.status, 303, "{name}: {}", answer.text());
        }
    }

    /// Imports lines of JSON, whose URIs nobody checks. Not asked through the relay.
    fn import(&self, lines: &str) {
        let mut client = self.program.client();
        let length = lines.len();
        client.send(format!(
            "POST /.import?check=0 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\
             Content-Type: application/jsonl\r\nContent-Length: {length}\r\n\r\n{lines}"
        ));
        let report = client.answer().text();
        let all = format!("{{\"saved\":{},\"skipped\":0,", lines.lines().count());
        // Blanks before it say that an import goes on which takes its time.
        assert!(report.trim_start().starts_with(&all), "{report}");
    }

    /// Deletes a bookmark, whatever it leads to. Not asked through the relay.
    fn delete(&self, name: &str) {
        let mut client = self.program.client();
        client
            .send(format!("POST /.delete/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(client.answer().status, 303, "{name}");
    }

    /// What it exports. Not asked through the relay.
    fn export(&self, query: &str) -> String {
        fetch(self.program.address(), &format!("/.export{query}"))
    }

    /// Where a name leads, if there is such a bookmark. Not asked through the relay.
    fn location(&self, name: &str) -> Option<String> {
        let answer = self.program.client().get(&format!("/{name}")).answer();
        assert!([303, 404].contains(&answer.status), "{answer:?}");
        answer.field("location").map(str::to_owned)
    }
}

/// Every octet as `%xx`.
fn percent(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}

/// A URL of this machine, under the name of a host.
fn at(host: &str, address: SocketAddr) -> String {
    format!("http://{host}:{}/", address.port())
}

/// A site whose every path shows a page, the same without a policy of any kind.
fn site(page: impl Into<String>) -> Running {
    let page = page.into();
    run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        Response::html(page.clone())
    })
}

/// The body of what a server answers to a GET without a browser.
fn fetch(address: SocketAddr, path: &str) -> String {
    Client::to(address).get(path).answer().text()
}

/// How many requests a site has answered since this was last called. A connection alone is none:
/// browsers open some on a guess.
fn asked(site: &Running) -> usize {
    site.events().iter().filter(|told| matches!(told, Told::Answered { .. })).count()
}

//! The bookmark server as a program: what it writes, serves and stores.

use std::fs;
use std::net::TcpListener;

use harness::answer::Answer;
use harness::client::Client;
use harness::program::{Folder, Program, command};
use longhand_kit::auth::PasswordHash;
use longhand_kit::base64;

use crate::planted::assert_untold;

const PASSWORD: &str = "Bw8nJd5RtFy2Gx7k";
const WRONG: &str = "Lr5gYc8NfWd3Hs6u";
const QUERY: &str = "Ao4pTz7LvKm2Jq9e";

/// A server whose answers are kept, but for the cookies that they set.
struct Asked {
    program: Program,
    answered: String,
}

impl Asked {
    fn start(settings: &[(&str, &str)]) -> Self {
        Self { program: Program::start(command("bookmark", settings)), answered: String::new() }
    }

    /// Asks on a connection of its own.
    fn ask(&mut self, request: &str) -> Answer {
        let answer = Client::to(self.program.address()).send(request).answer();
        for (name, value) in answer.fields.iter().filter(|(name, _)| name != "set-cookie") {
            self.answered += &format!("{name}: {value}\n");
        }
        self.answered += &answer.text();
        answer
    }

    fn get(&mut self, target: &str, lines: &str) -> u16 {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n")).status
    }

    fn post(&mut self, target: &str, lines: &str, form: &str) -> Answer {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let length = form.len();
        self.ask(&format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\n{lines}{kind}\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
    }

    /// Ends it, and gives all that it wrote: standard output, then standard error.
    fn end(self) -> (String, String, String) {
        self.program.signal("TERM");
        let lines = self.program.said_to_the_end();
        let (status, errors) = self.program.end();
        assert!(status.success(), "{errors:?}");
        (self.answered, lines.join("\n"), errors.join("\n"))
    }
}

fn basic(text: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64::encode(text))
}

#[test]
fn a_server_with_a_password_tells_it_nowhere_nor_what_was_guessed_nor_a_session() {
    for log in ["combined", "json"] {
        let folder = Folder::new();
        let store = folder.file("bookmarks.log");
        let hash = PasswordHash::make(PASSWORD, 1_000).unwrap().to_string();
        let mut server = Asked::start(&[
            ("PORT", "0"),
            ("HOST", "127.0.0.1"),
            ("STORE", &store),
            ("PASSWORD", &hash),
            ("ACCESS_LOG", log),
        ]);
        let here = server.program.url.clone();
        let save = format!("longuri={here}/.login&shortname=a");
        // In the form, right and wrong, and where it does not belong.
        let signed_in = server.post("/.login", "", &format!("password={PASSWORD}"));
        assert_eq!(signed_in.status, 303);
        let cookie = signed_in.field("set-cookie").unwrap().split(';').next().unwrap();
        let session = cookie.split_once('=').unwrap().1;
        let forms = [
            (format!("password={WRONG}"), 403),
            (format!("password={PASSWORD}x"), 403),
            (format!("password={PASSWORD}%"), 400),
            (format!("{PASSWORD}=x"), 403),
        ];
        for (form, status) in forms {
            assert_eq!(
                server.post("/.login", "Accept: text/html\r\n", &form).status,
                status,
                "{form}"
            );
        }
        // As credentials of a program.
        for (lines, status) in [
            (basic(&format!("me:{PASSWORD}")), 303),
            (basic(&format!("me:{WRONG}")), 401),
            (basic(&format!("{PASSWORD}:")), 401),
            (basic(&format!("{PASSWORD}\0")), 401),
            (format!("Authorization: Basic {PASSWORD}!\r\n"), 401),
            (basic(&format!("me:{PASSWORD}")).repeat(2), 401),
            (format!("Cookie: {cookie}\r\n"), 303),
            (format!("Cookie: sid={WRONG}{WRONG}\r\n"), 401),
            (format!("Authorization : {PASSWORD}\r\n"), 400),
            (format!("Authorization: {PASSWORD}\x01\r\n"), 400),
            (format!("Cookie: {}\r\n", session.repeat(1_000)), 431),
        ] {
            assert_eq!(server.post("/", &lines, &save).status, status, "{lines}");
        }
        // In a target, where a log has it if anything has.
        let with_session = format!("Cookie: {cookie}\r\nReferer: {here}/?q={QUERY}\r\n");
        for (target, status) in [
            ("/", 200),
            (&*format!("/?q={QUERY}"), 200),
            (&*format!("/.login?password={QUERY}"), 200),
            ("/a", 303),
            ("/nobody", 404),
            ("/.metrics", 200),
            ("/.export", 200),
            ("/.healthz", 200),
        ] {
            assert_eq!(server.get(target, &with_session), status, "{target}");
        }
        assert_eq!(server.post("/.logout", &with_session, "").status, 303);
        let kept = fs::read(&store).unwrap();
        let kept = String::from_utf8_lossy(&kept).into_owned();
        let parts: Vec<&str> = hash.split('$').skip(2).collect();
        let secrets = [PASSWORD, WRONG, session, parts[0], parts[1]];
        let (answered, lines, errors) = server.end();
        assert_untold("an answer", &answered.replace(QUERY, ""), &secrets);
        assert_untold("standard output", &lines, &[&secrets[..], &[QUERY]].concat());
        assert_untold("standard error", &errors, &[&secrets[..], &[QUERY]].concat());
        assert_untold("the store", &kept, &secrets);
        // What was looked through is what was meant.
        assert!(lines.lines().count() >= 20 && lines.contains("/.login"), "{lines}");
        assert!(answered.contains("bookmark_saves_total 2"), "{answered}");
        assert!(kept.contains(&here), "{kept}");
    }
}

#[test]
fn the_password_of_a_store_that_is_away_is_told_nowhere() {
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = format!("redis://me:{PASSWORD}@{gone}/3");
    let mut server = Asked::start(&[("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &store)]);
    let here = server.program.url.clone();
    assert_eq!(server.get("/", ""), 503);
    assert_eq!(server.post("/", "", &format!("longuri={here}/.healthz&shortname=a")).status, 503);
    assert_eq!(server.get("/.metrics", ""), 200);
    let (answered, lines, errors) = server.end();
    assert!(errors.contains(&format!("STORE: redis://{gone}/3: ")), "{errors}");
    for (place, text) in [("an answer", answered), ("output", lines), ("errors", errors)] {
        assert_untold(place, &text, &[PASSWORD]);
    }
}

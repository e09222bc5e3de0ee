//! How it ends: what is under way is finished, the health check says no, a second signal is final.

use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use harness::client::Client;
use harness::program::{Folder, Program};
use harness::running::{Running, run};
use longhand::{Request, Response, Server};

use crate::{FORM_HEAD, OPEN, PLAIN, form, get, start};

/// A site that answers when it is told to: it says that it was asked, and waits.
fn slow_site() -> (Running, Receiver<()>, Sender<()>) {
    let (ask, asked) = channel();
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        ask.send(()).unwrap();
        // An error is the end of the test, which waits no more either.
        let _ = go.lock().unwrap().recv();
        Response::text("at last")
    });
    (site, asked, let_go)
}

/// Begins to save a site, and is back when the check has reached it.
fn begin_to_save(server: &Program, site: &Running, asked: &Receiver<()>) -> Client {
    let mut saving = server.client();
    let form = form("slow", &format!("http://{}/", site.address()));
    let length = form.len();
    saving.send(format!("{FORM_HEAD}Content-Length: {length}\r\n\r\n{form}"));
    asked.recv().unwrap();
    saving
}

/// A connection that rests after a request: the drain closes it, and so tells that it has begun.
fn resting(server: &Program) -> Client {
    let mut client = server.client();
    assert_eq!(client.get("/").answer().status, 200);
    client
}

#[test]
fn a_request_that_has_begun_is_finished() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let settings = [("PORT", "0"), ("CHECK_PRIVATE", "allow"), ("STORE", log.as_str())];
    for signal in ["TERM", "INT"] {
        let (site, asked, let_go) = slow_site();
        let server = start(&settings);
        let mut saving = begin_to_save(&server, &site, &asked);
        let mut resting = resting(&server);
        server.signal(signal);
        resting.expect_end();
        let_go.send(()).unwrap();
        let answer = saving.answer();
        assert_eq!((answer.status, answer.closes()), (303, true), "{signal}");
        saving.expect_end();
        // Before that, the server would wait a second for what it may still say.
        drop(saving);
        let (status, errors) = server.end();
        assert!(status.success() && errors.is_empty(), "{signal}: {status} {errors:?}");
    }
    let again = start(&settings);
    assert_eq!(get(&format!("{}/slow", again.url)).status, 303);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (site, asked, _never) = slow_site();
    let server = start(&OPEN);
    let _saving = begin_to_save(&server, &site, &asked);
    let mut resting = resting(&server);
    server.signal("TERM");
    resting.expect_end();
    server.signal("TERM");
    assert_eq!(server.end().0.signal(), Some(15));
}

#[test]
fn what_is_not_done_after_drain_ms_is_cut() {
    let (site, asked, _never) = slow_site();
    let server = start(&[OPEN.as_slice(), &[("DRAIN_MS", "0")]].concat());
    let mut saving = begin_to_save(&server, &site, &asked);
    server.signal("TERM");
    // No half answer: nothing at all.
    assert!(saving.rest().unwrap_or_default().is_empty());
    let (status, errors) = server.end();
    assert_eq!(status.code(), Some(1), "a handler would not end: {errors:?}");
}

#[test]
fn the_health_check_says_no_while_requests_are_still_answered() {
    let server = start(&[PLAIN.as_slice(), &[("LAME_DUCK_MS", "3600000")]].concat());
    let health = format!("{}/.healthz", server.url);
    assert_eq!(get(&health).status, 200);
    server.signal("TERM");
    // The signal is on its way; each question takes its time.
    let last = loop {
        let answer = get(&health);
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(last.status, 404);
    let mut client = server.client();
    let answer = client.get("/").answer();
    assert_eq!((answer.status, answer.closes()), (200, true));
    server.signal("TERM");
    assert_eq!(server.end().0.signal(), Some(15));
}

#[test]
fn nothing_to_do_is_done_at_once() {
    for settings in [&PLAIN[..], &[("PORT", "0"), ("STORE", "memory")]] {
        let server = start(settings);
        server.signal("TERM");
        assert!(server.end().0.success(), "{settings:?}");
    }
}

//! What was acknowledged is there: after a kill, after a torn line, in another process.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::{fs, thread};

use harness::client::Client;
use harness::program::{Folder, Program};

use crate::{FORM_HEAD, form, get, post, save, send, start};

fn on(log: &str) -> Program {
    start(&[("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", log)])
}

fn leads(server: &Program, name: &str) -> Option<String> {
    let answer = get(&format!("{}/{name}", server.url));
    (answer.status == 303).then(|| answer.field("location").unwrap().to_owned())
}

#[test]
fn every_acknowledged_save_survives_kill() {
    const WRITERS: usize = 4;
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let server = on(&log);
        let (tell, told) = channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (tell, client, url) = (tell.clone(), server.client(), server.url.clone());
                thread::spawn(move || {
                    let names = (0..).map(|number| format!("r{round}-w{writer}-{number}"));
                    write(client, &url, names, |saved| tell.send(saved).unwrap());
                })
            })
            .collect();
        drop(tell);
        acknowledged.extend(told.iter().take(40));
        // In the middle of it: nobody has told the writers to stop.
        server.kill();
        acknowledged.extend(told);
        writers.into_iter().for_each(|writer| writer.join().unwrap());

        let server = on(&log);
        for (name, uri) in &acknowledged {
            assert_eq!(leads(&server, name).as_ref(), Some(uri), "{name}");
        }
    }
    assert!(acknowledged.len() >= 120);
}

/// Saves one name after the other until the server is gone.
fn write(
    mut client: Client,
    url: &str,
    names: impl Iterator<Item = String>,
    saved: impl Fn((String, String)),
) {
    for name in names {
        let uri = format!("{url}/?{name}");
        let form = form(&name, &uri);
        let head = format!("{FORM_HEAD}Content-Length: {}\r\n\r\n", form.len());
        // By hand: what is sent to a server that was killed may fail, and that ends the loop.
        let sent = client.stream.write_all((head + &form).as_bytes());
        match sent.and_then(|()| client.try_answer()) {
            Ok(answer) => assert_eq!(answer.status, 303),
            Err(_) => return,
        }
        saved((name, uri));
    }
}

#[test]
fn a_torn_last_line_is_cut_and_the_rest_is_kept() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let server = on(&log);
    let home = server.url.clone();
    assert_eq!(save(&server, "whole", &home).status, 303);
    server.kill();
    let tear = || {
        let mut file = OpenOptions::new().append(true).open(&log).unwrap();
        file.write_all(b"put\ttorn\thttp://exa").unwrap();
    };
    tear();
    let server = on(&log);
    assert_eq!(leads(&server, "whole"), Some(home.clone()));
    assert_eq!(leads(&server, "torn"), None);
    assert_eq!(save(&server, "next", &server.url).status, 303);
    // Another process dies while this one runs.
    tear();
    assert_eq!(leads(&server, "whole"), Some(home.clone()));
    assert_eq!(save(&server, "last", &server.url).status, 303);
    server.kill();
    let server = on(&log);
    for name in ["whole", "next", "last"] {
        assert!(leads(&server, name).is_some(), "{name}");
    }
    assert!(!fs::read_to_string(&log).unwrap().contains("torn"));
}

#[test]
fn a_damaged_line_is_named_and_nothing_is_changed() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let server = on(&log);
    for name in ["a", "b"] {
        assert_eq!(save(&server, name, &server.url).status, 303);
    }
    server.kill();
    let damaged = fs::read_to_string(&log).unwrap().replace("put\ta\t", "put\tx\t");
    fs::write(&log, &damaged).unwrap();
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", log.as_str())];
    let (code, _, errors) = harness::program::run(harness::program::command("bookmark", &settings));
    assert_eq!(code, 2);
    assert!(errors.contains("line 2") && errors.contains("checksum"), "{errors}");
    assert_eq!(fs::read_to_string(&log).unwrap(), damaged);
}

#[test]
fn two_processes_on_one_log_see_each_others_saves() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let servers = [on(&log), on(&log)];
    for round in 0..10 {
        for (writer, reader) in [(0, 1), (1, 0)] {
            let (name, uri) = (format!("n{round}"), format!("{}/?{round}", servers[writer].url));
            assert_eq!(save(&servers[writer], &name, &uri).status, 303);
            for server in [&servers[reader], &servers[writer]] {
                assert_eq!(leads(server, &name).as_ref(), Some(&uri), "round {round}");
            }
            let page = get(&servers[reader].url).body;
            assert!(page.contains(&format!(">{uri}<")), "{page}");
        }
    }
}

#[test]
fn a_log_that_fails_is_a_500_and_not_an_empty_list() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let server = on(&log);
    assert_eq!(save(&server, "a", &server.url).status, 303);
    fs::remove_file(&log).unwrap();
    for path in ["/", "/a", "/b"] {
        let answer = get(&format!("{}{path}", server.url));
        assert_eq!(answer.status, 500, "{path}");
        assert!(!answer.body.contains(&log) && answer.body.contains("log"), "{}", answer.body);
    }
    // The check of its own address fails with it; a page that needs no log still answers.
    let other = format!("{}/.healthz", server.url);
    assert_eq!(save(&server, "b", &other).status, 500);
}

/// A request by hand, with a form.
fn posted(path: &str, form: &str) -> String {
    FORM_HEAD.replacen("POST /", &format!("POST {path}"), 1)
        + &format!("Content-Length: {}\r\n\r\n{form}", form.len())
}

#[test]
fn edits_and_deletions_survive_kill_whole_or_not_at_all() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    for round in 0..3 {
        let server = on(&log);
        let (tell, told) = channel();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (tell, mut client, url) = (tell.clone(), server.client(), server.url.clone());
                thread::spawn(move || {
                    let name = format!("r{round}-w{writer}");
                    // Before each change: what is acknowledged, and what may be there from now on.
                    let mut now = None;
                    for number in 0.. {
                        let uri = format!("{url}/?{number}");
                        let (request, next) = match number % 3 {
                            0 => (posted("/", &form(&name, &uri)), Some(uri)),
                            1 => (
                                posted(&format!("/.edit/{name}"), &format!("longuri={uri}")),
                                Some(uri),
                            ),
                            _ => (posted(&format!("/.delete/{name}"), ""), None),
                        };
                        let sent = client.stream.write_all(request.as_bytes());
                        match sent.and_then(|()| client.try_answer()) {
                            Ok(answer) => assert_eq!(answer.status, 303, "{}", answer.text()),
                            Err(_) => return (name, now, next),
                        }
                        now = next;
                        tell.send(()).unwrap();
                    }
                    unreachable!("it goes on until the server is gone")
                })
            })
            .collect();
        drop(tell);
        assert_eq!(told.iter().take(100).count(), 100);
        server.kill();
        let server = on(&log);
        for writer in writers {
            let (name, acknowledged, next) = writer.join().unwrap();
            let found = leads(&server, &name);
            assert!(found == acknowledged || found == next, "{name}: {found:?}");
        }
    }
}

#[test]
fn of_two_processes_that_edit_the_same_one_wins_and_the_other_is_told() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let servers = [on(&log), on(&log)];
    let mut was = servers[0].url.clone();
    assert_eq!(save(&servers[0], "a", &was).status, 303);
    for round in 0..20 {
        let together = Barrier::new(2);
        let edit = |who: usize| format!("{}/?{round}-{who}", servers[who].url);
        let statuses = thread::scope(|scope| {
            let edits = [0, 1].map(|who| {
                let (together, url) = (&together, format!("{}/.edit/a", servers[who].url));
                let form = format!("was={was}&longuri={}", edit(who));
                scope.spawn(move || {
                    together.wait();
                    post(&url, &form).status
                })
            });
            edits.map(|edit| edit.join().unwrap())
        });
        assert!(matches!(statuses, [303, 409] | [409, 303]), "{statuses:?}");
        was = edit(usize::from(statuses[1] == 303));
        for server in &servers {
            assert_eq!(leads(server, "a").as_ref(), Some(&was));
        }
    }
}

#[test]
fn who_signed_in_at_one_process_is_known_to_the_other() {
    let folder = Folder::new();
    let log = folder.file("bookmarks.log");
    let hash = longhand_kit::auth::PasswordHash::make("open", 1_000).unwrap().to_string();
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log), ("PASSWORD", &*hash)];
    let servers = [start(&settings), start(&settings)];
    let signed_in = post(&format!("{}/.login", servers[0].url), "password=open");
    let cookie = signed_in.field("set-cookie").unwrap().split(';').next().unwrap();
    let change = |path: &str, form: &str| {
        let url = format!("{}{path}", servers[1].url);
        send("POST", &url, &[("Cookie", cookie)], Some(form.as_bytes())).status
    };
    assert_eq!(change("/", &form("a", &servers[1].url)), 303);
    assert_eq!(change("/.logout", ""), 303);
    assert_eq!(change("/", &form("a", &servers[1].url)), 401);
}

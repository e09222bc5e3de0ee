//! What was acknowledged is there: after a kill, after a torn line, in another process.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::mpsc::channel;
use std::{fs, thread};

use harness::client::Client;
use harness::program::{Folder, Program};

use crate::{FORM_HEAD, form, get, save, start};

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
            assert!(page.contains(&format!(" : {uri}<")), "{page}");
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

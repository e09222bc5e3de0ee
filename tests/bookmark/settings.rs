//! Each setting: what it does, and what a bad value says.

use std::fs;
use std::net::TcpListener;

use harness::program::{Folder, command, run};

use crate::{OPEN, PLAIN, form, get, post, save, send, site, start};

/// Standard error of a program that refuses its settings.
fn refused(settings: &[(&str, &str)]) -> String {
    let (code, output, errors) = run(command("bookmark", settings));
    assert_eq!((code, output.as_str()), (2, ""), "{settings:?}: {errors}");
    assert_eq!(errors.matches('\n').count(), 1, "{errors}");
    errors
}

#[test]
fn a_bad_value_is_named_and_ends_the_program_with_2() {
    for (name, value, wanted) in [
        ("PORT", "abc", "a port"),
        ("PORT", "65536", "a port"),
        ("PORT", "-1", "a port"),
        ("PORT", "", "a port"),
        // Nobody has this address: it is for documentation.
        ("HOST", "192.0.2.1", "cannot listen"),
        ("STORE", "", "a path"),
        ("CHECK_PRIVATE", "yes", "`own`, `allow` or `deny`"),
        ("CHECK_PRIVATE", "Own", "`own`, `allow` or `deny`"),
        ("BASE_URL", "go.example.org", "http://"),
        ("BASE_URL", "https://go.example.org/path", "http://"),
        ("BASE_URL", "", "http://"),
        ("IDLE_MS", "1s", "milliseconds"),
        ("LAME_DUCK_MS", "-1", "milliseconds"),
        ("DRAIN_MS", "abc", "milliseconds"),
    ] {
        let settings: Vec<_> =
            PLAIN.into_iter().filter(|known| known.0 != name).chain([(name, value)]).collect();
        let errors = refused(&settings);
        assert!(errors.contains(wanted) && errors.contains(value), "{name}={value}: {errors}");
        assert!(name == "HOST" || errors.starts_with(&format!("{name}={value}: ")), "{errors}");
    }
}

#[test]
fn who_asks_for_a_lock_is_not_served_without_one() {
    for (settings, wanted) in [
        (&[("PASSWORD", "")][..], "PASSWORD=…: expected a password"),
        (&[("PASSWORD", "PBKDF2-SHA256$secret")], "PASSWORD=…: expected a hash"),
        (&[("PRIVATE", "1")], "PRIVATE=1: expected a PASSWORD beside it"),
        (&[("PRIVATE", "yes")], "PRIVATE=yes: expected 1 or 0"),
    ] {
        let errors = refused(&[&[("PORT", "0"), ("STORE", "memory")], settings].concat());
        assert!(errors.starts_with(wanted) && !errors.contains("secret"), "{errors}");
    }
}

#[test]
fn a_store_that_cannot_be_is_refused_without_telling_its_password() {
    let folder = Folder::new();
    let nowhere = folder.file("no/such/folder.log");
    let other = folder.file("letter.txt");
    fs::write(&other, "Dear diary,\n").unwrap();
    for (store, wanted) in [
        ("rediss://:secret@db:6379", "STORE=rediss://…: expected redis://…: TLS is not spoken"),
        ("redis://me:sec/ret@db", "STORE=redis://…: expected `@`, `/`"),
        ("redis://:secret", "STORE=redis://…: expected a host"),
        ("postgres://me:secret@db/x", "STORE=postgres://…: expected a path, `memory` or redis://"),
        (nowhere.as_str(), "STORE: "),
        (other.as_str(), "line 1"),
    ] {
        let errors = refused(&[("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", store)]);
        assert!(errors.contains(wanted) && !errors.contains("secret"), "{errors}");
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "Dear diary,\n");
}

#[test]
fn help_lists_the_settings_and_other_arguments_are_refused() {
    for flag in ["--help", "-h"] {
        let mut command = command("bookmark", &[]);
        command.arg(flag);
        let (code, output, errors) = run(command);
        assert_eq!((code, errors.as_str()), (0, ""));
        for setting in [
            "PORT",
            "HOST",
            "STORE",
            "CHECK_PRIVATE",
            "BASE_URL",
            "IDLE_MS",
            "LAME_DUCK_MS",
            "DRAIN_MS",
        ] {
            assert!(output.contains(&format!("\n  {setting} ")), "{setting}: {output}");
        }
    }
    for argument in ["--port=8000", "8000", ""] {
        let mut command = command("bookmark", &[]);
        command.arg(argument);
        let (code, output, errors) = run(command);
        assert_eq!((code, output.as_str()), (2, ""));
        assert!(errors.starts_with(argument) && errors.contains("--help"), "{errors}");
    }
}

#[test]
fn a_hash_is_made_of_a_line_and_lets_in_who_knows_the_line() {
    let folder = Folder::new();
    let hash = |input: &str| {
        fs::write(folder.file("password"), input).unwrap();
        let mut command = command("bookmark", &[]);
        command.arg("--hash").stdin(fs::File::open(folder.file("password")).unwrap());
        run(command)
    };
    for nothing in ["", "\n", " \r\n", "\nsecond\n"] {
        let (code, output, errors) = hash(nothing);
        assert_eq!((code, output.as_str()), (2, ""), "{nothing:?}");
        assert!(errors.starts_with("--hash: expected a password on a line"), "{errors}");
    }
    let (code, line, errors) = hash("open sesame\r\nmore\n");
    assert_eq!((code, errors.as_str()), (0, ""));
    let one = line.strip_suffix('\n').unwrap();
    assert!(one.starts_with("PBKDF2-SHA256$600000$") && !one.contains('\n'), "{line}");
    let server = start(&[&PLAIN[..], &[("PASSWORD", one)]].concat());
    let form = format!("longuri={}/&shortname=a", server.url);
    let mut client = server.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Authorization: Basic {}\r\nContent-Length: {}\r\n\r\n{form}",
        longhand_kit::base64::encode("me:open sesame"),
        form.len()
    ));
    assert_eq!(client.answer().status, 303);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let errors = refused(&[("PORT", &port), ("HOST", "127.0.0.1"), ("STORE", "memory")]);
    assert!(errors.contains("127.0.0.1") && errors.contains(&port), "{errors}");
}

#[test]
fn host_and_port_say_where_it_listens() {
    let server = start(&PLAIN);
    assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    // On all interfaces, as on a hosting platform.
    let server = start(&[("PORT", "0"), ("STORE", "memory")]);
    let port = server.url.strip_prefix("http://localhost:").unwrap();
    let home = format!("http://127.0.0.1:{port}/");
    assert_eq!(get(&home).status, 200);
    // It is its own through whichever of its addresses it was reached.
    for uri in [&home, &format!("http://localhost:{port}/")] {
        assert_eq!(post(&home, &form("a", uri)).status, 303, "{uri}");
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        let six = format!("http://[::1]:{port}/");
        assert_eq!(post(&six, &form("a", &six)).status, 303);
        for host in ["::1", "[::1]"] {
            let server = start(&[("PORT", "0"), ("HOST", host), ("STORE", "memory")]);
            assert!(server.url.starts_with("http://[::1]:"), "{}", server.url);
            assert_eq!(save(&server, "a", &server.url).status, 303);
        }
    }
}

#[test]
fn without_settings_it_listens_on_port_8000_of_loopback_and_keeps_bookmarks_here() {
    let folder = Folder::new();
    let mut command = command("bookmark", &[("PORT", "0"), ("HOST", "127.0.0.1")]);
    command.current_dir(folder.path());
    let server = harness::program::Program::start(command);
    assert_eq!(save(&server, "a", &server.url).status, 303);
    let log = fs::read_to_string(folder.file("bookmarks.log")).unwrap();
    assert!(log.contains(&server.url), "{log}");

    // Whoever has the port now, this test or another program: it is that port which is named.
    let _taken = TcpListener::bind("127.0.0.1:8000");
    let errors = refused(&[("STORE", "memory")]);
    assert!(errors.contains("127.0.0.1, port 8000"), "{errors}");
}

#[test]
fn memory_ends_with_the_program() {
    let folder = Folder::new();
    let begin = || {
        let mut command = command("bookmark", &PLAIN);
        command.current_dir(folder.path());
        harness::program::Program::start(command)
    };
    let server = begin();
    assert_eq!(save(&server, "a", &server.url).status, 303);
    server.kill();
    let again = begin();
    assert_eq!(get(&format!("{}/a", again.url)).status, 404);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn check_private_says_what_a_check_may_reach() {
    let site = site();
    let there = format!("http://{}/", site.address());
    for (setting, itself, others) in [
        (None, 303, 404),
        (Some("own"), 303, 404),
        (Some("allow"), 303, 303),
        (Some("deny"), 404, 404),
    ] {
        let setting = setting.map(|value| ("CHECK_PRIVATE", value));
        let settings: Vec<_> = PLAIN.into_iter().chain(setting).collect();
        let server = start(&settings);
        assert_eq!(save(&server, "a", &server.url).status, itself, "{setting:?}");
        assert_eq!(save(&server, "a", &there).status, others, "{setting:?}");
    }
    // Why is nobody's business: each failure reads the same.
    let server = start(&PLAIN);
    let refused = save(&server, "a", &there).body.replace(&there, "URI");
    drop(site);
    let silent = "http://127.0.0.1:1/";
    assert_eq!(save(&server, "a", silent).body.replace(silent, "URI"), refused);
}

#[test]
fn base_url_is_this_server_by_another_name() {
    let site = site();
    let base = format!("http://{}", site.address());
    let server = start(&[PLAIN.as_slice(), &[("BASE_URL", &base)]].concat());
    // What stands in front of it answers for it,
    assert_eq!(save(&server, "a", &format!("{base}/200")).status, 303);
    // and forms that came through there are its own, whatever became of Host.
    let own = form("b", &server.url);
    for (origin, wanted) in [(base.as_str(), 303), ("http://other.example", 403)] {
        for fields in
            [&[("Origin", origin)][..], &[("Origin", origin), ("Sec-Fetch-Site", "cross-site")]]
        {
            let answer = send("POST", &server.url, fields, Some(own.as_bytes()));
            assert_eq!(answer.status, wanted, "{fields:?}");
        }
    }
}

#[test]
fn idle_ms_closes_what_rests() {
    let server = start(&[OPEN.as_slice(), &[("IDLE_MS", "20")]].concat());
    let mut client = server.client();
    assert_eq!(client.get("/").answer().status, 200);
    client.expect_end();
}

//! A time of day that jumps while a program runs, by `faketime`.

use std::fs;

use harness::client::Client;
use harness::program::{Folder, Program, command, example};
use longhand::wire::parse_date;

use crate::{look_up, save};

/// The library that stands between a program and the time.
fn library() -> String {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut libraries = folders.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.find(|path| path.is_file()).expect("the package faketime is installed");
    found.into_os_string().into_string().unwrap()
}

#[test]
fn whatever_the_time_of_day_jumps_to_the_bookmarks_are_served_and_kept() {
    let folder = Folder::new();
    let (log, clock) = (folder.file("bookmarks.log"), folder.file("clock"));
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", &*log), ("ACCESS_LOG", "json")];
    fs::write(&clock, "@2026-01-01 00:00:00\n").unwrap();
    example("bookmark");
    let mut faked = command("bookmark", &settings);
    faked.env("LD_PRELOAD", library()).env("FAKETIME_TIMESTAMP_FILE", &clock);
    faked.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("TZ", "UTC")]);
    let server = Program::start(faked);
    let mut names = Vec::new();
    let mut seen = Vec::new();
    for (number, time) in [
        "2026-01-01 00:00:00",
        "2037-06-01 00:00:00",
        "1971-01-01 00:00:00",
        "1969-12-31 23:59:58",
        "1901-12-14 00:00:00",
        "2026-01-01 00:00:00",
        "2106-02-08 00:00:00",
        "9999-12-31 23:59:58",
        "2026-01-01 00:00:01",
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&clock, format!("@{time}\n")).unwrap();
        let name = format!("n{number}");
        assert_eq!(save(&server, &mut server.client(), &name), 303, "{time}");
        names.push(name);
        for name in &names {
            assert_eq!(look_up(&server, name), 303, "{time}: {name}");
        }
        let mut client: Client = server.client();
        let page = client.get("/").answer();
        assert_eq!(page.status, 200, "{time}");
        let date = page.field("date").unwrap().to_owned();
        assert!(parse_date(date.as_bytes(), 0).is_some(), "{time}: {date}");
        seen.push(date[12..16].to_owned());
    }
    let years = ["2026", "2037", "1971", "1970", "1970", "2026", "2106", "9999", "2026"];
    assert_eq!(seen, years, "the clock is not the one that was set");
    server.kill();
    let server = Program::start(command("bookmark", &settings));
    for name in &names {
        assert_eq!(look_up(&server, name), 303, "{name}");
    }
}

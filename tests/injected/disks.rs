//! Disks that are full, and disks that nobody may write to, under the log of the bookmarks.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::process::Command;

use harness::program::{Folder, Program, command, run};

use crate::{look_up, save};

/// A small disk in memory, gone when dropped.
struct Disk(Folder);

impl Disk {
    fn new() -> Self {
        let disk = Self(Folder::new());
        mount(&["-t", "tmpfs", "-o", "size=64k", "none", disk.path()]);
        disk
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn log(&self) -> String {
        self.0.file("bookmarks.log")
    }

    /// Leaves no room on it, to the last byte.
    fn fill(&self) {
        let path = self.0.file("filler");
        let mut filler = OpenOptions::new().create(true).append(true).open(path).unwrap();
        for size in [4096, 1] {
            let error = loop {
                if let Err(error) = filler.write_all(&vec![0; size]) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.file("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy", self.path()]).status();
    }
}

fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output().expect("mount is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "to mount a disk takes root: {said}");
}

fn settings(log: &str) -> [(&str, &str); 4] {
    [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", log), ("ACCESS_LOG", "off")]
}

#[test]
fn on_a_full_disk_nothing_is_lost_and_saving_goes_on_when_there_is_room() {
    let disk = Disk::new();
    let log = disk.log();
    let server = Program::start(command("bookmark", &settings(&log)));
    let mut client = server.client();
    let mut saved = Vec::new();
    for round in 0..3 {
        for number in 0..5 {
            let name = format!("r{round}-{number}");
            assert_eq!(save(&server, &mut client, &name), 303, "{name}");
            saved.push(name);
        }
        disk.fill();
        // What is left of the page that the log has begun still takes some.
        let mut refused = Vec::new();
        for number in 0..200 {
            let name = format!("f{round}-{number}");
            match save(&server, &mut client, &name) {
                303 => saved.push(name),
                500 => refused.push(name),
                other => panic!("{name}: {other}"),
            }
            if refused.len() == 5 {
                break;
            }
        }
        assert_eq!(refused.len(), 5, "the disk is full");
        let length = fs::metadata(&log).unwrap().len();
        for name in &saved {
            assert_eq!(look_up(&server, name), 303, "{name}");
        }
        for name in &refused {
            assert_eq!(look_up(&server, name), 404, "{name}");
        }
        assert_eq!(fs::metadata(&log).unwrap().len(), length, "no half of a line is left");
        // One that begins on a full disk has all that was saved.
        let other = Program::start(command("bookmark", &settings(&log)));
        assert_eq!(look_up(&other, saved.last().unwrap()), 303);
        disk.make_room();
    }
    assert_eq!(save(&server, &mut client, "last"), 303);
    let complaint = server.complaint().expect("it says why");
    assert!(complaint.contains("cannot write the log: No space left on device"), "{complaint}");
    server.kill();
    let server = Program::start(command("bookmark", &settings(&log)));
    for name in saved.iter().map(String::as_str).chain(["last"]) {
        assert_eq!(look_up(&server, name), 303, "{name}");
    }
}

#[test]
fn a_log_that_cannot_be_begun_on_a_full_disk_is_named_at_the_start() {
    let disk = Disk::new();
    disk.fill();
    let (code, _, errors) = run(command("bookmark", &settings(&disk.log())));
    assert_eq!(code, 2);
    assert!(errors.contains("bookmarks.log: cannot") && errors.contains("No space"), "{errors}");
    disk.make_room();
    let server = Program::start(command("bookmark", &settings(&disk.log())));
    assert_eq!(save(&server, &mut server.client(), "a"), 303);
}

#[test]
fn a_log_on_a_disk_that_is_read_only_is_named_at_the_start() {
    let disk = Disk::new();
    let log = disk.log();
    let server = Program::start(command("bookmark", &settings(&log)));
    assert_eq!(save(&server, &mut server.client(), "a"), 303);
    server.kill();
    mount(&["-o", "remount,ro", disk.path()]);
    let (code, _, errors) = run(command("bookmark", &settings(&log)));
    assert_eq!(code, 2);
    let told = errors.contains("bookmarks.log: cannot open the log: Read-only file system");
    assert!(told, "{errors}");
    mount(&["-o", "remount,rw", disk.path()]);
    let server = Program::start(command("bookmark", &settings(&log)));
    assert_eq!(look_up(&server, "a"), 303);
}

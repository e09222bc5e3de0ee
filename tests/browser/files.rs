//! The file server as a browser uses it: what it keeps, what it asks for again, what it skips.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use harness::browser::{Browser, Script};
use harness::json::Json;
use harness::program::{Folder, Program, command};
use harness::relay::{Asked, Relay};

use crate::at;

/// A folder, served.
struct Site {
    folder: Folder,
    relay: Relay,
    _program: Program,
}

impl Site {
    /// `fill` puts into the folder what is to be served.
    fn of(fill: impl FnOnce(&Path)) -> Self {
        let folder = Folder::new();
        fill(folder.path());
        let mut files = command("files", &[("PORT", "0"), ("LISTING", "1")]);
        files.arg(folder.path());
        let program = Program::start(files);
        Self { folder, relay: Relay::to(program.address()), _program: program }
    }

    fn at(&self, path: &str) -> String {
        at("localhost", self.relay.address) + path
    }

    /// What was asked for a target so far.
    fn asked(&self, target: &str) -> Vec<Asked> {
        let mut requests = self.relay.requests();
        requests.retain(|asked| asked.target == target);
        requests
    }
}

/// Writes a file that was last modified so many minutes ago. What is younger than a moment may still
/// change unseen, and is sent without validators.
fn write(path: &Path, content: impl AsRef<[u8]>, minutes: u64) {
    fs::write(path, content).unwrap();
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).unwrap();
}

fn status(asked: &Asked) -> u16 {
    asked.answer.as_ref().expect("it was answered").status
}

#[test]
fn a_page_that_was_read_before_is_asked_for_again_and_not_sent_again() {
    let site = Site::of(|folder| {
        write(&folder.join("page.html"), "<title>One</title><p>the first text", 60);
    });
    let browser = Browser::start(Script::Runs);
    browser.open(&site.at("page.html"));
    browser.reload();
    assert_eq!((browser.title(), browser.text("p")), ("One".into(), "the first text".into()));
    let asked = site.asked("/page.html");
    assert_eq!(asked.iter().map(status).collect::<Vec<_>>(), [200, 304]);
    let validator = |name| asked[0].answer.as_ref().unwrap().field(name).unwrap().to_owned();
    assert_eq!(asked[1].field("if-none-match"), Some(&*validator("etag")));
    assert_eq!(asked[1].field("if-modified-since"), Some(&*validator("last-modified")));
    assert!(asked[1].answer.as_ref().unwrap().body.is_empty());

    write(&site.folder.path().join("page.html"), "<title>Two</title><p>another text", 30);
    browser.reload();
    assert_eq!((browser.title(), browser.text("p")), ("Two".into(), "another text".into()));
    assert_eq!(status(&site.asked("/page.html")[2]), 200);
}

/// Five minutes of silence, 13 MB: a browser wants all of it only if it plays all of it.
fn silence() -> Vec<u8> {
    const RATE: u32 = 44_100;
    let samples = vec![0x80; 300 * RATE as usize];
    let length = u32::try_from(samples.len()).unwrap();
    let (riff, format) = ((36 + length).to_le_bytes(), 16_u32.to_le_bytes());
    // Of samples without compression, one channel, each of them one octet.
    let (plain, channels) = (1_u16.to_le_bytes(), 1_u16.to_le_bytes());
    let (octets, bits) = (1_u16.to_le_bytes(), 8_u16.to_le_bytes());
    let (rate, length) = (RATE.to_le_bytes(), length.to_le_bytes());
    let head = [&b"RIFF"[..], &riff, b"WAVEfmt ", &format, &plain, &channels, &rate, &rate];
    [&head.concat()[..], &octets, &bits, b"data", &length, &samples].concat()
}

#[test]
fn a_listener_who_skips_is_sent_what_he_skips_to() {
    let site = Site::of(|folder| {
        write(&folder.join("silence.wav"), silence(), 60);
        write(&folder.join("page.html"), "<audio preload=metadata src=silence.wav></audio>", 60);
    });
    let browser = Browser::start(Script::Runs);
    browser.open(&site.at("page.html"));
    let length = browser.run(
        "const audio = document.querySelector('audio');
         return new Promise(done => {
             if (audio.readyState > 0) done(audio.duration);
             audio.onloadedmetadata = () => done(audio.duration);
             audio.onerror = () => done(audio.error.message);
         })",
    );
    assert_eq!(length, Json::Number(300.0));
    let reached = browser.run(
        "const audio = document.querySelector('audio');
         return new Promise(done => {
             audio.onseeked = () => done(audio.currentTime);
             audio.onerror = () => done(audio.error.message);
             audio.currentTime = 290;
         })",
    );
    assert_eq!(reached, Json::Number(290.0));
    let begins = |asked: &Asked| -> Option<u64> {
        let from = asked.field("range")?.strip_prefix("bytes=")?.split('-').next()?;
        from.parse().ok()
    };
    // One that it has not waited for is without an answer; of what it has, it asks whether that
    // still holds.
    let mut asked = site.asked("/silence.wav");
    asked.retain(|asked| asked.answer.is_some());
    let statuses: Vec<u16> = asked.iter().map(status).collect();
    assert!(statuses.iter().all(|status| [206, 304].contains(status)), "{statuses:?}");
    asked.retain(|asked| status(asked) == 206);
    let last = asked.iter().filter_map(begins).max();
    assert!(last.is_some_and(|from| (12_000_000..44 + 290 * 44_100).contains(&from)), "{last:?}");
}

#[test]
fn every_name_in_a_listing_leads_to_its_file() {
    let names =
        ["a b.txt", "50%.txt", "q?#.txt", "<i>&amp;.txt", "\"'.txt", "é.txt", "a:b.txt", "+.txt"];
    let site = Site::of(|folder| {
        for name in names {
            fs::write(folder.join(name), format!("this is {name}")).unwrap();
        }
    });
    let browser = Browser::start(Script::Off);
    for name in names {
        browser.open(&site.at(""));
        let links = browser.run("return [...document.querySelectorAll('a')].map(a => a.innerText)");
        let place = links.list().iter().position(|text| text.text() == Some(name));
        let place = place.unwrap_or_else(|| panic!("{name} is not in {links}"));
        browser.run(&format!("document.querySelectorAll('a')[{place}].id = 'it'"));
        browser.follow("#it");
        assert_eq!(browser.text("body"), format!("this is {name}"));
    }
}

//! A real browser: headless Chromium, driven through `chromedriver` (W3C, `WebDriver`).
//!
//! What a visitor does enters (open, type, click), what a visitor sees leaves (title, text, place),
//! and besides what only the browser knows: what it asked for, what it refused to do. A failed
//! command is a panic that names the command; where Chromium is missing, one that names the Debian
//! packages. Each browser has a profile of its own; dropped, it is gone with all that it left.
//!
//! Nothing here waits a while. A command ends when the page has loaded, finding an element takes
//! as long as it takes to appear, and [`Browser::wait_for`] asks the driver again and again; each
//! up to a deadline.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use std::{env, io};

use crate::client::{Client, NEVER};
use crate::json::Json;
use crate::program::{Folder, lines_of};

/// For what a page still has to do. No test that passes waits for all of it.
const SOON: Duration = Duration::from_secs(20);

const PACKAGES: &str = "the browser suite needs the Debian packages chromium and chromium-driver";

/// Hosts other than `localhost`, which browsers trust over plain http: of two sites, both here. No
/// other name leads anywhere, so that nothing depends on what is outside.
const HOSTS: &str = "--host-resolver-rules=MAP plain.test 127.0.0.1, MAP other.test 127.0.0.1, \
                     MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";

/// No window, no graphics, and nothing that talks to its maker. In a container it has little of
/// `/dev/shm`, and is started by root, which its sandbox refuses; the pages under test are our own.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    HOSTS,
];

/// How an answer refers to an element (`WebDriver`, section 12, Elements).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Whether pages may run script. A test's own [`run`](Browser::run) always may, but with script off
/// it has neither timers nor promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// They may, as long as their policy lets them.
    Runs,
    /// They may not: a visitor has switched it off.
    Off,
}

/// A browser with one window.
#[derive(Debug)]
pub struct Browser {
    // The fields are dropped in this order: the driver has ended before its folder is removed.
    driver: Driver,
    session: String,
    /// What the system knows the browser by.
    process: String,
    folder: Folder,
}

impl Browser {
    /// Starts one with an empty profile.
    ///
    /// # Panics
    /// If Chromium or its driver is missing or does not start.
    #[must_use]
    #[track_caller]
    pub fn start(script: Script) -> Self {
        let folder = Folder::new();
        let driver = Driver::start(folder.path());
        let profile = format!("--user-data-dir={}", folder.file("profile"));
        let flags = FLAGS.iter().copied().chain([profile.as_str()]).map(Json::from).collect();
        let options = Json::object([("args", Json::List(flags)), ("prefs", settings(script))]);
        let millis = Json::Number(SOON.as_secs_f64() * 1000.0);
        let wanted = Json::object([
            ("goog:chromeOptions", options),
            (
                "goog:loggingPrefs",
                Json::object([("browser", "ALL".into()), ("performance", "ALL".into())]),
            ),
            (
                "timeouts",
                Json::object([
                    ("implicit", millis.clone()),
                    ("pageLoad", millis.clone()),
                    ("script", millis),
                ]),
            ),
        ]);
        let wanted = Json::object([("capabilities", Json::object([("alwaysMatch", wanted)]))]);
        let started = match driver.ask("POST", "/session", Some(&wanted)) {
            Ok(started) => started,
            Err(failed) => panic!("{failed}; {PACKAGES}"),
        };
        let session = started.get("sessionId").text().expect("a session has a name");
        let process = started.get("capabilities").get("goog:processID").to_string();
        Self { session: format!("/session/{session}"), driver, process, folder }
    }

    /// Goes to a URL and waits until the page has loaded.
    ///
    /// # Panics
    /// If that fails, as everything here.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.post("/url", &Json::object([("url", url.into())]));
    }

    /// Loads the page again, as a visitor does. The driver's own way to do that now and then loses sight
    /// of the page that it waits for.
    #[track_caller]
    pub fn reload(&self) {
        let page = self.find("html");
        self.run("location.reload()");
        self.wait_for_leaving(&page);
    }

    /// Where it is.
    #[must_use]
    #[track_caller]
    pub fn url(&self) -> String {
        self.get_text("/url")
    }

    /// The title of the page.
    #[must_use]
    #[track_caller]
    pub fn title(&self) -> String {
        self.get_text("/title")
    }

    /// The page as it stands, as HTML.
    #[must_use]
    #[track_caller]
    pub fn source(&self) -> String {
        self.get_text("/source")
    }

    /// The text of an element as a visitor sees it. `css` is a selector, of which the first counts.
    #[must_use]
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        self.get_text(&format!("{}/text", self.find(css)))
    }

    /// Types into an element, letter by letter (none beyond U+FFFF, which the driver refuses). For
    /// an input of files, it chooses those of these paths, one a line.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        self.post(&format!("{}/value", self.find(css)), &Json::object([("text", text.into())]));
    }

    /// Clicks at an element.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.post(&format!("{}/click", self.find(css)), &Json::object([]));
    }

    /// Clicks at something that leads to another page, and waits for that.
    #[track_caller]
    pub fn follow(&self, css: &str) {
        let page = self.find("html");
        self.click(css);
        self.wait_for_leaving(&page);
    }

    /// Sends the form of an input by the enter key, and waits for the page that comes of it.
    #[track_caller]
    pub fn submit(&self, css: &str) {
        let page = self.find("html");
        self.type_into(css, "\u{e007}");
        self.wait_for_leaving(&page);
    }

    /// Waits until another page is there, and whole. The driver waits for pages that have begun to
    /// load; whether one has, only the element that every page has can tell.
    #[track_caller]
    fn wait_for_leaving(&self, page: &str) {
        self.wait_for("another page", || {
            // An error is a moment between the two.
            let other = self.try_find("html").ok().filter(|other| other != page);
            let state = self.try_run("return document.readyState");
            other.filter(|_| state.is_ok_and(|state| state == "complete".into()))
        });
    }

    /// Runs the body of a function in the page, waits for a promise that it returns, and gives what
    /// comes out.
    #[track_caller]
    pub fn run(&self, script: &str) -> Json {
        done(self.try_run(script))
    }

    fn try_run(&self, script: &str) -> Result<Json, Failed> {
        let script = Json::object([("script", script.into()), ("args", Json::List(Vec::new()))]);
        self.ask("POST", "/execute/sync", Some(&script))
    }

    /// Asks again and again until there is something.
    ///
    /// # Panics
    /// If there is nothing in time; `what` says what was waited for.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, ask: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(found) = ask() {
                return found;
            }
            if Instant::now() >= deadline {
                panic!("{what} did not come; the page:\n{}", self.source());
            }
        }
    }

    /// The cookies that the page's URL would be sent, also those that its script may not see:
    /// objects with `name`, `value`, `path`, `domain`, `secure`, `httpOnly`, `sameSite`, `expiry`.
    #[must_use]
    #[track_caller]
    pub fn cookies(&self) -> Vec<Json> {
        self.get("/cookie").list().to_vec()
    }

    /// Removes the cookies of the page.
    #[track_caller]
    pub fn forget_cookies(&self) {
        done(self.ask("DELETE", "/cookie", None));
    }

    /// What the window shows, as a PNG file.
    #[must_use]
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        from_base64(&self.get_text("/screenshot"))
    }

    /// The URLs that pages have asked for since this was last called, also in vain.
    #[must_use]
    #[track_caller]
    pub fn asked_for(&self) -> Vec<String> {
        let entries = self.log("performance");
        let events = entries.iter().map(|entry| {
            let event = Json::parse(entry).unwrap_or_else(|bad| panic!("{bad}: {entry}"));
            event.get("message").clone()
        });
        let begun = |event: Json| {
            let begins = event.get("method").text() == Some("Network.requestWillBeSent");
            let url = event.get("params").get("request").get("url").text();
            url.filter(|_| begins).map(str::to_owned)
        };
        events.filter_map(begun).collect()
    }

    /// What the browser complained about since this was last called: what a policy stopped, what
    /// did not load.
    #[must_use]
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        self.log("browser")
    }

    #[track_caller]
    fn log(&self, name: &str) -> Vec<String> {
        let log = self.post("/se/log", &Json::object([("type", name.into())]));
        let message = |entry: &Json| entry.get("message").text().unwrap_or_default().to_owned();
        log.list().iter().map(message).collect()
    }

    /// The path of an element's commands, the same for the same element.
    #[track_caller]
    fn find(&self, css: &str) -> String {
        match self.try_find(css) {
            Ok(element) => element,
            Err(failed) => panic!("{css}: {failed}"),
        }
    }

    fn try_find(&self, css: &str) -> Result<String, Failed> {
        let by = Json::object([("using", "css selector".into()), ("value", css.into())]);
        let found = self.ask("POST", "/element", Some(&by))?;
        Ok(format!("/element/{}", found.get(ELEMENT).text().expect("an element has a name")))
    }

    #[track_caller]
    fn get_text(&self, path: &str) -> String {
        self.get(path).text().expect("a text").to_owned()
    }

    #[track_caller]
    fn get(&self, path: &str) -> Json {
        done(self.ask("GET", path, None))
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Json) -> Json {
        done(self.ask("POST", path, Some(body)))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Json>) -> Result<Json, Failed> {
        self.driver.ask(method, &format!("{}{path}", self.session), body)
    }

    /// What the browser writes, which is removed with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// What a visitor would set in the browser's own pages.
fn settings(script: Script) -> Json {
    Json::object([
        // Begin with these pages, 4, and not with the browser's own, which loads a great deal.
        ("session.restore_on_startup", Json::Number(4.0)),
        ("session.startup_urls", Json::List(vec!["about:blank".into()])),
        // Allow, 1, or block, 2.
        (
            "profile.managed_default_content_settings.javascript",
            Json::Number(if script == Script::Off { 2.0 } else { 1.0 }),
        ),
    ])
}

impl Drop for Browser {
    fn drop(&mut self) {
        if self.ask("DELETE", "", None).is_err() {
            // A driver that does not answer: without it, the browser would stay.
            let kill = ["-c", r#"kill -s KILL "$0""#, &self.process];
            let _ = Command::new("sh").args(kill).stderr(Stdio::null()).status();
        }
    }
}

/// The driver's own process. Dropped, it is killed: its browser has ended before.
#[derive(Debug)]
struct Driver {
    child: Child,
    address: SocketAddr,
    /// Read on, so that the driver is never stopped by a full pipe.
    lines: Receiver<String>,
}

impl Driver {
    #[track_caller]
    fn start(folder: &Path) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env_clear();
        // Where it finds Chromium, and where both leave things. No proxy: nothing is far away.
        command.env("PATH", env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin")));
        command.env("HOME", folder).env("TMPDIR", folder);
        // Else it finds no file to upload whose name is more than ASCII.
        command.env("LC_ALL", "C.UTF-8");
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = match piped.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!("chromedriver: {error}; {PACKAGES}")
            }
            Err(error) => panic!("chromedriver: {error}"),
        };
        let lines = lines_of(child.stdout.take());
        let mut driver = Self { child, address: ([127, 0, 0, 1], 0).into(), lines };
        // "ChromeDriver was started successfully on port 40123."
        let port = loop {
            let line =
                driver.lines.recv_timeout(NEVER).expect("chromedriver says where it listens");
            let port =
                line.split_once(" successfully on port ").map(|(_, port)| port.trim_matches('.'));
            if let Some(port) = port {
                break port.parse().expect("a port");
            }
        };
        driver.address.set_port(port);
        driver
    }

    /// Sends a command, and gives the value of the answer.
    fn ask(&self, method: &str, path: &str, body: Option<&Json>) -> Result<Json, Failed> {
        let failed = |error: String| Failed { command: format!("{method} {path}"), error };
        let body = body.map(Json::to_string).unwrap_or_default();
        let (address, length) = (self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let answer = Client::try_to(address).and_then(|mut client| {
            client.stream.write_all(request.as_bytes())?;
            client.try_answer()
        });
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        match (answer.status, Json::parse(&answer.text())) {
            (200, Ok(json)) => Ok(json.get("value").clone()),
            (_, Ok(json)) => {
                let text = |name| json.get("value").get(name).text().unwrap_or_default();
                Err(failed(format!("{}: {}", text("error"), text("message"))))
            }
            (status, Err(bad)) => Err(failed(format!("{status}, {bad}"))),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Both fail where it has ended and was waited for, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that the driver could not carry out.
#[derive(Debug)]
struct Failed {
    command: String,
    error: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.command, self.error)
    }
}

/// The value of a command that is to succeed. A closure would hide which line of a test it was.
#[track_caller]
fn done(outcome: Result<Json, Failed>) -> Json {
    match outcome {
        Ok(value) => value,
        Err(failed) => panic!("{failed}"),
    }
}

/// The octets of a base64 text (RFC 4648 section 4), whose sender is trusted to write it well.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut octets = Vec::new();
    let (mut bits, mut count) = (0_usize, 0);
    for value in text.chars().filter_map(|letter| ALPHABET.find(letter)) {
        bits = (bits << 6 | value) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count).to_le_bytes()[0]);
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (text, octets) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("+/8=", b"\xfb\xff"),
        ] {
            assert_eq!(from_base64(text), octets, "{text}");
        }
    }
}

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

mod driver;
mod keys;
mod looks;
mod profile;
mod told;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use driver::{Driver, Failed, PACKAGES, done};
pub use keys::Key;
pub use looks::Colours;
pub use profile::Script;
use profile::{Pages, capabilities, trust};

use crate::json::Json;
use crate::program::Folder;

/// For what a page still has to do. No test that passes waits for all of it.
const SOON: Duration = Duration::from_secs(20);

/// How an answer refers to an element (`WebDriver`, section 12, Elements).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

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
        Self::start_with(Folder::new(), script, Pages::Whole)
    }

    /// Starts one that trusts an authority for certificates besides: a file in PEM.
    ///
    /// # Panics
    /// As [`start`](Self::start), and if `certutil` is missing, of the Debian package `libnss3-tools`.
    #[must_use]
    #[track_caller]
    pub fn start_trusting(script: Script, authority: &str) -> Self {
        let folder = Folder::new();
        trust(&folder, authority);
        Self::start_with(folder, script, Pages::Whole)
    }

    /// Starts one that waits for no page: what there is of one can be read while the rest still comes.
    /// Whoever opens a page or clicks waits for what is to be there by [`wait_for`](Self::wait_for).
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    #[track_caller]
    pub fn start_reading(script: Script) -> Self {
        Self::start_with(Folder::new(), script, Pages::AsTheyCome)
    }

    #[track_caller]
    fn start_with(folder: Folder, script: Script, pages: Pages) -> Self {
        let driver = Driver::start(folder.path());
        let wanted = capabilities(script, pages, &folder, SOON);
        let start = || driver.ask("POST", "/session", Some(&wanted));
        // On a machine that is busy, Chromium now and then ends before it has begun.
        let started = match start().or_else(|_| start()).or_else(|_| start()) {
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
        self.leave(|| drop(self.run("location.reload()")));
    }

    /// Goes back to the page before.
    #[track_caller]
    pub fn back(&self) {
        self.post("/back", &Json::object([]));
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

    /// The texts of all elements that a selector fits, in their order; none, if it fits none.
    #[must_use]
    #[track_caller]
    pub fn texts(&self, css: &str) -> Vec<String> {
        let css = Json::from(css);
        let all = format!("return [...document.querySelectorAll({css})].map(one => one.innerText)");
        self.run(&all).list().iter().filter_map(Json::text).map(str::to_owned).collect()
    }

    /// What a field holds.
    #[must_use]
    #[track_caller]
    pub fn value(&self, css: &str) -> String {
        self.get_text(&format!("{}/property/value", self.find(css)))
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

    /// Empties a field.
    #[track_caller]
    pub fn clear(&self, css: &str) {
        self.post(&format!("{}/clear", self.find(css)), &Json::object([]));
    }

    /// Clicks at something that leads to another page, and waits for that.
    #[track_caller]
    pub fn follow(&self, css: &str) {
        self.leave(|| self.click(css));
    }

    /// Sends the form of an input by the enter key, and waits for the page that comes of it.
    #[track_caller]
    pub fn submit(&self, css: &str) {
        self.leave(|| self.type_into(css, "\u{e007}"));
    }

    /// Does something that leads to another page, and waits until that is there, and whole. The driver
    /// waits for pages that have begun to load; whether one has, only the element that every page has
    /// can tell.
    #[track_caller]
    pub fn leave(&self, how: impl FnOnce()) {
        let page = self.find("html");
        how();
        self.wait_for("another page", || {
            // An error is a moment between the two.
            let other = self.try_find("html").ok().filter(|other| *other != page);
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

impl Drop for Browser {
    fn drop(&mut self) {
        if self.ask("DELETE", "", None).is_err() {
            // A driver that does not answer: without it, the browser would stay.
            let kill = ["-c", r#"kill -s KILL "$0""#, &self.process];
            let _ = Command::new("sh").args(kill).stderr(Stdio::null()).status();
        }
    }
}

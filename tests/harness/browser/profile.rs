//! How a browser is started: its flags, and what a visitor would set in its own pages.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::json::Json;
use crate::program::Folder;

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

/// Whether pages may run script. A test's own [`run`](super::Browser::run) always may, but with script
/// off it has neither timers nor promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// They may, as long as their policy lets them.
    Runs,
    /// They may not: a visitor has switched it off.
    Off,
}

/// When a command that leads to a page is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// When the page has loaded.
    Whole,
    /// At once: what is there of the page is read while the rest is on its way.
    AsTheyCome,
}

/// What a session is to be like (`WebDriver`, section 7, Capabilities). `wait` is for what a page still
/// has to do.
pub(super) fn capabilities(script: Script, pages: Pages, folder: &Folder, wait: Duration) -> Json {
    let profile = format!("--user-data-dir={}", folder.file("profile"));
    let flags = FLAGS.iter().copied().chain([profile.as_str()]).map(Json::from).collect();
    let settings = settings(script, &folder.file("downloads"));
    let options = Json::object([("args", Json::List(flags)), ("prefs", settings)]);
    let logs = Json::object([("browser", "ALL".into()), ("performance", "ALL".into())]);
    let wait = Json::Number(wait.as_secs_f64() * 1000.0);
    let timeouts = ["implicit", "pageLoad", "script"].map(|name| (name, wait.clone()));
    let strategy = if pages == Pages::Whole { "normal" } else { "none" };
    let wanted = Json::object([
        ("goog:chromeOptions", options),
        ("goog:loggingPrefs", logs),
        ("timeouts", Json::object(timeouts)),
        ("pageLoadStrategy", strategy.into()),
    ]);
    Json::object([("capabilities", Json::object([("alwaysMatch", wanted)]))])
}

/// Has the browser whose home is `folder` trust an authority, as a visitor does who imports it.
pub(super) fn trust(folder: &Folder, authority: &str) {
    fs::create_dir_all(folder.path().join(".pki/nssdb")).expect("a folder can be made");
    let store = format!("sql:{}", folder.file(".pki/nssdb"));
    for arguments in
        [&["-N", "--empty-password"][..], &["-A", "-n", "test", "-t", "C,,", "-i", authority]]
    {
        let mut command = Command::new("certutil");
        command.args(["-d", &store]).args(arguments).stdin(Stdio::null());
        let done = command.output().unwrap_or_else(|error| {
            panic!("certutil: {error}; it is in the Debian package libnss3-tools")
        });
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "certutil {arguments:?}: {told}");
    }
}

/// What a visitor would set in the browser's own pages.
fn settings(script: Script, downloads: &str) -> Json {
    Json::object([
        // Begin with these pages, 4, and not with the browser's own, which loads a great deal.
        ("session.restore_on_startup", Json::Number(4.0)),
        ("session.startup_urls", Json::List(vec!["about:blank".into()])),
        // Allow, 1, or block, 2.
        (
            "profile.managed_default_content_settings.javascript",
            Json::Number(if script == Script::Off { 2.0 } else { 1.0 }),
        ),
        ("download.default_directory", downloads.into()),
        ("download.prompt_for_download", Json::Bool(false)),
    ])
}

//! The driver: `chromedriver` as a process of its own, and one command over HTTP.
//!
//! A method, a path and a body enter; the value of the answer leaves, or why the driver could not
//! carry the command out.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::{env, io};

use crate::client::{Client, NEVER};
use crate::json::Json;
use crate::program::lines_of;

pub(super) const PACKAGES: &str =
    "the browser suite needs the Debian packages chromium and chromium-driver";

/// The driver's own process. Dropped, it is killed: its browser has ended before.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    address: SocketAddr,
    /// Read on, so that the driver is never stopped by a full pipe.
    lines: Receiver<String>,
}

impl Driver {
    /// Starts one. It takes a free port of one family of addresses and then wants the same of the other,
    /// where somebody else may have it: then it ends, and the next one takes another.
    #[track_caller]
    pub(super) fn start(folder: &Path) -> Self {
        let started = (0..3).find_map(|_| Self::try_start(folder));
        started.expect("chromedriver says where it listens, at the third try at least")
    }

    /// One that says where it listens; none, if it ends before.
    #[track_caller]
    fn try_start(folder: &Path) -> Option<Self> {
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
            let line = match driver.lines.recv_timeout(NEVER) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(timeout) => panic!("chromedriver says where it listens: {timeout}"),
            };
            let port =
                line.split_once(" successfully on port ").map(|(_, port)| port.trim_matches('.'));
            if let Some(port) = port {
                break port.parse().expect("a port");
            }
        };
        driver.address.set_port(port);
        Some(driver)
    }

    /// Sends a command, and gives the value of the answer.
    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, Failed> {
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
pub(super) struct Failed {
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
pub(super) fn done(outcome: Result<Json, Failed>) -> Json {
    match outcome {
        Ok(value) => value,
        Err(failed) => panic!("{failed}"),
    }
}

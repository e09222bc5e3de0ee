//! An example as a program of its own: built once, started with settings, ended by a signal.
//!
//! The name of an example and its environment enter; out come its address, which it says itself,
//! what it writes, and how it ended. Cargo builds the examples of another package only when that is
//! asked for, so the first test that wants one asks.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, thread};

use crate::client::{Client, NEVER};

/// The file of an example, built as the tests were: with their profile and beside them.
///
/// # Panics
/// If it cannot be built.
pub fn example(name: &'static str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<&str, PathBuf>>> = Mutex::new(None);
    // Whoever comes second waits here; a build that failed is tried again.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.get_or_insert_default().entry(name).or_insert_with(|| build(name)).clone()
}

fn build(name: &str) -> PathBuf {
    // target/[triple/]profile/deps/this
    let this = env::current_exe().expect("a test knows its own file");
    let is_target = |folder: &&Path| {
        // Cargo leaves both there, each except under some setting.
        ["CACHEDIR.TAG", ".rustc_info.json"].iter().any(|file| folder.join(file).is_file())
    };
    let target = this.ancestors().find(is_target).expect("cargo's target folder is above");
    let below: Vec<&OsStr> = this.strip_prefix(target).expect("it is above").iter().collect();
    let (triple, profile) = match below[..] {
        [triple, profile, _, _] => (Some(triple), profile),
        [profile, _, _] => (None, profile),
        _ => panic!("{}: not where cargo puts tests", this.display()),
    };
    let profile = if profile == "debug" { OsStr::new("dev") } else { profile };

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    cargo.args(["build", "--locked", "--quiet", "--message-format=json", "--profile"]).arg(profile);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).arg("--target-dir");
    match name {
        // A package of its own, with a lock file of its own.
        "https" => {
            cargo.arg(target.join(name)).args(["--manifest-path", "../examples/https/Cargo.toml"])
        }
        _ => cargo.arg(target).args(["--package=examples", "--example", name]),
    };
    if let Some(triple) = triple {
        cargo.arg("--target").arg(triple);
    }
    // What cargo tells this test of its own package would look like a change to other packages.
    for (name, _) in env::vars_os() {
        let told =
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|name| told.iter().any(|start| name.starts_with(start))) {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "example {name}: {}\n{errors}", output.status);
    let messages = String::from_utf8_lossy(&output.stdout);
    // One program was asked for, and each artifact has one line of JSON.
    let (_, file) = messages.rsplit_once("\"executable\":\"").expect("cargo names the program");
    let file = file.split_once('"').map_or(file, |(file, _)| file);
    PathBuf::from(file.replace("\\\\", "\\"))
}

/// A command that runs an example in an environment of these settings and no others.
#[must_use]
pub fn command(name: &'static str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(example(name));
    command.env_clear().envs(settings.iter().copied()).stdin(Stdio::null());
    // Windows has no sockets without it; with the second, coverage is measured.
    for kept in ["SystemRoot", "LLVM_PROFILE_FILE"] {
        if let Some(value) = env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// Runs an example that is to end by itself: exit code, standard output, standard error.
///
/// # Panics
/// If it cannot be run, or a signal ends it.
#[must_use]
pub fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the example starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    (status.code().expect("it ends by itself"), text(stdout), text(stderr))
}

/// A running server. Dropped, it is killed, so that a failed test leaves nobody behind.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    /// What it said: `http://…` or `https://…`, without a slash at the end.
    pub url: String,
}

impl Program {
    /// Starts a server and waits until it listens.
    ///
    /// # Panics
    /// If it ends before, or says something else.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the example starts");
        let lines = lines_of(child.stdout.take());
        let errors = lines_of(child.stderr.take());
        let mut program = Self { child, lines, errors, url: String::new() };
        match program.lines.recv_timeout(NEVER) {
            Ok(line) => {
                let url = line.strip_prefix("listening on ").expect("the line that says where");
                program.url = url.to_owned();
            }
            Err(error) => panic!("{error}: {:?}", program.errors.iter().collect::<Vec<_>>()),
        }
        program
    }

    /// Where it listens.
    ///
    /// # Panics
    /// If it named no address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let (_, authority) = self.url.split_once("://").expect("a scheme");
        authority.to_socket_addrs().expect("an address").next().expect("at least one")
    }

    /// A connection to it.
    ///
    /// # Panics
    /// If it does not listen any more.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::to(self.address())
    }

    /// The next lines that it writes to standard output, up to one that contains `wanted`.
    ///
    /// # Panics
    /// If it does not write such a line.
    #[must_use]
    pub fn said(&self, wanted: &str) -> Vec<String> {
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(wanted)) {
            match self.lines.recv_timeout(NEVER) {
                Ok(line) => said.push(line),
                Err(error) => panic!("{error}: not {wanted:?} but {said:#?}"),
            }
        }
        said
    }

    /// The next line that it wrote to standard error, if there is one by now.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        self.errors.try_recv().ok()
    }

    /// What the system knows it by.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal: `TERM`, `INT`.
    ///
    /// # Panics
    /// If that cannot be sent.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of that name is not on every system.
        let pid = self.id().to_string();
        let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &pid]).status();
        assert!(sent.expect("a shell").success());
    }

    /// Ends it without a chance to do anything, as `kill -9`.
    ///
    /// # Panics
    /// If it cannot be ended.
    pub fn kill(mut self) {
        self.child.kill().expect("it is there to be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end: how it ended, and the lines it wrote to standard error.
    ///
    /// # Panics
    /// If it does not end, or wrote more than its one line to standard output.
    #[must_use]
    pub fn end(mut self) -> (ExitStatus, Vec<String>) {
        // Its output ends with it; to wait for that has a deadline, to wait for a process has none.
        let more = self.lines.recv_timeout(NEVER);
        assert!(more == Err(RecvTimeoutError::Disconnected), "{more:?}");
        let status = self.child.wait().expect("it ends");
        (status, self.errors.iter().collect())
    }

    /// The lines that it still writes to standard output, to its end.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn said_to_the_end(&self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(NEVER) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => return said,
                Err(error) => panic!("{error}: it goes on after {said:#?}"),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail where it has ended and was waited for, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, read as they come, so that it is never full.
pub(crate) fn lines_of(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let lines = BufReader::new(pipe.expect("a pipe was asked for")).lines();
    let (say, said) = channel();
    thread::spawn(move || {
        // Read on also when nobody listens.
        lines.map_while(Result::ok).for_each(|line| drop(say.send(line)));
    });
    said
}

/// An empty folder, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    ///
    /// # Panics
    /// If there is no place for it.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it makes a folder, which no default should")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("longhand-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).expect("a folder can be made");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it, as a setting names it.
    ///
    /// # Panics
    /// If the system's temporary folder has no name in Unicode.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("a path in Unicode")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

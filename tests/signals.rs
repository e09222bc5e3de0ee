//! `longhand-signal` from outside: a process gets signals, and its output and exit status tell.
//!
//! Signals are the process's own, so each case is a child process: this binary once more, in the
//! role that an environment variable names. Parent and child wait for each other by lines on the
//! child's standard output. The deadline below is for what never comes, and no test waits for it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

const ROLE: &str = "LONGHAND_SIGNALS_ROLE";
const NEVER: Duration = Duration::from_secs(30);
const BOTH: [(&str, i32); 2] = [("INT", 2), ("TERM", 15)];

#[test]
fn the_first_signal_runs_the_action_and_the_process_ends_as_it_likes() {
    for (name, _) in BOTH {
        let mut process = Process::start("drains", Start::Plain);
        process.expect("ready");
        process.signal(name);
        process.expect("acting");
        assert!(process.status().success(), "SIG{name}");
    }
}

#[test]
fn a_second_signal_while_the_action_runs_ends_the_process() {
    for (first, _) in BOTH {
        for (second, number) in BOTH {
            let mut process = Process::start("never ends its action", Start::Plain);
            process.expect("ready");
            process.signal(first);
            process.expect("acting");
            process.signal(second);
            assert_eq!(process.status().signal(), Some(number), "SIG{first}, then SIG{second}");
        }
    }
}

#[test]
fn a_second_signal_after_the_action_ends_the_process() {
    let mut process = Process::start("outlives its action", Start::Plain);
    process.expect("ready");
    process.signal("TERM");
    process.expect("acting");
    process.expect("acted");
    process.signal("TERM");
    assert_eq!(process.status().signal(), Some(15));
}

#[test]
fn signals_that_were_ignored_at_the_start_are_heard() {
    for (name, number) in BOTH {
        let mut process = Process::start("never ends its action", Start::IgnoringBoth);
        process.expect("ready");
        process.signal(name);
        process.expect("acting");
        process.signal(name);
        assert_eq!(process.status().signal(), Some(number), "SIG{name}");
    }
}

#[test]
fn the_signals_can_be_had_once() {
    let mut process = Process::start("asks twice", Start::Plain);
    process.expect("AlreadyExists");
    process.expect("ready");
    process.signal("TERM");
    process.expect("acting");
    assert!(process.status().success());
}

/// The child's side: a test that does nothing unless it was given a role.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (done, wait) = channel();
    let act = move |after: fn()| {
        say("acting");
        after();
        done.send(()).unwrap();
    };
    match role.as_str() {
        "drains" => longhand_signal::on_terminate(move || act(|| ())).unwrap(),
        "never ends its action" => longhand_signal::on_terminate(move || act(park)).unwrap(),
        "outlives its action" => {
            longhand_signal::on_terminate(move || act(|| ())).unwrap();
            say("ready");
            wait.recv().unwrap();
            say("acted");
            park();
        }
        "asks twice" => {
            longhand_signal::on_terminate(move || act(|| ())).unwrap();
            let refused = longhand_signal::on_terminate(|| say("acting for the second time"));
            say(&format!("{:?}", refused.unwrap_err().kind()));
        }
        other => panic!("no such role: {other}"),
    }
    say("ready");
    wait.recv().unwrap();
    // Not by returning: the status shall be this line's, not the test runner's.
    std::process::exit(0);
}

/// One line that the parent waits for, past the test runner's capture.
fn say(line: &str) {
    // The runner may have begun a line of its own.
    write!(io::stdout(), "\n{line}\n").and_then(|()| io::stdout().flush()).unwrap();
}

fn park() {
    loop {
        thread::park();
    }
}

enum Start {
    Plain,
    /// As a shell without job control starts `program &`, for both signals.
    IgnoringBoth,
}

/// A child and what it says. Dropped, it is gone, so that a failed test leaves nobody behind.
struct Process {
    child: Child,
    said: Receiver<String>,
}

impl Process {
    fn start(role: &str, start: Start) -> Self {
        let this = std::env::current_exe().unwrap();
        let mut command = match start {
            Start::Plain => Command::new(this),
            Start::IgnoringBoth => {
                let mut shell = Command::new("sh");
                shell.args(["-c", r#"trap "" INT TERM; exec "$0" "$@""#]).arg(this);
                shell
            }
        };
        let mut child = command
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, role)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (say, said) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { child, said }
    }

    /// Waits for the next thing that the child says, and for no other.
    fn expect(&self, wanted: &str) {
        let said = self.next().unwrap_or_else(|| panic!("the process ended without {wanted:?}"));
        assert_eq!(said, wanted);
    }

    /// The child's next line, past those of the test runner. None once its output has ended.
    fn next(&self) -> Option<String> {
        loop {
            match self.said.recv_timeout(NEVER) {
                Ok(line) if line.is_empty() || line.starts_with("running ") => {}
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("the process says nothing"),
            }
        }
    }

    fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of that name is not on every system.
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// How the process ended, which it does without another word.
    fn status(&mut self) -> ExitStatus {
        assert_eq!(self.next(), None);
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where the process has ended and was waited for, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

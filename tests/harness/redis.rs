//! A Redis as a program of its own: `redis-server`, told things by `redis-cli`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use crate::client::NEVER;
use crate::program::Folder;

/// A running Redis. Dropped, it is killed.
pub struct Redis {
    child: Child,
    port: u16,
    folder: Folder,
}

impl Redis {
    /// One that has written what it acknowledges to its disk.
    #[must_use]
    pub fn start() -> Self {
        let folder = Folder::new();
        // Somebody else may take the port meanwhile.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0")
                .expect("as it must be")
                .local_addr()
                .expect("as it must be")
                .port();
            if let Some(child) = begin(port, &folder) {
                return Self { child, port, folder };
            }
        }
        panic!("redis-server: no port in ten tries");
    }

    /// The setting that leads to it.
    pub fn store(&self) -> String {
        self.store_as("")
    }

    /// The same, with who asks before its address.
    pub fn store_as(&self, who: &str) -> String {
        format!("redis://{who}127.0.0.1:{}", self.port)
    }

    /// Tells it something by its own client, and gives what it said.
    pub fn tell(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(words);
        let said = command.output().expect("redis-cli, of the package redis-tools");
        assert!(said.status.success(), "{words:?}: {said:?}");
        String::from_utf8(said.stdout).expect("as it must be").trim().to_owned()
    }

    /// Sends it a signal: `STOP`, `CONT`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &pid]).status();
        assert!(sent.expect("a shell").success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) {
        self.child.wait().expect("as it must be");
    }

    /// Starts it again where it was, with what it had written.
    pub fn again(&mut self) {
        let end = Instant::now() + NEVER;
        self.child = loop {
            if let Some(child) = begin(self.port, &self.folder) {
                break child;
            }
            assert!(Instant::now() < end, "redis-server does not start again");
        };
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts one, and waits until it listens; `None` if it ends before.
fn begin(port: u16, folder: &Folder) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    // What it has acknowledged is with the system, and outlives it. To wait for the disk besides, which
    // may be busy with something else for seconds, would only fail what is not about disks.
    command.args(["--appendonly", "yes", "--appendfsync", "no"]);
    command.args(["--enable-debug-command", "local"]);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("redis-server, of the package of that name");
    let lines: Receiver<String> = {
        let lines = BufReader::new(child.stdout.take().expect("as it must be")).lines();
        let (say, said) = channel();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(say.send(line))));
        said
    };
    while let Ok(line) = lines.recv_timeout(NEVER) {
        if line.contains("Ready to accept connections") {
            return Some(child);
        }
    }
    let _ = child.kill();
    child.wait().expect("as it must be");
    None
}

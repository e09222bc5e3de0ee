//! For tests: a server that has a script for each connection in place of Redis.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::place::Place;
use super::resp::{self, Reply};

/// What it does with one connection.
pub(super) type Script = Box<dyn FnOnce(&mut Talk) + Send>;

/// A server for as many connections as it has scripts. Then it does not listen any more.
pub(super) struct Peer {
    pub(super) place: Place,
    thread: JoinHandle<()>,
}

/// One connection, from the other side.
pub(super) struct Talk(BufReader<TcpStream>);

impl Peer {
    /// Connections are served one after the other, in the order in which they come.
    pub(super) fn new(scripts: impl IntoIterator<Item = Script> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = format!("redis://{}", listener.local_addr().unwrap()).parse().unwrap();
        let serve = move || {
            for script in scripts {
                let stream = listener.accept().unwrap().0;
                stream.set_nodelay(true).unwrap();
                let mut talk = Talk(BufReader::new(stream));
                script(&mut talk);
            }
        };
        Self { place, thread: thread::spawn(serve) }
    }

    /// Waits until all scripts are through.
    pub(super) fn end(self) {
        self.thread.join().unwrap();
    }
}

impl Talk {
    /// The next command, word by word; nothing where the connection has ended.
    pub(super) fn command(&mut self) -> Vec<String> {
        let words = resp::read(&mut self.0).ok().and_then(Reply::array).unwrap_or_default();
        let text = |word: Reply| String::from_utf8_lossy(&word.bulk().unwrap()).into_owned();
        words.into_iter().map(text).collect()
    }

    /// Waits for a command that begins with these words.
    pub(super) fn expect(&mut self, words: &[&str]) -> &mut Self {
        let command = self.command();
        assert_eq!(command[..words.len().min(command.len())], *words);
        self
    }

    pub(super) fn say(&mut self, bytes: &str) -> &mut Self {
        self.0.get_mut().write_all(bytes.as_bytes()).unwrap();
        self
    }

    /// The same to a peer that may be gone.
    pub(super) fn try_say(&mut self, bytes: &str) -> bool {
        self.0.get_mut().write_all(bytes.as_bytes()).is_ok()
    }

    pub(super) fn greet(&mut self) -> &mut Self {
        self.expect(&["PING"]).say("+PONG\r\n")
    }

    /// Sends no more, as after a crash that the system tidied up.
    pub(super) fn cut(&mut self) {
        let _ = self.0.get_ref().shutdown(Shutdown::Both);
    }
}

/// A script out of a closure.
pub(super) fn script(script: impl FnOnce(&mut Talk) + Send + 'static) -> Script {
    Box::new(script)
}

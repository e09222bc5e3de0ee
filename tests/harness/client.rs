//! A client that types bytes into a real socket.
//!
//! It sends what it is told and reads what comes back, answer by answer. Every wait has an end, so
//! that a server which says nothing fails a test instead of stopping it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

use longhand::Limits;
use longhand::wire::{Verdict, explain_response};

use crate::answer::{Answer, first};

/// For what never comes. No test that passes waits for it.
pub const NEVER: Duration = Duration::from_secs(60);

/// A connection to a server under test.
#[derive(Debug)]
pub struct Client<S = TcpStream> {
    /// The socket.
    pub stream: S,
    received: Vec<u8>,
}

impl Client {
    /// Connects over TCP.
    ///
    /// # Panics
    /// If nobody listens.
    #[must_use]
    pub fn to(address: SocketAddr) -> Self {
        Self::try_to(address).expect("somebody listens")
    }

    /// Connects over TCP.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn try_to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(NEVER))?;
        stream.set_write_timeout(Some(NEVER))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Ends the sending side.
    ///
    /// # Panics
    /// If the connection is gone.
    pub fn end(&self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection is open");
    }
}

#[cfg(unix)]
impl Client<UnixStream> {
    /// Connects over a Unix socket.
    ///
    /// # Panics
    /// If nobody listens.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("somebody listens");
        stream.set_read_timeout(Some(NEVER)).expect("a timeout can be set");
        Self { stream, received: Vec::new() }
    }
}

impl<S: Read + Write> Client<S> {
    /// Over a connection that was made elsewhere. Its reads must have an end of their own.
    #[must_use]
    pub fn over(stream: S) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// If they cannot be sent.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.write_all(bytes.as_ref()).expect("the server takes what is sent");
        self
    }

    /// Asks for a path.
    ///
    /// # Panics
    /// If the request cannot be sent.
    pub fn get(&mut self, path: &str) -> &mut Self {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
    }

    /// The next answer, to a request of any method but HEAD.
    ///
    /// # Panics
    /// If the connection ends before its end.
    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// The next answer.
    ///
    /// # Errors
    /// If the connection ends before the answer does.
    pub fn try_answer(&mut self) -> io::Result<Answer> {
        loop {
            let explained = explain_response(&self.received, "GET", &Limits::default());
            if explained.verdict != Verdict::Unfinished {
                let (answer, length) = first(&self.received, "GET");
                self.received.drain(..length);
                return Ok(answer);
            }
            if self.read_more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Everything that still comes, to the end of the connection.
    ///
    /// # Errors
    /// If it does not end by its end.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.read_more()? > 0 {}
        Ok(std::mem::take(&mut self.received))
    }

    /// Waits for the connection to end, by which no more may come.
    ///
    /// # Panics
    /// If more comes, or the end is a reset.
    pub fn expect_end(&mut self) {
        let rest = self.rest().expect("the connection ends by its end");
        assert!(rest.is_empty(), "more came: {}", rest.escape_ascii());
    }

    /// Reads until `bytes` have come, and forgets what came up to them.
    ///
    /// # Panics
    /// If they do not come.
    pub fn expect_bytes(&mut self, bytes: &[u8]) {
        loop {
            let place = self.received.windows(bytes.len()).position(|window| window == bytes);
            if let Some(place) = place {
                self.received.drain(..place + bytes.len());
                return;
            }
            let more = self.read_more().expect("more comes");
            let received = self.received.escape_ascii();
            assert!(more > 0, "not {} but {received}", bytes.escape_ascii());
        }
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 << 10];
        let count = loop {
            match self.stream.read(&mut piece) {
                // A signal, such as that of a child's end.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.received.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

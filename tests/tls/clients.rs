//! Clients of other makes: `curl`, `openssl s_client`, and ureq with its rustls.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use harness::client::{Client, NEVER};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::server::Https;

/// What a program did: its exit code, and what it wrote.
#[derive(Debug)]
pub(crate) struct Did {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) errors: String,
}

impl Did {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// Runs a program that is to end by itself, and says which package has it.
pub(crate) fn run(program: &str, package: &str, arguments: &[&str]) -> Did {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = output.unwrap_or_else(|error| {
        panic!("{program}: {error}; this suite needs the Debian package {package}")
    });
    let errors = String::from_utf8_lossy(&stderr).into_owned();
    Did { code: status.code(), out: stdout, errors }
}

/// curl, that trusts the server's authority and no other.
pub(crate) fn curl(server: &Https, arguments: &[&str]) -> Did {
    let authority = server.authority();
    let all = ["-q", "-sS", "--noproxy", "*", "--max-time", "60", "--cacert", &authority];
    run("curl", "curl", &[&all, arguments].concat())
}

/// The body that curl fetches, which must be possible.
pub(crate) fn fetched(server: &Https, arguments: &[&str]) -> String {
    let did = curl(server, &[&["--fail"], arguments].concat());
    assert_eq!(did.code, Some(0), "{arguments:?}: {}", did.errors);
    did.text()
}

/// ureq, that trusts these authorities and no other.
pub(crate) fn ureq(authority: &str) -> Agent {
    let pem = std::fs::read(authority).unwrap();
    let roots = RootCerts::new_with_certs(&[Certificate::from_pem(&pem).unwrap()]);
    Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_global(Some(NEVER))
        .proxy(None)
        .build()
        .into()
}

/// `openssl s_client` as a connection: what is written goes to the server as plain text, and what is
/// read came from it. Dropped, it is killed: a client that says no goodbye.
pub(crate) struct OpenSsl {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    begun: Vec<u8>,
    errors: Receiver<Vec<u8>>,
}

impl OpenSsl {
    pub(crate) fn connect(port: u16, authority: &str, more: &[&str]) -> Client<Self> {
        let place = format!("localhost:{port}");
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-connect", &place, "-servername", "localhost"]);
        command.args(["-CAfile", authority, "-verify_return_error"]);
        command.args(["-verify_hostname", "localhost"]).args(more);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| {
            panic!("openssl: {error}; this suite needs the Debian package openssl")
        });
        let (input, output) = (child.stdin.take(), pieces_of(child.stdout.take()));
        let errors = pieces_of(child.stderr.take());
        Client::over(Self { child, input, output, begun: Vec::new(), errors })
    }

    /// To a server, by its name.
    pub(crate) fn to(server: &Https, more: &[&str]) -> Client<Self> {
        Self::connect(server.port, &server.authority(), more)
    }

    /// Ends its input.
    pub(crate) fn end(&mut self) {
        self.input = None;
    }

    /// What it has to say about the connection, once that has ended.
    pub(crate) fn complaints(&self) -> String {
        let mut said = Vec::new();
        loop {
            match self.errors.recv_timeout(NEVER) {
                Ok(piece) => said.extend(piece),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("openssl does not end"),
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Read for OpenSsl {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.begun.is_empty() {
            match self.output.recv_timeout(NEVER) {
                Ok(piece) => self.begun = piece,
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        let count = (&self.begun[..]).read(into)?;
        self.begun.drain(..count);
        Ok(count)
    }
}

impl Write for OpenSsl {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.as_mut().expect("its input is open").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a pipe gives, as it comes.
fn pieces_of(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let mut pipe = pipe.expect("a pipe was asked for");
    let (say, said) = channel();
    thread::spawn(move || {
        let mut piece = [0; 16 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            // Read on also when nobody listens.
            let _ = say.send(piece[..count].to_vec());
        }
    });
    said
}

/// Asks again and again until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + NEVER;
    while !holds() {
        assert!(std::time::Instant::now() < end, "{what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

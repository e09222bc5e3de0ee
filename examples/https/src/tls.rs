//! The adapter: a connection of TLS as a `Transport` of longhand, over rustls.
//!
//! What enters and leaves is plain text on the side of the server, and records of TLS (RFC 8446) on the
//! side of the socket. rustls does no I/O of its own: it is fed and emptied here. The handshake is part
//! of the first read, and so runs on the connection's own thread and under that read's deadline.

use std::io::{self, BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use longhand::transport::{Interrupt, TcpTransport, Transport};
use longhand::wire::format_date;
use rustls::ServerConnection;

/// What is read from a socket at once: a record of 16 KiB and what frames it. rustls alone takes 4 KiB.
const RECORD: usize = 17 << 10;

/// For a peer that speaks http here, behind the date. An alert would be noise to it.
const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 68\r\nConnection: close\r\n\r\n\
    This port speaks https, and the request came as http. Try https://.\n";

/// A connection of TLS.
pub(crate) struct Tls {
    session: ServerConnection,
    socket: BufReader<TcpTransport>,
    /// Nothing was read yet.
    fresh: bool,
}

impl Tls {
    pub(crate) fn new(socket: TcpTransport, session: ServerConnection) -> Self {
        Self { session, socket: BufReader::with_capacity(RECORD, socket), fresh: true }
    }

    /// Sends what rustls has to say: its part of the handshake, records, alerts.
    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(self.socket.get_mut())?;
        }
        Ok(())
    }

    /// Reads once from the socket, and has rustls look at it. A record that was changed on its way ends
    /// here: nothing of it is ever given to the server.
    fn receive(&mut self) -> io::Result<()> {
        // A record begins with its type, 20 to 24 (RFC 8446 section 5.1); a request with a letter.
        if std::mem::take(&mut self.fresh)
            && self.socket.fill_buf()?.first().is_some_and(u8::is_ascii_alphabetic)
        {
            return self.answer_http();
        }
        self.session.read_tls(&mut self.socket)?;
        if let Err(error) = self.session.process_new_packets() {
            let _ = self.send(); // the alert that says why
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(())
    }

    /// The answer waits until the peer has read it: closing on unread bytes would reset it away.
    fn answer_http(&mut self) -> io::Result<()> {
        // An answer of 2xx, 3xx or 4xx has a Date where there is a clock: RFC 9110 section 6.6.1.
        let now = self.socket.get_ref().wall().duration_since(SystemTime::UNIX_EPOCH);
        let date = format_date(now.unwrap_or_default().as_secs());
        let date = date.escape_ascii();
        let answer = format!("HTTP/1.1 400 Bad Request\r\nDate: {date}\r\n{PLAIN}");
        self.socket.get_mut().write_all(answer.as_bytes())?;
        self.socket.get_mut().close_write()?;
        io::copy(&mut self.socket.by_ref().take(1 << 20), &mut io::sink())?;
        Err(io::Error::new(ErrorKind::InvalidData, "http on a port of https"))
    }
}

impl Read for Tls {
    /// Gives 0 only after the peer's `close_notify`. An end without it is `UnexpectedEof`: anybody on the
    /// way can end a TCP connection, and must not be able to shorten a message.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.send()?;
            match self.session.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive()?,
                read => return read,
            }
        }
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        let taken = self.session.writer().write_vectored(bytes)?;
        self.send()?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl Transport for Tls {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.socket.get_mut().set_read_deadline(now, left);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.socket.get_mut().set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.session.send_close_notify();
        self.send()?;
        self.socket.get_mut().close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.socket.get_ref().peer()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.socket.get_ref().local()
    }

    fn is_secure(&self) -> bool {
        true
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.socket.get_ref().interrupter()
    }
}

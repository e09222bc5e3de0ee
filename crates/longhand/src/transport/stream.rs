//! What TCP and Unix streams have in common, and one of them as two halves.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::Interrupt;

/// What the two kinds of stream have in common. Both read and write by shared reference, which is
/// why one descriptor is enough.
pub trait Stream: Send + Sync + Sized + 'static {
    #[doc(hidden)]
    fn receive(&self, into: &mut [u8]) -> io::Result<usize>;
    #[doc(hidden)]
    fn send(&self, bytes: &[IoSlice<'_>]) -> io::Result<usize>;
    #[doc(hidden)]
    fn set_timeouts(
        &self,
        read: Option<Option<Duration>>,
        write: Option<Duration>,
    ) -> io::Result<()>;
    #[doc(hidden)]
    fn set_blocking(&self, blocking: bool) -> io::Result<()>;
    #[doc(hidden)]
    fn end(&self, how: Shutdown) -> io::Result<()>;
    #[doc(hidden)]
    fn local(&self) -> Option<SocketAddr>;
}

macro_rules! stream {
    ($stream:ty, $local:expr) => {
        impl Stream for $stream {
            fn receive(&self, into: &mut [u8]) -> io::Result<usize> {
                (&*self).read(into)
            }

            fn send(&self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
                match bytes {
                    [one] => (&*self).write(one),
                    several => (&*self).write_vectored(several),
                }
            }

            fn set_timeouts(
                &self,
                read: Option<Option<Duration>>,
                write: Option<Duration>,
            ) -> io::Result<()> {
                if let Some(read) = read {
                    self.set_read_timeout(read)?;
                }
                write.map_or(Ok(()), |write| self.set_write_timeout(Some(write)))
            }

            fn set_blocking(&self, blocking: bool) -> io::Result<()> {
                self.set_nonblocking(!blocking)
            }

            fn end(&self, how: Shutdown) -> io::Result<()> {
                self.shutdown(how)
            }

            fn local(&self) -> Option<SocketAddr> {
                ($local)(self)
            }
        }
    };
}

stream!(TcpStream, |stream: &TcpStream| stream.local_addr().ok());
#[cfg(unix)]
stream!(UnixStream, |_: &UnixStream| None);

/// Linux says `WouldBlock` where a timeout ran out, Windows `TimedOut`.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The one name that transports have for it.
pub(super) fn timed_out(error: io::Error) -> io::Error {
    if is_timeout(&error) { io::ErrorKind::TimedOut.into() } else { error }
}

impl<S: Stream> Interrupt for S {
    // A socket that the peer has closed already cannot be shut down again, and need not be.
    fn end_reads(&self) {
        let _ = self.end(Shutdown::Read);
    }

    fn cut(&self) {
        let _ = self.end(Shutdown::Both);
    }
}

/// The shared descriptor, as one half of a stream.
pub(super) struct Half<S>(pub(super) Arc<S>);

impl<S: Stream> Read for Half<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.receive(into).map_err(timed_out)
    }
}

impl<S: Stream> Write for Half<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

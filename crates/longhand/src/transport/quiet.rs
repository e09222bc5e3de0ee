//! Whether a client's connection may carry another request.

use std::io;

use super::socket::Socket;
use super::stream::Stream;

impl<S: Stream> Socket<S> {
    /// Whether nothing waits to be read, not even the end: what a client's kept connection must be like.
    /// An answer to a question that nobody asked would else become the answer to the next one.
    ///
    /// ```
    /// use longhand::transport::TcpTransport;
    /// use std::io::{Read, Write};
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let mut client = TcpTransport::over(std::net::TcpStream::connect(listener.local_addr()?)?)?;
    /// let (mut server, _) = listener.accept()?;
    /// assert!(client.is_quiet());
    /// server.write_all(b"?")?;
    /// drop(server);
    /// let mut byte = [0];
    /// client.read_exact(&mut byte)?;
    /// assert!(!client.is_quiet());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_quiet(&mut self) -> bool {
        if self.early.is_some() || self.stream.set_blocking(false).is_err() {
            return false;
        }
        let mut byte = [0];
        let read = self.stream.receive(&mut byte);
        self.early = matches!(read, Ok(1)).then_some(byte[0]);
        let blocks = self.stream.set_blocking(true).is_ok();
        blocks && matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

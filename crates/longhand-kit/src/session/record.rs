//! What is kept of a session, as the bytes of a store's record.

use std::io;

use super::store::Key;

/// The bytes that a session holds, at most: for who somebody is and what they are at, not for data.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::session::{MAX_BYTES, SessionError, Sessions};
///
/// # let sessions = Sessions::new();
/// # let check = |request: &mut Request<'_>| {
/// let refused = sessions.begin(request, [0; MAX_BYTES + 1], Response::text("hello\n"));
/// assert!(matches!(refused, Err(SessionError::TooLong(4_097))));
/// # Response::text("") };
/// # let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
/// # serve_connection(&mut client, &Limits::default(), check);
/// # assert!(client.output_text().starts_with("HTTP/1.1 200 "));
/// ```
pub const MAX_BYTES: usize = 4_096;

/// A record: of a session, or of the place where one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A session: the second since 1970 at which it began, that of its last use, and its value.
    Live { began: u64, used: u64, value: Vec<u8> },
    /// What stays for a minute in place of a session that has got another ID: the second since 1970
    /// of that, and the key of the new one. A sign-out that was sent with the old ID follows it, to end
    /// the new session. Nothing else does: whoever knows only the old ID must not get at a session in
    /// which somebody has signed in since. The [module](super) has an example.
    Moved { at: u64, to: Key },
}

impl Record {
    /// A letter for the kind, the times in eight bytes with the highest first, then the rest.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Live { began, used, value } => {
                [&b"L"[..], &began.to_be_bytes(), &used.to_be_bytes(), value].concat()
            }
            Self::Moved { at, to } => [&b"M"[..], &at.to_be_bytes(), to].concat(),
        }
    }

    /// # Errors
    /// If something else has written it.
    pub(super) fn decode(bytes: &[u8]) -> io::Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            let text = format!("expected a session's record, found {} other bytes", bytes.len());
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (time, rest) = rest.split_first_chunk()?;
        let at = u64::from_be_bytes(*time);
        if *kind == b'M' {
            return Some(Self::Moved { at, to: rest.try_into().ok()? });
        }
        let (used, value) = rest.split_first_chunk()?;
        let used = u64::from_be_bytes(*used);
        (*kind == b'L').then(|| Self::Live { began: at, used, value: value.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for record in [
            Record::Live { began: 0, used: u64::MAX, value: vec![] },
            Record::Live { began: 1, used: 2, value: b"\0value".to_vec() },
            Record::Moved { at: 3, to: [9; 32] },
        ] {
            let encoded = record.encode();
            assert_eq!(Record::decode(&encoded).unwrap(), record);
            for length in 0..17.min(encoded.len()) {
                let error = Record::decode(&encoded[..length]).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            }
        }
        let long = [&Record::Moved { at: 3, to: [9; 32] }.encode()[..], b"x"].concat();
        assert!(Record::decode(&long).is_err() && Record::decode(b"X").is_err());
    }
}

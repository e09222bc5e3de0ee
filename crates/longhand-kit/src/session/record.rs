//! What is kept of a session, as the bytes of a store's record.

use std::io;

use super::store::Key;

/// The bytes that a session holds, at most: for who somebody is and what they are at, not for data.
pub const MOST: usize = 4_096;

/// A record: of a session, or of the place where one was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A session: the second since 1970 at which it began, that of its last use, and its value.
    Live { began: u64, used: u64, value: Vec<u8> },
    /// A session that has got another ID, and when. It is never followed to be used, only to be
    /// ended: who knows the old ID alone must not come into what has been signed in since.
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

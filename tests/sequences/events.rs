//! What may happen on a connection.

use std::time::Duration;

use longhand::Limits;

/// What a peer does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    End,
    Reset,
    Get,
    Head,
    GetClose,
    KeepAlive10,
    Upgrade,
    /// Asks to upgrade, with a body of three bytes to come.
    UpgradeBody,
    /// The head of a POST, with a body of [`LENGTH`] bytes to come.
    Post,
    /// The head of a POST up to the middle of a field.
    HeadBegins,
    /// The rest of it, with a body of [`LENGTH`] bytes to come.
    HeadEnds,
    Data,
    ChunkedHead,
    Chunk,
    LastChunk,
    ExpectHead,
    BareCr,
    EmptyLine,
    /// Less than any deadline.
    Pause,
    /// More than a lingering close takes; two of them are more than a head or a body may take.
    HalfPause,
    /// More than a head or a body may take, less than a connection may be idle.
    LongPause,
    /// More than a connection may be idle.
    LongestPause,
}

/// All of them; the end comes first.
pub(crate) const ACTS: &[Act] = &[
    Act::End,
    Act::Reset,
    Act::Get,
    Act::Head,
    Act::GetClose,
    Act::KeepAlive10,
    Act::Upgrade,
    Act::UpgradeBody,
    Act::Post,
    Act::HeadBegins,
    Act::HeadEnds,
    Act::Data,
    Act::ChunkedHead,
    Act::Chunk,
    Act::LastChunk,
    Act::ExpectHead,
    Act::BareCr,
    Act::EmptyLine,
    Act::Pause,
    Act::HalfPause,
    Act::LongPause,
    Act::LongestPause,
];

/// Bytes of a body with a length: two times [`Act::Data`].
pub(crate) const LENGTH: usize = 6;

/// Unread bytes of a body that are dropped: less than a body, as many as [`Deed::Some`] leaves.
pub(crate) fn limits() -> Limits {
    Limits { drain: 3, ..Limits::default() }
}

impl Act {
    /// The bytes it sends.
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Get => b"GET /g HTTP/1.1\r\nHost: x\r\n\r\n",
            Self::Head => b"HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n",
            Self::GetClose => b"GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            Self::KeepAlive10 => b"GET /o HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            Self::Upgrade => {
                b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
            }
            Self::UpgradeBody => {
                b"PUT /v HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\
                  Content-Length: 3\r\n\r\n"
            }
            Self::Post => b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n",
            Self::HeadBegins => b"POST /p HTTP/1.1\r\nHo",
            Self::HeadEnds => b"st: x\r\nContent-Length: 6\r\n\r\n",
            // A body that is taken for a request would be answered as one, or refused.
            Self::Data => b"GET",
            Self::ChunkedHead => {
                b"POST /k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            }
            Self::Chunk => b"4\r\nGET \r\n",
            Self::LastChunk => b"0\r\n\r\n",
            Self::ExpectHead => {
                b"PUT /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            }
            Self::BareCr => b"\r!",
            Self::EmptyLine => b"\r\n",
            Self::End | Self::Reset => b"",
            Self::Pause | Self::HalfPause | Self::LongPause | Self::LongestPause => b"",
        }
    }

    pub(crate) fn pause(self) -> Option<Duration> {
        match self {
            Self::Pause => Some(Duration::from_millis(700)),
            Self::HalfPause => Some(Duration::from_secs(6)),
            Self::LongPause => Some(Duration::from_secs(12)),
            Self::LongestPause => Some(Duration::from_secs(80)),
            _ => None,
        }
    }

    /// Whether nothing can follow it.
    pub(crate) fn is_last(self) -> bool {
        matches!(self, Self::End | Self::Reset)
    }
}

/// What a handler does with the request that it is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Reads none of the body and answers.
    None,
    /// Reads three bytes, and answers.
    Some,
    /// Reads all and answers; a failure it passes on.
    All,
    /// Reads all, and answers with a stream.
    Stream,
    /// Reads none, and its stream fails behind its first chunk.
    StreamFails,
    /// Reads all, and its stream panics behind its first chunk.
    StreamPanics,
    Panics,
    /// Reads three bytes, whatever comes of it, and panics.
    ReadsAndPanics,
    /// Answers, and closes.
    Closes,
    /// Reads none, and wants to upgrade.
    Upgrades,
    /// Reads all, and wants to upgrade.
    ReadsAndUpgrades,
    /// Promises five bytes, and has three.
    Short,
}

/// All of them.
pub(crate) const DEEDS: &[Deed] = &[
    Deed::None,
    Deed::Some,
    Deed::All,
    Deed::Stream,
    Deed::StreamFails,
    Deed::StreamPanics,
    Deed::Panics,
    Deed::ReadsAndPanics,
    Deed::Closes,
    Deed::Upgrades,
    Deed::ReadsAndUpgrades,
    Deed::Short,
];

//! The responses that a client or a proxy reads.

use std::io::{self, Read};

use longhand::wire::{Part, Verdict, explain_response};
use longhand::{Limits, Responses};

use super::wire::{message_end, part_bytes};
use super::{pieces, random_of, setting};

/// How many heads are read at most.
const MOST: usize = 8;

/// Gives bytes in reads of these lengths.
struct Cut<'b> {
    bytes: &'b [u8],
    pieces: std::vec::IntoIter<usize>,
}

impl Read for Cut<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.pieces.next().unwrap_or(usize::MAX).min(into.len());
        self.bytes.read(&mut into[..most])
    }
}

/// One response as it was read.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
    body: Result<Vec<u8>, io::ErrorKind>,
}

/// All that was read: the responses, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    answers: Vec<Answer>,
    ended: Option<io::ErrorKind>,
    may_persist: bool,
    left: usize,
}

/// A setting, and the bytes of responses.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let (setting, wire) = setting(bytes);
    let method = ["GET", "HEAD", "CONNECT", "POST"][usize::from(setting & 3)];
    let limits = match setting & 4 {
        0 => Limits::default(),
        _ => Limits { head: 100, fields: 4, body_overhead: 12, ..Limits::default() },
    };
    let mut random = random_of(bytes);
    let whole = read(wire, vec![wire.len()], method, &limits);
    for largest in [1, 9, 1 + wire.len() / 2] {
        let cut = pieces(wire.len(), largest, &mut random);
        let mut found = read(wire, cut.clone(), method, &limits);
        if whole.left > 0 {
            // What lies behind the last response may have come with it or not.
            (found.left, found.may_persist) = (whole.left, whole.may_persist);
        }
        assert_eq!(found, whole, "the same in pieces: {cut:?}");
    }
    check_explained(wire, method, &limits, &whole);
}

fn read(wire: &[u8], pieces: Vec<usize>, method: &str, limits: &Limits) -> Outcome {
    let mut source = Cut { bytes: wire, pieces: pieces.into_iter() };
    let mut responses = Responses::new(&mut source, limits);
    let mut outcome = Outcome { answers: Vec::new(), ended: None, may_persist: false, left: 0 };
    while outcome.answers.len() < MOST {
        let head = match responses.head(method) {
            Ok(head) => head,
            Err(error) => {
                outcome.ended = Some(error.kind());
                break;
            }
        };
        let fields = head.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let (status, fields) = (head.status.code(), fields.collect());
        let mut body = Vec::new();
        let body = responses.read_to_end(&mut body).map(|_| body).map_err(|error| error.kind());
        assert!(body.is_err() || responses.is_over());
        let failed = body.as_ref().err().copied();
        outcome.answers.push(Answer { status, fields, body });
        if failed.is_some() {
            outcome.ended = failed;
            break;
        }
    }
    outcome.may_persist = responses.may_persist();
    outcome.left = responses.buffered().len();
    assert!(!outcome.may_persist || outcome.left == 0);
    assert!(
        outcome.ended.is_none() || !outcome.may_persist,
        "one that broke off is not used again"
    );
    outcome
}

/// That the parser that explains reads the same.
fn check_explained(wire: &[u8], method: &str, limits: &Limits, outcome: &Outcome) {
    let mut rest = wire;
    for (number, answer) in outcome.answers.iter().enumerate() {
        let explained = explain_response(rest, method, limits);
        let mut body = part_bytes(rest, &explained.spans, Part::Body);
        body.extend(part_bytes(rest, &explained.spans, Part::ChunkData));
        match (&answer.body, explained.verdict) {
            (Ok(read), Verdict::Accepted) => assert_eq!(*read, body),
            // Until the connection closes: only the end tells.
            (Ok(read), Verdict::Unfinished) => {
                assert_eq!(number + 1, outcome.answers.len());
                assert!(rest.ends_with(read) && read.ends_with(&body));
                return;
            }
            (Err(io::ErrorKind::UnexpectedEof), Verdict::Unfinished)
            | (Err(io::ErrorKind::InvalidData), Verdict::Refused(_)) => return,
            (read, verdict) => panic!("{read:?}, explained as {verdict:?}"),
        }
        rest = &rest[message_end(&explained)..];
    }
    match outcome.ended {
        None => {}
        Some(io::ErrorKind::UnexpectedEof) => {
            assert_eq!(explain_response(rest, method, limits).verdict, Verdict::Unfinished);
        }
        Some(_) => {
            let verdict = explain_response(rest, method, limits).verdict;
            assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        }
    }
}

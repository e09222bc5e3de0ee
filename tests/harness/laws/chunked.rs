//! Chunked bodies.

use longhand::Limits;
use longhand::wire::{Part, Verdict, encode_chunk_size, explain};

use super::random_of;
use super::wire::{Decoded, decode, message_end, part_bytes};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The chunked body at the front of the bytes.
///
/// # Panics
/// If a law is broken.
pub fn check(body: &[u8]) {
    let tight = Limits { body_overhead: 9, fields: 2, ..Limits::default() };
    for limits in [Limits::default(), tight] {
        check_with(body, &limits);
    }
}

fn check_with(body: &[u8], limits: &Limits) {
    let mut random = random_of(body);
    let whole = decode(body, limits, &mut random, body.len());
    for largest in [1, 2, 7] {
        let pieces = decode(body, limits, &mut random, largest);
        assert_eq!(pieces, whole, "the same in pieces of up to {largest}");
    }
    assert!(whole.data.len() <= body.len(), "more was decoded than encoded");

    // The parser that explains has the same opinion, and its spans say what took how much.
    let message = [HEAD, body].concat();
    let explained = explain(&message, limits);
    assert_eq!(part_bytes(&message, &explained.spans, Part::ChunkData), whole.data);
    let end = match explained.verdict {
        Verdict::Accepted => Ok(Some(message_end(&explained) - HEAD.len())),
        Verdict::Unfinished => Ok(None),
        Verdict::Refused(v) => Err((v.kind(), v.at() - HEAD.len(), v.found())),
    };
    assert_eq!(end, whole.end);
    let extensions = part_bytes(&message, &explained.spans, Part::ChunkExt).len();
    assert!(extensions <= limits.body_overhead, "{extensions} bytes of extensions");

    let Ok(Some(length)) = whole.end else { return };
    let last = explained.spans.iter().rposition(|(part, _)| *part == Part::LastChunk);
    let (_, size) = &explained.spans[last.expect("a last chunk")];
    let line_end = message[size.end..].iter().position(|octet| *octet == b'\n').expect("a line");
    let trailers = length + HEAD.len() - (size.end + line_end + 1) - 2;
    assert!(extensions + trailers <= limits.body_overhead, "{trailers} bytes of trailers");

    // It does not depend on what follows, is not whole before, and encoded again is the same.
    assert_eq!(decode(&body[..length], limits, &mut random, 3), whole);
    let before = decode(&body[..length - 1], limits, &mut random, 3);
    assert_eq!(before, Decoded { data: whole.data.clone(), end: Ok(None) });
    let mut again = Vec::new();
    for chunk in whole.data.chunks(1 + random.below(40)) {
        encode_chunk_size(chunk.len(), &mut again);
        again.extend_from_slice(chunk);
        again.extend_from_slice(b"\r\n");
    }
    again.extend_from_slice(b"0\r\n\r\n");
    let end = Ok(Some(again.len()));
    assert_eq!(decode(&again, limits, &mut random, 5), Decoded { data: whole.data, end });
}

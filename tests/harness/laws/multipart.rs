//! Uploads: the body of `multipart/form-data`, whose boundary is `b`.

use std::cell::RefCell;
use std::io::{self, Read};

use longhand::transport::Scripted;
use longhand::wire::encode_chunk_size;
use longhand::{Limits, Request, Response, serve_connection};
use longhand_kit::multipart::{Multipart, PartLimits};

use super::{pieces, random_of};

/// One part as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read1 {
    name: String,
    file_name: Option<String>,
    media_type: String,
    content: Vec<u8>,
}

/// The parts that were read before the end, and the refusal, if there was one.
type Outcome = (Vec<Read1>, Option<String>);

/// The body of an upload.
///
/// # Panics
/// If a law is broken.
pub fn check(body: &[u8]) {
    let tight = PartLimits { parts: 2, head: 70, fields: 2, text: 5, file: 9 };
    for limits in [PartLimits::default(), tight] {
        let mut random = random_of(body);
        let whole = upload(body, &[body.len()], &limits);
        for largest in [1, 3, 1 + body.len() / 2] {
            let largest = largest.max(body.len() / 400);
            let cut = pieces(body.len(), largest, &mut random);
            assert_eq!(upload(body, &cut, &limits), whole, "the same in pieces: {cut:?}");
        }
        check_parts(body, &whole, &limits);
    }
}

fn check_parts(body: &[u8], (parts, refusal): &Outcome, limits: &PartLimits) {
    assert!(parts.len() <= limits.parts);
    let read = parts.iter().map(|part| part.name.len() + part.content.len());
    assert!(read.sum::<usize>() <= body.len(), "more was read than sent");
    for part in parts {
        assert!(part.content.len() as u64 <= limits.file);
        let holds = |what: &[u8]| part.content.windows(what.len()).any(|window| window == what);
        assert!(!holds(b"\r\n--b"), "a delimiter within the content of {:?}", part.name);
        assert!(!part.content.starts_with(b"--b"), "a delimiter that begins {:?}", part.name);
    }
    // What was read is written, and read as the same. A name in which an escape stands for itself
    // cannot be written.
    let writable = |text: &str| !["%22", "%0D", "%0A"].iter().any(|escape| text.contains(escape));
    let mut names = parts.iter().flat_map(|part| [Some(&part.name), part.file_name.as_ref()]);
    if refusal.is_none() && names.all(|name| name.is_none_or(|name| writable(name))) {
        let written = write(parts);
        let again = upload(&written, &[written.len()], &PartLimits::default());
        assert_eq!(again, (parts.clone(), None), "{}", written.escape_ascii());
    }
}

fn write(parts: &[Read1]) -> Vec<u8> {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "%22");
        text.replace('\r', "%0D").replace('\n', "%0A")
    };
    let mut body = Vec::new();
    for part in parts {
        let mut head =
            format!("--b\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name));
        if let Some(name) = &part.file_name {
            head += &format!("; filename=\"{}\"", quoted(name));
        }
        head += &format!("\r\nContent-Type: {}\r\n\r\n", part.media_type);
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

/// What a handler reads from a chunked body whose chunks these pieces are.
fn upload(body: &[u8], pieces: &[usize], limits: &PartLimits) -> Outcome {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\
                Content-Type: multipart/form-data; boundary=b\r\n\r\n";
    let mut peer = Scripted::new().send(head);
    let mut rest = body;
    for piece in pieces.iter().filter(|piece| **piece > 0) {
        let (now, later) = rest.split_at(*piece);
        let mut chunk = Vec::new();
        encode_chunk_size(now.len(), &mut chunk);
        chunk.extend_from_slice(now);
        chunk.extend_from_slice(b"\r\n");
        (peer, rest) = (peer.send(chunk), later);
    }
    let mut peer = peer.send("0\r\n\r\n").end();
    let found = RefCell::new((Vec::new(), None));
    serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
        let (parts, refusal) = &mut *found.borrow_mut();
        if let Err(error) = read(request, limits, parts) {
            *refusal = Some(error.to_string());
        }
        Response::text("read")
    });
    assert!(peer.output().starts_with(b"HTTP/1.1 200 "), "{}", peer.output_text());
    found.into_inner()
}

fn read(
    request: &mut Request<'_>,
    limits: &PartLimits,
    parts: &mut Vec<Read1>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut upload = Multipart::of(request, limits)?;
    while let Some(mut part) = upload.next()? {
        let mut content = Vec::new();
        let read: io::Result<usize> = part.read_to_end(&mut content);
        parts.push(Read1 {
            name: part.name().to_owned(),
            file_name: part.file_name().map(str::to_owned),
            media_type: part.media_type().to_owned(),
            content,
        });
        read?;
    }
    Ok(())
}

//! Conversations: cases that take time or more than one answer, or whose handler does not merely echo.

use std::io::{self, Read, Write};

use longhand::{Request, Response, Status};

/// What a peer does.
pub(crate) enum Step {
    Send(&'static str),
    /// So many of this byte.
    Many(u8, usize),
    /// Nothing, for so many seconds.
    Wait(u64),
    /// So many of this byte, one a second.
    Drip(u8, usize),
    End,
    Reset,
    /// It reads so many bytes of what it gets, and then no more.
    TakesOnly(usize),
}
use Step::{Drip, End, Many, Reset, Send, TakesOnly, Wait};

/// One conversation.
pub(crate) struct Scene {
    pub(crate) section: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) steps: &'static [Step],
    pub(crate) handler: fn(&mut Request<'_>) -> io::Result<Response>,
}

fn hello(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("hello"))
}

fn echo(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text(String::from_utf8_lossy(&request.body().read_all()?).into_owned()))
}

fn parts(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::stream("text/plain", |out| {
        out.write_all(b"hello, ")?;
        out.flush()?;
        out.write_all(b"world")
    }))
}

fn breaks_off(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::stream("text/plain", |out| {
        out.write_all(b"hello, ")?;
        out.flush()?;
        Err(io::Error::other("the source is gone"))
    }))
}

fn short(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::reader("text/plain", &b"hello"[..], Some(20)))
}

fn switches(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::upgrade("echo", |mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        stream.write_all(&all)
    }))
}

fn tells_trailers(request: &mut Request<'_>) -> io::Result<Response> {
    request.body().read_all()?;
    let field = request.field_text("Sum").unwrap_or("none");
    let trailer = request.trailers().text("Sum").unwrap_or("none");
    Ok(Response::text(format!("field: {field}, trailer: {trailer}")))
}

fn sends_trailers(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::stream("text/plain", |out| {
        out.write_all(b"hello")?;
        out.trailer("Sum", "1");
        Ok(())
    }))
}

fn tells_method(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text(format!("{} {}", request.method(), request.path())))
}

fn tells_authority(request: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text(format!("{} of {}", request.path(), request.authority())))
}

fn no_content(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("hello").status(Status::NO_CONTENT))
}

fn not_modified(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("hello").status(Status::NOT_MODIFIED))
}

fn says_bye(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("bye").close())
}

fn panics(_: &mut Request<'_>) -> io::Result<Response> {
    panic!("the key is 1234")
}

fn fails(_: &mut Request<'_>) -> io::Result<Response> {
    Err(io::Error::other("no room on /dev/sda1"))
}

fn splits(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("hello").field("Location", "/home\r\nSet-Cookie: a=b"))
}

fn frames(_: &mut Request<'_>) -> io::Result<Response> {
    Ok(Response::text("hello").field("Content-Length", "3"))
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const OLD_UPGRADE: &str =
    "GET / HTTP/1.0\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const EXPECTS: &str =
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const OLD_EXPECTS: &str =
    "POST / HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
const EXPECTS_TOO_MUCH: &str =
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 16777217\r\n\r\n";
const POST_5: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
const POST_500: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n";
const POST_300_000: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

macro_rules! scenes {
    ($($section:literal $title:literal $about:literal [$($step:expr),*] $handler:ident;)*) => {
        /// All of them.
        pub(crate) const SCENES: &[Scene] = &[$(Scene {
            section: concat!("RFC ", $section),
            title: $title,
            about: $about,
            steps: &[$($step),*],
            handler: $handler,
        }),*];
    };
}

scenes! {
    "9112 section 9.3" "A connection that is kept"
        "On 1.1 that needs no word from anybody. A connection that rests is closed after `Limits::idle`."
        [Send(GET), Wait(60), Send(NEXT)] tells_method;
    "9112 section 9.3" "A client that asks to close"
        "`close` is answered with `close`, and what follows is not read as a request."
        [Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Send(NEXT)] tells_method;
    "9112 section 9.3" "A client that asks to close among other options"
        "The option counts in any case and at any place of the list; `keep-alive` beside it changes nothing."
        [Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, CLOSE\r\n\r\n")] hello;
    "9112 section 9.3" "A client of HTTP/1.0"
        "It is served and closed."
        [Send("GET / HTTP/1.0\r\n\r\n")] hello;
    "9112 section 9.3" "A client of HTTP/1.0 that asks to be kept"
        "It is kept, and told so."
        [Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")] hello;
    "9112 section 9.3" "A body that the handler does not read"
        "Up to `Limits::drain` it is read and dropped behind the answer, so that it cannot become the next \
         request (RUSTSEC-2020-0093, python/cpython#150499)."
        [Send(POST_5), Send(NEXT)] tells_method;
    "9112 section 9.3" "A long body that the handler does not read"
        "Over `Limits::drain` the answer says that the connection closes. What still comes is read and dropped, \
         so that the answer is not lost to a reset."
        [Send(POST_300_000), Many(b'x', 300_000), Send(NEXT)] tells_method;
    "9112 section 9.3" "A chunked body that the handler does not read"
        "Nobody knows how long it is: the connection closes."
        [Send(CHUNKED), Send("5\r\nhello\r\n0\r\n\r\n"), Send(NEXT)] tells_method;
    "9112 section 9.3.2" "A refusal between two requests"
        "What came before it is answered, and behind it nothing is read as a request."
        [Send("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /second\r\n\r\nGET /third HTTP/1.1\r\nHost: x\r\n\r\n")] tells_method;
    "9112 section 9.6" "A handler that closes"
        "`Reply::close` is said in the answer, and kept."
        [Send(GET), Send(NEXT)] says_bye;
    "9112 section 9.6" "A client that sends on behind its refusal"
        "The server ends its own side and reads on for a while (`Limits::linger`), so that the refusal is not \
         lost to a reset; nothing of what it reads is a request."
        [Send("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), Send(NEXT), Many(b'x', 100_000)] hello;
    "9112 section 9.5" "A new connection that is silent"
        "It is closed after `Limits::first_byte`, without a word: nothing was asked."
        [] hello;
    "9112 section 9.5" "A client that does not read"
        "A write that stands still is given up after `Limits::write_stall`."
        [Send(GET), TakesOnly(39)] hello;
    "9112 section 9.5" "A client that ends its side after its request"
        "A half-closed connection is still answered."
        [Send(GET), End] hello;
    "9112 section 9.5" "A client that resets in the middle of a head"
        "Nobody is there to be answered."
        [Send("GET / HTTP/1.1\r\nHo"), Reset] hello;
    "9112 section 8" "A head that ends before its end"
        "Half a head is no request."
        [Send("GET / HTTP/1.1\r\nHost: x\r\nA: b"), End] hello;
    "9112 section 8" "A body that ends before its end"
        "Half a body is told to the handler as an error, and answered as one."
        [Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nhello"), End] echo;
    "9112 section 8" "A chunked body that ends before its last chunk"
        "An end without its zero is no end (golang/go#64517)."
        [Send(CHUNKED), Send("5\r\nhello\r\n"), End] echo;
    "9112 section 7.1" "A response of unknown length to HTTP/1.1"
        "It is chunked; a flush ends a chunk."
        [Send(GET)] parts;
    "9112 section 7.1" "A response that breaks off"
        "The last chunk is left away, so that the client can tell."
        [Send(GET)] breaks_off;
    "9112 section 6.3" "A response of unknown length to HTTP/1.0"
        "It ends with the connection: chunks are not for 1.0."
        [Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")] parts;
    "9112 section 7.1.2" "Trailers that a client sends"
        "They are kept apart from the fields."
        [Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n"),
         Send("5\r\nhello\r\n0\r\nSum: 1\r\n\r\n")] tells_trailers;
    "9112 section 7.1.2" "Trailers that a handler sends"
        "Behind the last chunk."
        [Send(GET)] sends_trailers;
    "9112 section 3.2.2" "The authority of an absolute-form"
        "It takes the place of Host."
        [Send("GET http://example.org/a HTTP/1.1\r\nHost: x\r\n\r\n")] tells_authority;
    "9112 section 3.2.4" "OPTIONS with an asterisk reaches the handler"
        "Its path is `*`."
        [Send("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")] tells_method;
    "9110 section 6.6.1" "The fields of a plain response"
        "Date, and the length of the body."
        [Send(GET)] hello;
    "9110 section 9.1" "A method nobody has heard of reaches the handler"
        "What a method means is the program's."
        [Send("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n")] tells_method;
    "9110 section 9.3.2" "HEAD to a handler that answers as to GET"
        "The same fields, and no body, which is left away by the server."
        [Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")] hello;
    "9110 section 15.3.5" "204 with a body in the handler's response"
        "There is none on the wire, and no length either."
        [Send(GET)] no_content;
    "9110 section 15.4.5" "304 with a body in the handler's response"
        "There is none on the wire."
        [Send(GET)] not_modified;
    "9110 section 8.6" "A response shorter than its handler said"
        "The connection is cut, so that the client can tell."
        [Send(GET)] short;
    "9110 section 8.6" "A handler that sets Content-Length by hand"
        "Framing is the server's. The mistake is told to the observer, and is a 500."
        [Send(GET)] frames;
    "9110 section 5.5" "A field of a response with CR LF in it"
        "Such a value does not come into being (RUSTSEC-2024-0009)."
        [Send(GET)] splits;
    "9110 section 15.6.1" "A handler that panics"
        "Its words stay with the server (CVE-2026-28434)."
        [Send(GET), Send(NEXT)] panics;
    "9110 section 15.6.1" "A handler that fails"
        "Its error is told to the observer alone."
        [Send(GET), Send(NEXT)] fails;
    "9110 section 10.1.1" "A body that is read is asked for"
        "`100 Continue` is sent with the handler's first read, and not before."
        [Send(EXPECTS), Wait(1), Send("hello")] echo;
    "9110 section 10.1.1" "A body that is not read is not asked for"
        "No 100 follows a final answer. The client may send the body or not: the connection closes."
        [Send(EXPECTS), Wait(1), Send("hello")] hello;
    "9110 section 10.1.1" "A body that is too large is not asked for"
        "Its length is over `Limits::body`: it is refused before it is sent."
        [Send(EXPECTS_TOO_MUCH)] echo;
    "9110 section 10.1.1" "A body that comes unasked"
        "A client may tire of waiting."
        [Send(EXPECTS), Send("hello")] echo;
    "9110 section 10.1.1" "An expectation on HTTP/1.0"
        "It is ignored."
        [Send(OLD_EXPECTS)] echo;
    "9110 section 7.8" "An upgrade that the handler grants"
        "Bytes that came early belong to the new protocol."
        [Send(UPGRADE), Send("early"), End] switches;
    "9110 section 7.8" "An upgrade that the handler does not grant"
        "What follows is HTTP (RUSTSEC-2026-0033)."
        [Send(UPGRADE), Send(NEXT)] tells_method;
    "9110 section 7.8" "An upgrade on HTTP/1.0"
        "It is ignored."
        [Send(OLD_UPGRADE)] hello;
    "9110 section 15.5.9" "A head a byte a second"
        "`Limits::head_time` counts from its first byte, however it drips (CVE-2018-12122)."
        [Send("GET / HTTP/1.1\r\nA: a"), Drip(b'a', 500)] hello;
    "9110 section 15.5.9" "A second head a byte a second"
        "Its time begins with its first byte, and not with the connection."
        [Send(GET), Wait(60), Send("GET / HTTP/1.1\r\nA: a"), Drip(b'a', 500)] hello;
    "9110 section 15.5.9" "A body a byte a second"
        "`Limits::body_grace` and `Limits::body_rate`: bytes earn time, and one a second is not enough."
        [Send(POST_500), Drip(b'x', 500)] echo;
    "9110 section 15.5.14" "Chunks over the limit"
        "The same limit, counted as they come (CVE-2025-46728)."
        [Send(CHUNKED), Send("1000001\r\n"), Many(b'x', 16_777_217)] echo;
}

//! What becomes of heads and bodies on their way.

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use harness::answer::{Answer, Extent, answers, first};
use harness::latch::Latch;
use harness::program::Program;
use longhand::{Request, Response};

use crate::{Script, address, ask, get, head, post, says, script, serve, unchecked, up_to};

/// Answers with the head that it got.
fn mirror() -> Script {
    script(|_, stream| {
        let head = head(stream);
        let length = head.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}");
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

/// Sends these bytes; what is answered up to the end.
fn say(balancer: &Program, bytes: &str) -> Vec<u8> {
    let mut client = balancer.client();
    client.send(bytes).end();
    client.rest().unwrap()
}

/// The name in Via, which is another one each time.
fn via(answer: &Answer) -> String {
    answer.field("via").unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_request_is_written_anew() {
    let mirror = mirror();
    let balancer = unchecked(&[&mirror.address], &[]);
    let answer = ask(
        &balancer,
        "GET",
        "http://a.example:80/b?c=%20",
        "Accept: a,b\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Authorization: b\r\n\
         TE: trailers\r\nUpgrade: h2c\r\naccept:  c\t\r\nForwarded: for=1.1.1.1\r\n\
         X-Forwarded-For: 1.1.1.1\r\nVia: 1.1 other\r\n",
    );
    let via = via(&answer);
    assert_eq!(
        answer.text(),
        format!(
            "GET /b?c=%20 HTTP/1.1\r\nHost: a.example:80\r\nAccept: a,b\r\naccept: c\r\n\
             Via: 1.1 other\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n\
             X-Forwarded-Host: a.example:80\r\nVia: 1.1 {via}\r\n\r\n"
        )
    );
    let options = ask(&balancer, "OPTIONS", "*", "");
    assert!(options.text().starts_with("OPTIONS * HTTP/1.1\r\nHost: x\r\n"), "{}", options.text());
}

#[test]
fn a_framing_field_spelled_with_an_underscore_went_on_to_be_misread() {
    let mirror = mirror();
    let balancer = unchecked(&[&mirror.address], &[]);
    let fields = "Content_Length: 7\r\nTransfer_Encoding: chunked\r\nX-Real-IP: 1.1.1.1\r\n\
                  x_real_ip: 1.1.1.1\r\nPROXY_AUTHORIZATION: b\r\nA_B: c\r\n";
    let heard = ask(&balancer, "GET", "/", fields).text();
    assert!(
        heard.starts_with("GET / HTTP/1.1\r\nHost: x\r\nA_B: c\r\nX-Forwarded-For: "),
        "{heard}"
    );
}

#[test]
fn a_trace_that_was_to_go_no_further_went_further() {
    let mirror = mirror();
    let balancer = unchecked(&[&mirror.address], &[]);
    for (method, status) in [("TRACE", 501), ("OPTIONS", 200)] {
        assert_eq!(ask(&balancer, method, "/", "Max-Forwards: 0\r\n").status, status);
    }
    assert_eq!(mirror.connections.load(Ordering::SeqCst), 0);
    for (method, sent, heard) in
        [("TRACE", "5", "4"), ("OPTIONS", "01", "0"), ("OPTIONS", "x", "x"), ("GET", "0", "0")]
    {
        let text = ask(&balancer, method, "/", &format!("MAX-Forwards: {sent}\r\n")).text();
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let mut lines = lines.filter(|(name, _)| name.eq_ignore_ascii_case("max-forwards"));
        assert_eq!(lines.next().map(|(_, value)| value), Some(heard), "{method} {sent}: {text}");
        assert_eq!(lines.next(), None, "{text}");
    }
}

#[test]
fn a_request_that_was_here_before_is_a_loop() {
    let mirror = mirror();
    let balancer = unchecked(&[&mirror.address], &[]);
    let via = via(&get(&balancer, "/"));
    let again = ask(&balancer, "GET", "/", &format!("Via: 1.0 other, 1.1 {via}\r\n"));
    assert_eq!(again.status, 508);
    let other = ask(&balancer, "GET", "/", &format!("Via: 1.1 other ({via}), 1.1 {via}x\r\n"));
    assert_eq!(other.status, 200);
    assert_eq!(mirror.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn an_answer_is_written_anew() {
    let backend = says(
        "HTTP/1.1 418 Short And Stout\r\nSet-Cookie: a=1\r\nConnection: x-hop, close\r\nX-Hop: 1\r\n\
         Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
         Proxy-Authenticate: Basic\r\nTrailer: X\r\nset-cookie: b=2\r\nContent-Length: 3\r\n\r\ntea",
    );
    let balancer = unchecked(&[&backend.address], &[]);
    let mut client = balancer.client();
    let answer = client.get("/").answer();
    let via = via(&answer);
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let expected = [
        ("set-cookie", "a=1"),
        ("date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("set-cookie", "b=2"),
        ("via", &format!("1.1 {via}")),
        ("content-length", "3"),
    ];
    assert_eq!((answer.status, answer.text().as_str()), (418, "tea"));
    assert_eq!(answer.fields, expected.map(own));
    // The backend closes; that is no reason to close here.
    assert_eq!(client.get("/").answer().status, 418);
}

#[test]
fn what_answers_head_or_never_has_a_body_has_none_here_either() {
    for (method, wire, status, length) in [
        ("HEAD", "200 OK\r\nContent-Length: 7", 200, Some("7")),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked", 200, None),
        ("HEAD", "200 OK", 200, None),
        ("GET", "204 No Content\r\nContent-Length: 7", 204, None),
        ("GET", "304 Not Modified\r\nContent-Length: 7", 304, None),
        ("GET", "304 Not Modified\r\nTransfer-Encoding: chunked", 304, None),
        ("GET", "205 Reset Content\r\nContent-Length: 0", 205, Some("0")),
        ("GET", "200 OK\r\nContent-Length: 0", 200, Some("0")),
    ] {
        let backend = script(move |_, stream| {
            while !head(stream).is_empty() {
                write!(stream, "HTTP/1.1 {wire}\r\n\r\n").unwrap();
            }
        });
        let balancer = unchecked(&[&backend.address], &[]);
        let ask = format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n");
        let bytes = say(&balancer, &ask.repeat(3));
        let found = answers(&bytes, &[method; 3]);
        assert_eq!(found.len(), 3, "{wire}: {}", bytes.escape_ascii());
        for answer in found {
            assert_eq!((answer.status, answer.field("content-length")), (status, length), "{wire}");
            assert!(answer.body.is_empty(), "{wire}");
        }
        assert_eq!(backend.connections.load(Ordering::SeqCst), 1, "{wire}: it is kept");
    }
}

#[test]
fn a_body_that_ends_with_its_connection_gets_an_end_of_its_own() {
    for version in ["1.0", "1.1"] {
        let backend = script(move |_, stream| {
            if !head(stream).is_empty() {
                write!(stream, "HTTP/{version} 200 OK\r\n\r\nuntil close").unwrap();
            }
        });
        let balancer = unchecked(&[&backend.address], &[]);
        let mut client = balancer.client();
        for _ in 0..2 {
            let answer = client.get("/").answer();
            let via = answer.field("via").unwrap();
            assert!(via.starts_with(&format!("{version} balancer-")), "{via}");
            assert_eq!((answer.text().as_str(), answer.extent), ("until close", Extent::Whole));
            assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
        }
        // HTTP/1.0 knows no chunks.
        let bytes = say(&balancer, "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
        let (answer, _) = first(&bytes, "GET");
        assert_eq!((answer.text().as_str(), answer.extent), ("until close", Extent::UntilClose));
        assert_eq!((answer.field("transfer-encoding"), answer.closes()), (None, true));
    }
}

#[test]
fn chunks_lose_their_extensions_and_trailers_both_ways() {
    let (heard, hears) = channel();
    let heard = Mutex::new(heard);
    let backend = script(move |_, stream| {
        loop {
            let request = head(stream) + &up_to(stream, "0\r\n\r\n");
            if request.is_empty() {
                return;
            }
            heard.lock().unwrap().send(request).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                          000003;a=\"b\"\r\nabc\r\n1\r\nd\r\n0;e\r\nX-Sum: 1\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let balancer = unchecked(&[&backend.address], &[]);
    let request = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                   0003;a=\"b\"\r\nabc\r\n0\r\nContent-Length: 5\r\nX-Sum: 1\r\n\r\n";
    let mut client = balancer.client();
    for _ in 0..2 {
        let answer = client.send(request).answer();
        assert_eq!((answer.text().as_str(), answer.trailers.len()), ("abcd", 0));
        let sent = hears.recv().unwrap();
        assert!(
            sent.ends_with("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
            "{sent}"
        );
        assert!(!sent.contains("X-Sum") && !sent.contains("Trailer"), "{sent}");
    }
}

#[test]
fn interim_answers_go_no_further() {
    let backend = says(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast",
    );
    let balancer = unchecked(&[&backend.address], &[]);
    let bytes = say(&balancer, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let found = answers(&bytes, &[]);
    assert_eq!((found.len(), found[0].text().as_str()), (1, "last"));
    assert!(found[0].field("link").is_none());
}

#[test]
fn idempotent_requests_go_over_kept_connections_and_others_over_new_ones() {
    let backend = serve(|request: &mut Request<'_>| {
        let peer = request.peer().unwrap();
        request.body().read_all()?;
        std::io::Result::Ok(Response::text(peer.to_string()))
    });
    let balancer = unchecked(&[&address(&backend)], &[]);
    let first = get(&balancer, "/").text();
    for method in ["GET", "OPTIONS", "DELETE", "PUT", "TRACE"] {
        assert_eq!(ask(&balancer, method, "/", "").text(), first, "{method}");
    }
    let other = post(&balancer, "/", "x").text();
    assert_ne!(other, first);
    assert_ne!(post(&balancer, "/", "x").text(), other);
    assert_ne!(ask(&balancer, "PATCH", "/", "").text(), other);
}

#[test]
fn whether_a_body_is_wanted_is_the_backends_to_say() {
    let ask = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    // It does.
    let backend = script(|_, stream| {
        assert!(head(stream).ends_with("Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        let answer = [&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..], &body].concat();
        stream.write_all(&answer).unwrap();
    });
    let balancer = unchecked(&[&backend.address], &[]);
    let mut client = balancer.client();
    assert_eq!(client.send(ask).answer().status, 100);
    assert_eq!(client.send("hello").answer().text(), "hello");

    // It does not, and nobody waits for the body.
    let backend = says("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let balancer = unchecked(&[&backend.address], &[]);
    let mut client = balancer.client();
    let answer = client.send(ask).answer();
    assert_eq!((answer.status, answer.closes()), (401, true));
    client.expect_end();

    // It does not know the question, and gets the body nevertheless.
    let backend = script(|_, stream| {
        head(stream);
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let balancer = unchecked(&[&backend.address], &[]);
    let mut client = balancer.client();
    assert_eq!(client.send(ask).answer().status, 100);
    assert_eq!(client.send("hello").answer().status, 200);
}

#[test]
fn bodies_go_on_as_they_come() {
    let (heard, hears) = channel();
    let (door, heard) = (Latch::default(), Mutex::new(heard));
    let wait = door.clone();
    let backend = serve(move |request: &mut Request<'_>| {
        let mut piece = [0; 5];
        request.body().read_exact(&mut piece)?;
        heard.lock().unwrap().send(piece).unwrap();
        request.body().read_exact(&mut piece)?;
        heard.lock().unwrap().send(piece).unwrap();
        let wait = wait.clone();
        std::io::Result::Ok(Response::stream("text/plain", move |out| {
            out.write_all(b"begun")?;
            out.flush()?;
            wait.pass();
            out.write_all(b"ended")
        }))
    });
    let balancer = unchecked(&[&address(&backend)], &[]);
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut client = balancer.client();
        let chunked = framing.starts_with('T');
        let piece = |text| if chunked { format!("5\r\n{text}\r\n") } else { String::from(text) };
        // A short body of known length is sent when it is whole, unless its client asks first.
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\nExpect: 100-continue\r\n\r\n{}",
            piece("first")
        ));
        assert_eq!(&hears.recv().unwrap(), b"first");
        client.send(piece("later"));
        assert_eq!(&hears.recv().unwrap(), b"later");
        if chunked {
            client.send("0\r\n\r\n");
        }
        client.expect_bytes(b"begun");
        door.admit(1);
        client.expect_bytes(b"ended");
        client.expect_bytes(b"0\r\n\r\n");
    }
}

/// The most memory that it has had, in KiB.
#[cfg(target_os = "linux")]
fn most_memory(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn long_bodies_pass_whole_through_little_memory() {
    const LENGTH: usize = 64 << 20;
    let backend = serve(|request: &mut Request<'_>| {
        let length = std::io::copy(request.body(), &mut std::io::sink())?;
        let known = (request.path() == "/known").then_some(length);
        let body = std::io::repeat(b'#').take(length);
        std::io::Result::Ok(Response::reader("text/plain", body, known))
    });
    let balancer = unchecked(&[&address(&backend)], &[]);
    for path in ["known", "unknown"] {
        let mut client = balancer.client();
        client.send(format!("POST /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LENGTH}\r\n"));
        client.send("Connection: close\r\n\r\n");
        let mut piece = vec![b'#'; 1 << 20];
        for _ in 0..LENGTH / piece.len() {
            client.send(&piece);
        }
        let mut length = 0;
        while let count @ 1.. = client.stream.read(&mut piece).unwrap() {
            // Heads and framing have none.
            length += piece[..count].iter().filter(|octet| **octet == b'#').count();
        }
        assert_eq!(length, LENGTH, "{path}");
    }
    let most = most_memory(&balancer);
    assert!(most < LENGTH as u64 / 1024 / 4, "{most} KiB");
}

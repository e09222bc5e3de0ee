//! What a client is told when a backend fails, and what the backend gets when a client does.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use harness::answer::{Extent, first};
use harness::latch::{Latch, OpensAtLast};
use longhand::{Limits, Request, Response, Server};

use crate::{
    NOBODY, Script, address, ask, get, head, named, post, says, script, state, unchecked, until,
    up_to,
};

/// Reads requests and ends.
fn mute() -> Script {
    script(|_, stream| drop(head(stream)))
}

/// Reads a request and says nothing for ever.
fn sleeper() -> Script {
    script(|_, stream| {
        head(stream);
        // To its end, which is the balancer's to make.
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

#[test]
fn where_nobody_listens_a_client_is_told_each_time() {
    let balancer = unchecked(&[NOBODY], &[("EJECT_MS", "3600000")]);
    for turn in 0..5 {
        let answer = get(&balancer, "/");
        let text = "502 Bad Gateway: a backend could not be reached\n";
        assert_eq!((answer.status, answer.text().as_str()), (502, text), "{turn}");
        assert_eq!(post(&balancer, "/", "x").status, 502, "{turn}");
    }
    // Where there is no other, one that is ejected is asked all the same.
    assert_eq!(state(&balancer, NOBODY), ("ejected".to_owned(), [0, 0, 10]));
    let mut complaint = None;
    until("it says why", || {
        complaint = balancer.complaint();
        complaint.is_some()
    });
    let complaint = complaint.unwrap();
    assert!(complaint.starts_with("GET /: 502 Bad Gateway: "), "{complaint}");
}

#[test]
fn each_is_tried_once() {
    let other = "127.0.0.2:1";
    let balancer = unchecked(&[NOBODY, other], &[]);
    assert_eq!(get(&balancer, "/").status, 502);
    for backend in [NOBODY, other] {
        assert_eq!(state(&balancer, backend).1, [0, 0, 1], "{backend}");
    }
}

#[test]
fn one_that_says_nothing_in_time_is_a_504_and_the_request_is_not_sent_again() {
    let backends = [sleeper(), sleeper()];
    let addresses = backends.each_ref().map(|backend| backend.address.as_str());
    let balancer = unchecked(&addresses, &[("ANSWER_MS", "100")]);
    for answer in [get(&balancer, "/"), post(&balancer, "/", "x")] {
        let text = "504 Gateway Timeout: a backend did not answer in time\n";
        assert_eq!((answer.status, answer.text().as_str()), (504, text));
    }
    let asked = backends.each_ref().map(|backend| backend.connections.load(Ordering::SeqCst));
    assert_eq!(asked, [1, 1]);
}

#[test]
fn interim_answers_without_end_are_none() {
    let stalls = script(|_, stream| {
        head(stream);
        while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {}
    });
    let balancer = unchecked(&[&stalls.address], &[("ANSWER_MS", "100")]);
    assert_eq!(get(&balancer, "/").status, 504);
    assert_eq!(post(&balancer, "/", "x").status, 504);
}

#[test]
fn what_cannot_be_read_goes_no_further() {
    for wire in [
        "hello\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ] {
        let (broken, other) = (says(wire), named("other"));
        let balancer = unchecked(&[&broken.address, &address(&other)], &[]);
        let answer = get(&balancer, "/");
        let text = "502 Bad Gateway: a backend answered what cannot be read\n";
        assert_eq!((answer.status, answer.text().as_str()), (502, text), "{wire:?}");
    }
}

#[test]
fn a_head_without_end_is_cut_at_its_limit() {
    let endless = script(|_, stream| {
        head(stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"A: b\r\n").is_ok() {}
    });
    let balancer = unchecked(&[&endless.address], &[]);
    assert_eq!(get(&balancer, "/").status, 502);
}

#[test]
fn what_is_idempotent_and_short_is_sent_once_more() {
    let long = "x".repeat((64 << 10) + 1);
    for (method, body, again) in [
        ("GET", "", true),
        ("HEAD", "", true),
        ("DELETE", "", true),
        ("PUT", "Content-Length: 4\r\n\r\nbody", true),
        ("PUT", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", false),
        ("PUT", &format!("Content-Length: {}\r\n\r\n{long}", long.len()), false),
        ("POST", "Content-Length: 4\r\n\r\nbody", false),
        ("POST", "Content-Length: 0\r\n\r\n", false),
        ("PATCH", "", false),
    ] {
        let (heard, hears) = channel();
        let heard = Mutex::new(heard);
        let other = crate::serve(move |request: &mut Request<'_>| {
            heard.lock().unwrap().send(request.body().read_all()?).unwrap();
            std::io::Result::Ok(Response::text("other"))
        });
        let mute = script(|_, stream| {
            head(stream);
            // All that comes at once; it may be more.
            let _ = stream.read(&mut [0; 16 << 10]);
        });
        // What has no body is not waited for.
        let mute =
            if body.is_empty() || body.contains(" 0\r") { crate::failing::mute() } else { mute };
        let balancer = unchecked(&[&mute.address, &address(&other)], &[]);
        let mut client = balancer.client();
        let end = if body.is_empty() { "\r\n" } else { "" };
        let case = format!("{method} {}", body.split("\r\n").next().unwrap());
        client.send(format!("{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{body}{end}"));
        let (answer, _) = first(&client.rest().unwrap(), method);
        if again {
            assert_eq!(answer.status, 200, "{case}");
            let expected = body.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            assert_eq!(hears.recv().unwrap(), expected.as_bytes(), "{case}");
        } else {
            let text = "502 Bad Gateway: a backend ended before its answer\n";
            assert_eq!((answer.status, answer.text().as_str()), (502, text), "{case}");
            assert!(hears.try_recv().is_err(), "{case}");
        }
        assert_eq!(state(&balancer, &mute.address).1[2], 1, "{case}");
    }
}

#[test]
fn a_backend_that_cannot_serve_was_not_asked_of_another_that_can() {
    let cannot =
        says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno");
    let other = named("other");
    let balancer = unchecked(&[&cannot.address, &address(&other)], &[]);
    for _ in 0..4 {
        assert_eq!(get(&balancer, "/").text(), "other");
    }
    let (state, [_, answered, failed]) = state(&balancer, &cannot.address);
    assert!(state == "up" && answered > 1 && failed == 0, "{state} {answered} {failed}");
    // What may not be sent twice has its answer.
    let answers = [(); 2].map(|()| post(&balancer, "/", "x").text());
    assert!(answers.contains(&"no".to_owned()) && answers.contains(&"other".to_owned()));

    // Where no other can, its answer is that of all.
    for neighbour in [NOBODY, &mute().address, &cannot.address] {
        let balancer = unchecked(&[&cannot.address, neighbour], &[]);
        for _ in 0..2 {
            let answer = get(&balancer, "/");
            let told = (answer.status, answer.field("retry-after"), answer.text());
            assert_eq!(told, (503, Some("7"), "no".to_owned()), "{neighbour}");
        }
    }
}

#[test]
fn nothing_is_sent_a_third_time() {
    let backends = [mute(), mute(), mute()];
    let addresses = backends.each_ref().map(|backend| backend.address.as_str());
    let balancer = unchecked(&addresses, &[]);
    assert_eq!(get(&balancer, "/").status, 502);
    let asked = backends.each_ref().map(|backend| backend.connections.load(Ordering::SeqCst));
    assert_eq!(asked.iter().sum::<usize>(), 2, "{asked:?}");
}

#[test]
fn a_kept_connection_that_closes_while_it_is_asked_is_nobodys_fault() {
    let closes = script(|_, stream| {
        head(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept").unwrap();
        // It takes the next request and closes.
        head(stream);
    });
    let balancer = unchecked(&[&closes.address], &[]);
    for turn in 1..=5 {
        assert_eq!(get(&balancer, "/").text(), "kept");
        assert_eq!(state(&balancer, &closes.address), ("up".to_owned(), [0, turn, 0]));
    }
    assert_eq!(closes.connections.load(Ordering::SeqCst), 5);
}

#[test]
fn a_kept_connection_that_has_closed_is_not_used() {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let backend = script(move |_, stream| {
        head(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        tell.lock().unwrap().send("closed".to_owned()).unwrap();
        // Were it asked again, this would be it.
        tell.lock().unwrap().send(head(stream)).unwrap();
    });
    let balancer = unchecked(&[&backend.address], &[]);
    assert_eq!(get(&balancer, "/").text(), "once");
    assert_eq!(told.recv().unwrap(), "closed");
    assert_eq!(get(&balancer, "/").text(), "once");
    // The end of the first, and the second one.
    let mut both = [(); 2].map(|()| told.recv().unwrap());
    both.sort();
    assert_eq!(both, ["", "closed"]);
}

#[test]
fn an_answer_that_breaks_off_is_cut_here_too() {
    for (wire, body) in [
        ("Content-Length: 10\r\n\r\nshort", "short"),
        ("Content-Length: 10\r\n\r\n", ""),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", "short"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n", "short"),
        ("Transfer-Encoding: chunked\r\n\r\n9\r\nshort", "short"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshortest\r\n0\r\n\r\n", "short"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n-1\r\n\r\n", "short"),
        ("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nshort", ""),
    ] {
        let broken = script(move |_, stream| {
            head(stream);
            write!(stream, "HTTP/1.1 200 OK\r\n{wire}").unwrap();
        });
        let balancer = unchecked(&[&broken.address], &[]);
        let mut client = balancer.client();
        let (answer, _) = first(&client.get("/").rest().unwrap(), "GET");
        let found = (answer.status, answer.text(), answer.extent);
        assert_eq!(found, (200, body.to_owned(), Extent::Cut), "{wire:?}");
        assert_eq!(state(&balancer, &broken.address).1, [0, 1, 0], "{wire:?}");
    }
}

#[test]
fn an_answer_that_stands_still_is_cut() {
    let stalls = script(|_, stream| {
        head(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort").unwrap();
        let _ = stream.read(&mut [0]);
    });
    let balancer = unchecked(&[&stalls.address], &[("ANSWER_MS", "1000")]);
    let mut client = balancer.client();
    let (answer, _) = first(&client.get("/").rest().unwrap(), "GET");
    assert_eq!((answer.text().as_str(), answer.extent), ("short", Extent::Cut));
}

#[test]
fn a_request_that_breaks_off_is_cut_there_too() {
    for (wire, status) in [
        ("Content-Length: 100000\r\n\r\nshort", 400),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshortest\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nx\r\n", 400),
    ] {
        let (heard, hears) = channel();
        let heard = Mutex::new(heard);
        let backend = script(move |_, stream| {
            head(stream);
            heard.lock().unwrap().send(up_to(stream, "0\r\n\r\n")).unwrap();
        });
        let balancer = unchecked(&[&backend.address], &[]);
        let mut client = balancer.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{wire}")).end();
        let (answer, _) = first(&client.rest().unwrap(), "POST");
        assert_eq!(answer.status, status, "{wire:?}");
        let body = hears.recv().unwrap();
        let expected = if wire.starts_with('C') { "short" } else { "5\r\nshort\r\n" };
        assert_eq!(body, expected, "{wire:?}");
        // It was no fault of the backend's.
        assert_eq!(state(&balancer, &backend.address), ("up".to_owned(), [0, 0, 0]), "{wire:?}");
    }
    // A short one is not even sent.
    let backend = named("backend");
    let balancer = unchecked(&[&address(&backend)], &[]);
    let mut client = balancer.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort").end();
    assert_eq!(first(&client.rest().unwrap(), "POST").0.rule(), "ended-in-body");
    assert_eq!(backend.events(), []);
}

#[test]
fn a_refusal_that_comes_before_all_was_sent_arrives_and_ends_the_sending() {
    for closes in [true, false] {
        let door = OpensAtLast(Latch::default());
        let stay = door.0.clone();
        let refuses = script(move |_, stream| {
            head(stream);
            let _ = stream.read(&mut [0; 1024]);
            let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch";
            stream.write_all(answer.as_bytes()).unwrap();
            if !closes {
                // It reads no more, and stays.
                stay.pass();
            }
        });
        let balancer = unchecked(&[&refuses.address], &[("ANSWER_MS", "3600000")]);
        for framing in ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"] {
            let mut client = balancer.client();
            client.send(format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"));
            let piece = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
            // It sends until it is cut off, which is after the answer has come.
            let mut stream = client.stream.try_clone().unwrap();
            let sending =
                std::thread::spawn(move || while stream.write_all(piece.as_bytes()).is_ok() {});
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes()), (413, true), "{framing} {closes}");
            assert_eq!(answer.text(), "much");
            client.stream.shutdown(Shutdown::Both).unwrap();
            sending.join().unwrap();
        }
    }
}

#[test]
fn a_connection_over_which_a_body_was_not_sent_whole_is_not_used_again() {
    // It refuses bodies, and takes what comes behind for its next request.
    let refuses = script(|_, stream| {
        while !head(stream).is_empty() {
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    let balancer = unchecked(&[&refuses.address], &[]);
    let asks = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    assert_eq!(ask(&balancer, "PUT", "/", asks).status, 401);
    assert_eq!(get(&balancer, "/").status, 401);
    assert_eq!(get(&balancer, "/").status, 401);
    assert_eq!(refuses.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn one_that_ends_while_it_is_sent_a_body_is_a_502() {
    let ends = script(|_, stream| {
        head(stream);
        let _ = stream.read(&mut [0; 1024]);
    });
    let balancer = unchecked(&[&ends.address], &[]);
    let mut client = balancer.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    client.send("x".repeat(100_000));
    let answer = client.answer();
    assert_eq!(answer.text(), "502 Bad Gateway: a backend ended before its answer\n");
}

#[test]
fn a_long_body_that_its_handler_does_not_read_costs_nobody_the_answer() {
    let limits = Limits { body: 1 << 10, ..Limits::default() };
    let server = Server::bind("127.0.0.1:0").unwrap().limits(limits);
    let backend = harness::running::run(server, |request: &mut Request<'_>| {
        if request.path() == "/reads" {
            request.body().read_all()?;
        }
        std::io::Result::Ok(Response::text("unread"))
    });
    let balancer = unchecked(&[&address(&backend)], &[]);
    for (path, status) in [("/reads", 413), ("/", 200)] {
        let mut client = balancer.client();
        client.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"));
        client.send("x".repeat(8_000_000));
        assert_eq!(client.answer().status, status);
    }
    until("both are over", || state(&balancer, backend.address()).1[0] == 0);
    assert_eq!(ask(&balancer, "GET", "/", "").status, 200);
}
